# SPDX-License-Identifier: GPL-2.0-only
"""What the documents point to is there, and what they say to type."""
import glob
import os
import re

import pytest

TOP = os.path.abspath(os.path.dirname(__file__) + '/../..')
ROOMS = ('docs', 'firmware-iface', 'include', 'src', 'tests')
PAGES = [os.path.relpath(page, TOP) for page in
         [TOP + '/README.md', *glob.glob(TOP + '/docs/*.md')]]


def places(page):
    """Links, relative to the page, and what looks like a path of the tree."""
    with open(f'{TOP}/{page}') as file:
        text = file.read()
    for link in re.findall(r'\]\(([^)#:]+)\)', text):
        yield os.path.join(os.path.dirname(page), link)
    yield from re.findall(rf'`((?:{"|".join(ROOMS)})/[\w./-]*)`', text)


@pytest.mark.parametrize('page', PAGES)
def test_places_are_there(page):
    missing = [place for place in places(page)
               if not os.path.exists(f'{TOP}/{place}')]
    assert not missing


@pytest.mark.parametrize('page', PAGES)
def test_commands_are_there(page):
    """What a page says to type after make is something that make knows."""
    with open(f'{TOP}/{page}') as file:
        said = re.findall(r'(?:^    |`)make((?: [a-z][a-z_-]*)+)',
                          file.read(), re.M)
    with open(TOP + '/Makefile') as file:
        known = re.findall(r'^([a-z _-]+):', file.read(), re.M)
    assert not {*' '.join(said).split()} - {*' '.join(known).split()}


def test_pages_are_found():
    """Each page of docs/ can be reached from the README."""
    with open(TOP + '/README.md') as file:
        readme = file.read()
    assert not [page for page in PAGES[1:] if page not in readme]
