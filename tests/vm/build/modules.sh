#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# modules.sh plain|debug|gcov: our kernel modules for that kernel, built from a
# copy of the checkout. A warning is an error. Prints their folder. Those for
# gcov count what they run; gcno/ has what else gcov needs.
. "$(dirname "$0")/lib.sh"

flavour=${1:-plain}
kernel=$("$steps/kernel.sh" "$flavour")
gcov=
[ "$flavour" != gcov ] || gcov=GCOV_PROFILE=y
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
		KCFLAGS=-Werror -j"$(nproc)" $gcov modules
	mv "$tree"/src/*/*.ko "$OUT"
	[ -z "$gcov" ] || keep_gcno "$tree" "$OUT/gcno"
	rm -rf "$tree"
}

cached "modules-$flavour" "$modules_key" 200 "1 min" build
echo "$cache/modules-$flavour-$modules_key"
