#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# over.sh TREE DIR CMD...: run CMD in the Debian system TREE, which stays as it
# is: what changes is kept in DIR/upper. CMD sees DIR as /mnt. Not any file
# system can hold an upper layer; a tmpfs can. The Debian 13 root, from where
# this is called, has no mount(8).
set -euo pipefail

[ $# -ge 3 ] || { echo "usage: over.sh TREE DIR CMD..." >&2; exit 2; }
inside='
set -e
tree=$1 dir=$2
shift 2
mkdir -p "$dir/upper" "$dir/work" "$dir/over"
mount() { busybox mount -o "$1" "$2" "$dir/over/${3:-}" ${4:+-t "$4"}; }
mount "lowerdir=$tree,upperdir=$dir/upper,workdir=$dir/work" overlay "" overlay
mount rw proc proc proc
mount rbind /dev dev
mount rw tmpfs tmp tmpfs
mount bind "$dir" mnt
exec chroot "$dir/over" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
'
# In a chroot / is no mount, and those of the Debian 13 root are private.
exec unshare --mount --propagation unchanged --pid --fork --kill-child \
	--mount-proc=/proc bash -c "$inside" over "$@"
