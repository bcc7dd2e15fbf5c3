#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The outer machine's QEMU: Debian 13's source with our device compiled in,
# which touches two of QEMU's own files by one line each, and with three races
# of QEMU mended that nested guests under TCG run into. Prints its folder, which
# holds qemu-system-x86_64.
#
# The tree is built once with an empty device. So an error in ours costs no
# full build, and a change in ours compiles only what changed.
. "$(dirname "$0")/lib.sh"

iface=$top/firmware-iface
src=$("$steps/source.sh" qemu)
tree_key=$(key "$steps/qemu.sh" "$steps/qemu-svm-events.patch" \
	"$iface/qemu/Kconfig" "$src")
qemu_key=$(key "$tree_key" "$iface"/*.h "$iface/firmware" "$iface/qemu")
tree=$cache/qemu-tree-$tree_key

# Built at its final path: neither meson nor ninja survive a move.
build_tree()
{
	local dir=${OUT%.partial}
	rm -rf "$dir"
	cp -a "$src/tree" "$dir"
	mkdir -p "$dir/hw/misc/lmf/qemu" "$dir/build"
	cp "$iface/qemu/Kconfig" "$dir/hw/misc/lmf/qemu"
	: >"$dir/hw/misc/lmf/qemu/meson.build"
	echo 'source lmf/qemu/Kconfig' >>"$dir/hw/misc/Kconfig"
	echo "subdir('lmf/qemu')" >>"$dir/hw/misc/meson.build"
	"$steps/enter.sh" sh -ec "
		patch -d '$dir' -p1 <'$steps/qemu-svm-events.patch'
		cd '$dir/build'
		../configure --target-list=x86_64-softmmu \
			--without-default-features --enable-tcg --enable-kvm \
			--enable-attr --enable-virtfs --enable-pixman \
			--enable-slirp --disable-fdt --disable-debug-info \
			--disable-docs --disable-tools --disable-guest-agent \
			--disable-install-blobs
		ninja -j\$(nproc) qemu-system-x86_64"
	rm -rf "$OUT"
	mv "$dir" "$OUT"
}

build()
{
	"$steps/enter.sh" sh -ec "
		rsync -rc --delete '$iface/' '$tree/hw/misc/lmf/'
		ninja -C '$tree/build' qemu-system-x86_64
		cp '$tree/build/qemu-system-x86_64' '$OUT/'"
}

cached qemu-tree "$tree_key" 4000 "6 min" build_tree
cached qemu "$qemu_key" 500 "20 s" build
echo "$cache/qemu-$qemu_key"
