#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The root file system of the outer machine: Debian 13 with its stock QEMU, as
# a squashfs. Its /lmf-init mounts the shared folder and starts what the bed
# put there, so that a change of the bed needs no new image. Guests use the
# same image read-only for their tools. Prints its folder, which holds
# image.squashfs.
. "$(dirname "$0")/lib.sh"

root=$("$steps/root.sh")
packages=$(sed 's/#.*//' "$steps/image.packages" | xargs | tr ' ' ,)
image_key=$(key "$steps/image.sh" "$steps/image.packages" "$root")

read -r -d '' init <<'END' || :
#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for dir in /dev/shm /run /tmp /var/tmp /mnt; do mount -t tmpfs tmpfs $dir; done
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro lmf /lmf
exec /lmf/init
END

build()
{
	printf '%s\n' "$init" >"$OUT/init"
	"$steps/enter.sh" bash -ec "
		mmdebstrap --mode=root --variant=apt --include='$packages' \
			trixie '$OUT/tree' /etc/apt/sources.list
		mkdir '$OUT/tree/lmf'
		install -m 755 '$OUT/init' '$OUT/tree/lmf-init'
		cd '$OUT/tree'
		rm -rf var/cache/apt var/lib/apt/lists usr/share/doc \
			usr/share/man usr/share/locale
		dpkg-query --admindir=var/lib/dpkg -W >../packages
		cd ..
		mksquashfs tree image.squashfs -comp zstd -no-progress -quiet
		rm -rf tree init"
}

cached image "$image_key" 3000 "2 min" build
echo "$cache/image-$image_key"
