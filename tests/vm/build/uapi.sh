#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# uapi.sh: tests/uapi as one static program, with the kselftest harness of
# Debian's kernel source. Prints its folder, which holds lmf-vfio-test.
. "$(dirname "$0")/lib.sh"

root=$("$steps/root.sh")
src=$("$steps/source.sh" linux)
uapi_key=$(key "$steps/uapi.sh" "$top/tests/uapi" "$top"/firmware-iface/*.h \
	"$top/include/uapi" "$src" "$root")

build()
{
	"$steps/enter.sh" make -s -C "$top/tests/uapi" O="$OUT" \
		KSELFTEST="$src/tree/tools/testing/selftests"
}

cached uapi "$uapi_key" 50 "10 s" build
echo "$cache/uapi-$uapi_key"
