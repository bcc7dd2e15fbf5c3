#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A second Debian 13 root, with cross compilers and the emulators of their
# machines: apart from the first one, because hardly anybody needs it. Prints
# its folder; cross-enter.sh runs things there.
. "$(dirname "$0")/lib.sh"

root=$("$steps/root.sh")
packages=$(sed 's/#.*//' "$steps/cross.packages" | xargs | tr ' ' ,)
cross_key=$(key "$steps/cross-root.sh" "$steps/cross.packages" "$root")

build()
{
	"$steps/enter.sh" mmdebstrap --mode=root --variant=apt \
		--include="$packages" trixie "$OUT" /etc/apt/sources.list
}

cached cross-root "$cross_key" 2000 "2 min" build
echo "$cache/cross-root-$cross_key"
