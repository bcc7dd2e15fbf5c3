#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The outer machine's QEMU: Debian 13's source with our device compiled in,
# which touches two of QEMU's own files by one line each. Prints its folder,
# which holds qemu-system-x86_64.
. "$(dirname "$0")/lib.sh"

iface=$top/firmware-iface
src=$("$steps/source.sh" qemu)
tree_key=$(key "$steps/qemu.sh" "$src")
qemu_key=$(key "$tree_key" "$iface"/*.h "$iface/firmware" "$iface/qemu")
tree=$cache/qemu-tree-$tree_key

configure_tree()
{
	local dir=${OUT%.partial}
	mkdir -p "$dir"
	cp -a "$src/tree/." "$dir"
	"$steps/enter.sh" bash -ec "
		cd '$dir'
		echo 'source lmf/Kconfig' >>hw/misc/Kconfig
		echo \"subdir('lmf')\" >>hw/misc/meson.build
		rm -rf hw/misc/lmf
		cp -a '$iface/.' hw/misc/lmf-iface
		cp -a '$iface/qemu' hw/misc/lmf
		mkdir -p build
		cd build
		../configure --target-list=x86_64-softmmu \
			--without-default-features --enable-tcg --enable-kvm \
			--enable-attr --enable-virtfs --enable-pixman \
			--enable-slirp --enable-fdt=disabled --disable-docs \
			--disable-tools --disable-guest-agent \
			--disable-install-blobs
		ninja qemu-system-x86_64"
	rm -rf "$OUT"
	mv "$dir" "$OUT"
}

# Only what changed is compiled again: the sources are compared by content.
build()
{
	"$steps/enter.sh" bash -ec "
		rsync -rc --delete '$iface/' '$tree/hw/misc/lmf-iface/'
		rsync -rc --delete '$iface/qemu/' '$tree/hw/misc/lmf/'
		ninja -C '$tree/build' qemu-system-x86_64
		cp '$tree/build/qemu-system-x86_64' '$OUT/'"
}

cached qemu-tree "$tree_key" 4000 "6 min" configure_tree
cached qemu "$qemu_key" 500 "20 s" build
echo "$cache/qemu-$qemu_key"
