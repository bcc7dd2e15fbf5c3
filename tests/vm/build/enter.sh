#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# enter.sh CMD...: run CMD in the Debian 13 root, with this checkout and the
# cache at their own paths. What CMD mounts or leaves running in the
# background ends with it.
. "$(dirname "$0")/lib.sh"

[ -z "${LMF_IN_ROOT:-}" ] || exec "$@"
root=$("$steps/root.sh")
inside='
set -e
root=$1 top=$2 cache=$3 cwd=$4
shift 4
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/tmp"
for dir in "$top" "$cache"; do
	mkdir -p "$root$dir"
	mount --bind "$dir" "$root$dir"
done
exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" LMF_CACHE="$cache" \
	LMF_IN_ROOT=1 CI="${CI:-}" sh -c "cd \"\$0\" && exec \"\$@\"" "$cwd" "$@"
'
exec unshare --mount --pid --fork --kill-child --mount-proc=/proc \
	bash -c "$inside" enter "$root" "$top" "$cache" "$PWD" "$@"
