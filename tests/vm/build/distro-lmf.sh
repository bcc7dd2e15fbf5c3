#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# distro-lmf.sh: our packages, installed on Debian 13 with its stock kernel,
# where DKMS builds the modules. Prints a folder: more.squashfs has what that
# made, to be laid over the image of distro.sh.
. "$(dirname "$0")/lib.sh"

distro=$("$steps/distro.sh")
deb=$("$steps/deb.sh")
installed_key=$(key "$steps/distro-lmf.sh" "$steps/over.sh" "$distro" "$deb")

build()
{
	"$steps/enter.sh" bash -ec "
		dir=\$(mktemp -d)
		cp '$deb'/*.deb \$dir
		'$steps/over.sh' '$distro/tree' \$dir \\
			sh -ec 'dpkg -i /mnt/*.deb; dkms status'
		mksquashfs \$dir/upper '$OUT/more.squashfs' -comp zstd \\
			-no-progress -quiet"
}

cached distro-lmf "$installed_key" 200 "2 min" build
echo "$cache/distro-lmf-$installed_key"
