#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# clang.sh: Debian's linux-source-6.12, configured for LLVM and made ready to
# build modules against. Prints its folder, which holds build/.
. "$(dirname "$0")/../vm/build/lib.sh"

src=$("$steps/source.sh" linux)
# What a kernel of this source and configuration exports, gcc's tells as well.
symbols=$("$steps/kernel.sh" plain)/build/Module.symvers
clang_key=$(key "$top/tests/style/clang.sh" "$steps/kernel.fragment" \
	"$symbols" "$src" "$("$steps/root.sh")")

build()
{
	# The final path, because a build folder must not move afterwards.
	local dir=${OUT%.partial}
	"$steps/enter.sh" bash -ec "
		mkdir -p '$dir/build'
		cd '$src/tree'
		m() { make -s O='$dir/build' ARCH=x86_64 LLVM=1 \"\$@\"; }
		m tinyconfig
		cat '$steps/kernel.fragment' >>'$dir/build/.config'
		m olddefconfig
		m -j\$(nproc) modules_prepare
		cp '$symbols' '$dir/build'"
	rm -rf "$OUT"
	mv "$dir" "$OUT"
}

cached clang "$clang_key" 600 "2 min" build
echo "$cache/clang-$clang_key"
