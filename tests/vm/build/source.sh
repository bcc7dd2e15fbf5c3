#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# source.sh linux|qemu: Debian 13's source of it, unpacked with Debian's
# patches. Prints its folder.
. "$(dirname "$0")/lib.sh"

# The root unpacks it, and what else is installed there makes no difference.
"$steps/root.sh" >/dev/null
source_key=$(key "$steps/source.sh" "$steps/root.sh")

# A copy of the package lists of its own keeps the root as it was built.
apt_update='
lists=$(mktemp -d)
set -- -o Dir::State::Lists="$lists" -o Dir::Cache="$lists" \
	-o APT::Sandbox::User=root
mkdir -p "$lists/partial" "$lists/archives/partial"
apt-get -qq "$@" update
'

build_linux()
{
	"$steps/enter.sh" sh -ec "cd '$OUT'; $apt_update
		apt-get \"\$@\" download linux-source-6.12
		dpkg-deb -f linux-source-6.12_*.deb Version >version
		dpkg-deb -x linux-source-6.12_*.deb deb
		mkdir tree
		tar -C tree --strip-components=1 \
			-xf deb/usr/src/linux-source-6.12.tar.xz
		rm -rf deb *.deb"
}

build_qemu()
{
	"$steps/enter.sh" sh -ec "cd '$OUT'; $apt_update
		apt-get \"\$@\" source qemu
		mv qemu-*/ tree
		sed -n 's/^Version: //p' qemu_*.dsc >version
		rm -f qemu_*"
}

case ${1:-} in
linux) cached src-linux "$source_key" 3000 "2 min" build_linux ;;
qemu) cached src-qemu "$source_key" 3000 "2 min" build_qemu ;;
*) die "usage: source.sh linux|qemu" ;;
esac
echo "$cache/src-$1-$source_key"
