#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cocci.sh CHECKOUT KERNEL: what the kernel's own semantic patches report about
# our kernel code; the tool for operators has no kernel header to follow them.
#
# Two are written in OCaml, for which spatch needs a compiler: one is about
# another driver, and what the other finds, a pointer compared with 0, sparse
# finds as well. The kernel's coccicheck stops at the first of them, so it is
# not used.
cd "$1" || exit 1
said=$(mktemp)
trap 'rm -f "$said"' EXIT
scripts=$(grep -rL ':ocaml' "$2/scripts/coccinelle" | grep '\.cocci$' |
	xargs grep -l '^virtual report' | sort)
failed=0
while read -r script; do
	options=$(sed -n 's,^// *Options:,,p' "$script")
	# Of the scripts themselves it warns on stderr.
	if ! spatch -D report --no-show-diff --very-quiet $options \
		--cocci-file "$script" --dir src --ignore src/lmfctl \
		</dev/null 2>"$said"; then
		cat "$said"
		echo "spatch failed with $script"
		failed=1
	fi
done <<<"$scripts"
exit $failed
