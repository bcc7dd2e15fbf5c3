#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# guest.sh plain|debug: the initial RAM disk of a guest: busybox, our static
# test programs, our block driver. Prints its folder, which holds guest.cpio.
. "$(dirname "$0")/lib.sh"

root=$("$steps/root.sh")
modules=$("$steps/modules.sh" "${1:-plain}")
guest_key=$(key "$steps/guest.sh" "$top/tests/vm/guest" \
	"$top"/firmware-iface/*.h "$modules" "$root")

build()
{
	"$steps/enter.sh" bash -ec "
		mkdir -p '$OUT/tree'/{bin,dev,proc,sys,run,tmp,mnt,root}
		mkdir -p '$OUT/tree/lib/modules'
		cd '$OUT/tree'
		cp /bin/busybox bin/busybox
		for a in \$(/bin/busybox --list); do
			[ \$a = busybox ] || ln -s busybox bin/\$a
		done
		cd '$top/tests/vm/guest'
		compile() {
			local name=\$1
			shift
			gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static \
				-I'$top/firmware-iface' \
				-o '$OUT/tree/bin/'\$name \"\$@\"
		}
		compile dma_check dma_check.c vf_queue.c file_media.c -lpthread
		compile vf_poke vf_poke.c
		cd '$OUT/tree'
		install -m 755 '$top/tests/vm/guest/init' init
		cp '$modules'/lmf_blk.ko lib/modules
		find . | cpio -o -H newc --quiet >../guest.cpio
		cd ..
		rm -rf tree"
}

cached "guest-${1:-plain}" "$guest_key" 100 "10 s" build
echo "$cache/guest-${1:-plain}-$guest_key"
