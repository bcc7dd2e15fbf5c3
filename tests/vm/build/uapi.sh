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
	# The selftests' header is older than -Wextra.
	"$steps/enter.sh" bash -ec "
		cd '$top/tests/uapi'
		gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -static \
			-isystem '$src/tree/tools/testing/selftests' \
			-I'$top/firmware-iface' -I'$top/include/uapi' \
			-o '$OUT/lmf-vfio-test' lmf-vfio-test.c vdev.c \
			migration.c stream.c pci.c plugin_lmf.c -lpthread"
}

cached uapi "$uapi_key" 50 "10 s" build
echo "$cache/uapi-$uapi_key"
