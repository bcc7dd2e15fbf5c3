#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# clang.sh: Debian's linux-source-6.12, configured for clang and made ready as
# far as the objects of modules need it. Prints its folder, which holds build/.
. "$(dirname "$0")/../vm/build/lib.sh"

src=$("$steps/source.sh" linux)
clang_key=$(key "$top/tests/style/clang.sh" "$steps/kernel.fragment" "$src")

build()
{
	# The final path, because a build folder must not move afterwards.
	local dir=${OUT%.partial}
	"$steps/enter.sh" bash -ec "
		mkdir -p '$dir/build'
		cd '$src/tree'
		m() { make -s O='$dir/build' ARCH=x86_64 CC=clang \"\$@\"; }
		m tinyconfig
		cat '$steps/kernel.fragment' >>'$dir/build/.config'
		m olddefconfig
		m -j\$(nproc) modules_prepare"
	rm -rf "$OUT"
	mv "$dir" "$OUT"
}

cached clang "$clang_key" 600 "2 min" build
echo "$cache/clang-$clang_key"
