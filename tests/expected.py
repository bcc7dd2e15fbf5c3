# SPDX-License-Identifier: GPL-2.0-only
"""Texts that are expected to the letter, in tests/lmfctl/golden. With
LMF_GOLDEN=write they are written anew, to be looked at with git diff.
"""
import os

FOLDER = os.path.dirname(os.path.abspath(__file__)) + '/lmfctl/golden/'


def assert_expected(name, text):
    if os.environ.get('LMF_GOLDEN') == 'write':
        with open(FOLDER + name, 'w') as file:
            file.write(text)
    with open(FOLDER + name) as file:
        assert text == file.read()
