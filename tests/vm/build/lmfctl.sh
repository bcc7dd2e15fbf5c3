#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lmfctl.sh: the operator's tool. Prints its folder, which holds lmfctl.
. "$(dirname "$0")/lib.sh"

root=$("$steps/root.sh")
lmfctl_key=$(key "$steps/lmfctl.sh" "$top/src/lmfctl" "$top/include/uapi" \
	"$root")

build()
{
	"$steps/enter.sh" make -s -C "$top/src/lmfctl" O="$OUT"
	rm -f "$OUT"/*.o
}

cached lmfctl "$lmfctl_key" 50 "10 s" build
echo "$cache/lmfctl-$lmfctl_key"
