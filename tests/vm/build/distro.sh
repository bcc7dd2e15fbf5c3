#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Debian 13 with its stock kernel, as an outer machine: the image with more
# packages, in tree/, to install into; image.squashfs, which is that without
# what builds modules; its kernel, bzImage; and initrd, which lays a second
# disk, with what was installed, over that image. Prints the folder.
. "$(dirname "$0")/lib.sh"

image=$("$steps/image.sh")
packages=$(sed 's/#.*//' "$steps/distro.packages" | xargs)
distro_key=$(key "$steps/distro.sh" "$packages" "$image")
modules="virtio_pci virtio_blk squashfs overlay 9p 9pnet_virtio"

read -r -d '' init <<END || :
#!/bin/busybox sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
modprobe -a $modules
mount -t squashfs /dev/vda /base
mount -t squashfs /dev/vdb /more
mount -t tmpfs tmpfs /new
mkdir /new/upper /new/work
mount -t overlay -o lowerdir=/more:/base,upperdir=/new/upper,workdir=/new/work \
	overlay /all
mkdir -p /all/lmf
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro lmf /all/lmf
for dir in proc sys dev; do mount -o move /\$dir /all/\$dir; done
exec switch_root /all /lmf/init
END

# Run in the Debian 13 root. No initial RAM disk of Debian is wanted, and the
# busybox of ours unpacks no modules.
make_tree='
unsquashfs -no-progress -quiet -dest tree "$image/image.squashfs"
chroot=(env INITRD=No DEBIAN_FRONTEND=noninteractive chroot tree)
busybox mount -t proc proc tree/proc
"${chroot[@]}" apt-get -qq -o APT::Sandbox::User=root update
"${chroot[@]}" apt-get -qq -o APT::Sandbox::User=root \
	--no-install-recommends install -y $packages
busybox umount tree/proc
rm -rf tree/var/cache/apt/* tree/var/lib/apt/lists/*
cp tree/boot/vmlinuz-* bzImage
release=$(basename tree/lib/modules/*)

mkdir -p initrd.tree/bin initrd.tree/{proc,sys,dev,base,more,new,all}
cp /bin/busybox initrd.tree/bin
for name in sh mount modprobe mkdir switch_root; do
	ln -s busybox initrd.tree/bin/$name
done
install -m 755 init initrd.tree/init
modprobe -d "$PWD/tree" -S "$release" -a --show-depends $modules |
	sed -n "s,^insmod .*\(lib/modules/[^ ]*\).*,\1,p" | sort -u |
	(cd tree && xargs cp --parents -t ../initrd.tree)
find initrd.tree -name "*.xz" -exec xz -d {} +
cp tree/lib/modules/"$release"/modules.{order,builtin*} \
	initrd.tree/lib/modules/"$release"
depmod -b initrd.tree "$release"
(cd initrd.tree && find . | cpio -o -H newc --quiet) >initrd

mksquashfs tree image.squashfs -comp zstd -Xcompression-level 3 \
	-no-progress -quiet -e boot usr/src usr/include usr/lib/gcc \
	usr/libexec/gcc
rm -rf init initrd.tree
'

build()
{
	printf '%s\n' "$init" >"$OUT/init"
	"$steps/enter.sh" env image="$image" packages="$packages" \
		modules="$modules" bash -ec "cd '$OUT'; $make_tree"
}

cached distro "$distro_key" 4000 "3 min" build
echo "$cache/distro-$distro_key"
