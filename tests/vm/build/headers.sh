#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# headers.sh stable|backports: Debian 13's kernel headers, those of its own
# kernel or of the newest in its backports, unpacked to build modules against.
# Prints the folder to build against.
. "$(dirname "$0")/lib.sh"

suite=${1:-}
case $suite in
stable) release= ;;
backports) release=trixie-backports ;;
*) die "usage: headers.sh stable|backports" ;;
esac
root=$("$steps/root.sh")
headers_key=$(key "$steps/headers.sh" "$root")

# As in source.sh: package lists of our own. The list of backports is that of
# the root with another release; it must not lie where apt cleans up.
fetch='
set -o pipefail
release=$1
state=$(mktemp -d)
mkdir -p "$state/lists/partial" "$state/archives/partial"
{
	cat /etc/apt/sources.list
	sed -n "s/^\(deb .*\) trixie main\$/\1 trixie-backports main/p" \
		/etc/apt/sources.list
} >"$state/sources.list"
apt=(-o Dir::State::Lists="$state/lists" -o Dir::Cache="$state"
	-o Dir::Etc::SourceList="$state/sources.list"
	-o APT::Sandbox::User=root ${release:+-o APT::Default-Release="$release"})
apt-get -qq "${apt[@]}" update

depends() { apt-cache "${apt[@]}" --no-all-versions show "$1" |
	sed -n "s/^Depends: //p" | tr -d " " | tr "," "\n"; }
names() { grep -Eo "^linux-(headers|kbuild)-[0-9][^(]*" | sort -u; }

headers=$(depends linux-headers-amd64 | names)
{ echo "$headers"; depends "$headers" | names; } |
	xargs apt-get "${apt[@]}" download
for deb in *.deb; do dpkg-deb -x "$deb" .; done
rm -f *.deb
ln -s "usr/src/$headers" build
'

# The Makefiles name /usr/src; what is there lies in the cache here. The vmlinux
# is there for pahole, which the root has not.
build()
{
	"$steps/enter.sh" bash -ec "cd '$OUT'; $fetch" fetch "$release"
	sed -i "s,/usr/src/linux-,${OUT%.partial}/usr/src/linux-," \
		"$OUT"/usr/src/linux-headers-*/Makefile
	rm -f "$OUT/build/vmlinux"
	[ -f "$OUT/build/Makefile" ] || die "no headers came"
}

cached "headers-$suite" "$headers_key" 400 "1 min" build
echo "$cache/headers-$suite-$headers_key/build"
