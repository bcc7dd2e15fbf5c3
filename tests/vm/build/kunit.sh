#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kunit.sh plain|debug: the KUnit suites of tests/kunit as one module for that
# kernel of the bed. A warning is an error. Prints its folder, which holds
# lmf_kunit.ko.
. "$(dirname "$0")/lib.sh"

flavour=${1:-plain}
kernel=$("$steps/kernel.sh" "$flavour")
parts=(src include firmware-iface tests/golden tests/kunit)
kunit_key=$(key "$steps/kunit.sh" "${parts[@]/#/$top/}" "$kernel")

build()
{
	local tree=$OUT/tree
	mkdir "$tree"
	(cd "$top" && cp -a --parents "${parts[@]}" "$tree")
	"$steps/enter.sh" make -s -C "$kernel/build" M="$tree/tests/kunit" \
		KCFLAGS=-Werror -j"$(nproc)" modules
	mv "$tree/tests/kunit/lmf_kunit.ko" "$OUT"
	rm -rf "$tree"
}

cached "kunit-$flavour" "$kunit_key" 300 "1 min" build
echo "$cache/kunit-$flavour-$kunit_key"
