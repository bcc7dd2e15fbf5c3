#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cross-enter.sh CMD...: run CMD in the root of cross-root.sh, which is entered
# from the first one, as enter.sh does.
. "$(dirname "$0")/lib.sh"

root=$("$steps/cross-root.sh")
inside='
set -e
root=$1 top=$2 cache=$3 cwd=$4
shift 4
busybox mount -o rbind /dev "$root/dev"
for dir in /proc /tmp "$top" "$cache"; do
	mkdir -p "$root$dir"
	busybox mount -o bind "$dir" "$root$dir"
done
exec chroot "$root" sh -c "cd \"\$0\" && exec \"\$@\"" "$cwd" "$@"
'
exec "$steps/enter.sh" bash -c "$inside" enter "$root" "$top" "$cache" \
	"$PWD" "$@"
