#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernel.sh plain|debug|gcov: the kernel of the outer machine and of its guests,
# built from Debian's linux-source-6.12 on tinyconfig plus our fragments.
# Prints its folder: bzImage, mods/ (an installed module tree), and build/ to
# build further modules against.
. "$(dirname "$0")/lib.sh"

flavour=${1:-plain}
fragments=("$steps/kernel.fragment")
case $flavour in
plain) estimate="10 min" ;;
debug) fragments+=("$steps/kernel-debug.fragment") estimate="12 min" ;;
gcov) fragments+=("$steps/kernel-gcov.fragment") estimate="10 min" ;;
*) die "usage: kernel.sh plain|debug|gcov" ;;
esac
src=$("$steps/source.sh" linux)
kernel_key=$(key "$steps/kernel.sh" "${fragments[@]}" "$src")

build()
{
	# The final path, because a build folder must not move afterwards.
	local dir=${OUT%.partial}
	"$steps/enter.sh" bash -ec "
		mkdir -p '$dir/build'
		cd '$src/tree'
		m() { make -s O='$dir/build' ARCH=x86_64 \"\$@\"; }
		m tinyconfig
		cat ${fragments[*]} >>'$dir/build/.config'
		m olddefconfig
		m -j\$(nproc) bzImage modules
		m INSTALL_MOD_PATH='$dir/mods' INSTALL_MOD_STRIP=1 \
			modules_install
		cp '$dir/build/arch/x86/boot/bzImage' '$dir/bzImage'"
	rm -rf "$OUT"
	mv "$dir" "$OUT"
}

cached "kernel-$flavour" "$kernel_key" 6000 "$estimate" build
echo "$cache/kernel-$flavour-$kernel_key"
