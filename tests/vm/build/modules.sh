#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# modules.sh plain|debug: our kernel modules for that kernel, built from a copy
# of the checkout. A warning is an error. Prints their folder.
. "$(dirname "$0")/lib.sh"

kernel=$("$steps/kernel.sh" "${1:-plain}")
parts=("$top"/src/{core,vfio,guest,probe.sh})
modules_key=$(key "$steps/modules.sh" "${parts[@]}" "$top/include" \
	"$top/Makefile" "$top"/firmware-iface/*.h "$kernel")

build()
{
	local tree=$OUT/tree
	mkdir -p "$tree"/{src,firmware-iface}
	cp -a "${parts[@]}" "$tree/src"
	cp -a "$top/include" "$top/Makefile" "$tree"
	cp -a "$top"/firmware-iface/*.h "$tree/firmware-iface"
	"$steps/enter.sh" make -s -C "$kernel/build" M="$tree" W=1 \
		KCFLAGS=-Werror -j"$(nproc)" modules
	mv "$tree"/src/*/*.ko "$OUT"
	rm -rf "$tree"
}

cached "modules-${1:-plain}" "$modules_key" 200 "1 min" build
echo "$cache/modules-${1:-plain}-$modules_key"
