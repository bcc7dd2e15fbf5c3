#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# deb.sh [VERSION]: our packages for Debian, built from a copy of the checkout;
# as if of another version, for tests of an upgrade. Prints their folder.
. "$(dirname "$0")/lib.sh"

version=${1:-}
root=$("$steps/root.sh")
parts=(Makefile LICENSE debian docs/{lmfctl-json,sysfs-abi}.md firmware-iface
	include src)
deb_key=$(key "$steps/deb.sh" "$version" "${parts[@]/#/$top/}" "$root")

build()
{
	mkdir "$OUT/tree"
	(cd "$top" && cp -a --parents "${parts[@]}" "$OUT/tree")
	[ -z "$version" ] ||
		sed -i "1s/(.*)/($version)/" "$OUT/tree/debian/changelog"
	"$steps/enter.sh" sh -ec "cd '$OUT/tree'
		DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -us -uc"
	rm -rf "$OUT/tree"
}

cached "deb${version:+-$version}" "$deb_key" 100 "1 min" build
echo "$cache/deb${version:+-$version}-$deb_key"
