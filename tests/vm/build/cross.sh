#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cross.sh s390x|arm64: a kernel of Debian's linux-source-6.12 for another
# machine, with the KUnit suites of tests/kunit built in. Prints its folder,
# which holds image.
. "$(dirname "$0")/lib.sh"

machine=${1:-}
case $machine in
s390x) arch=s390 compiler=s390x-linux-gnu- image=arch/s390/boot/bzImage ;;
arm64) arch=arm64 compiler=aarch64-linux-gnu- image=arch/arm64/boot/Image ;;
*) die "usage: cross.sh s390x|arm64" ;;
esac
src=$("$steps/source.sh" linux)
root=$("$steps/cross-root.sh")
kunit=$top/tests/kunit
fragments=("$steps/cross.fragment" "$steps/cross-$machine.fragment")
parts=(src include firmware-iface tests/kunit tests/golden)
make="make -s ARCH=$arch CROSS_COMPILE=$compiler"

# As in uml.sh: the source again, as links, with a folder of ours in it, which
# is empty at first.
build_tree()
{
	local dir=${OUT%.partial}
	rm -rf "$dir"
	"$steps/cross-enter.sh" bash -ec "
		cp -al '$src/tree' '$dir'
		cd '$dir/drivers'
		mkdir -p lmf/tests/kunit
		cp '$kunit/Kconfig' lmf/tests/kunit/
		touch lmf/Makefile
		line='source \"drivers/lmf/tests/kunit/Kconfig\"'
		sed -i \"/^endmenu/i \$line\" Kconfig
		sed -i '\$a obj-\$(CONFIG_LMF_KUNIT) += lmf/' Makefile
		cd ..
		$make tinyconfig
		cat ${fragments[*]} >>.config
		$make olddefconfig
		if grep -h '^CONFIG_' ${fragments[*]} | grep -vxFf .config
		then
			echo 'cannot be had with this kernel'
			exit 1
		fi
		$make -j\$(nproc) $(basename "$image")"
	rm -rf "$OUT"
	mv "$dir" "$OUT"
}

build()
{
	in_place "$tree/drivers/lmf" "$steps/cross-enter.sh" bash -ec "
		cd '$top'
		rsync -rcR --delete --exclude='*.o' --exclude='*.a' \
			--exclude='.*.cmd' --exclude=modules.order \
			${parts[*]} '$tree/drivers/lmf/'
		cd '$tree'
		echo 'obj-y += tests/kunit/' >drivers/lmf/Makefile
		$make -j\$(nproc) $(basename "$image")
		cp '$image' '$OUT/image'"
}

tree_key=$(key "$(declare -f build_tree)" "$make" "$image" "${fragments[@]}" \
	"$kunit/Kconfig" "$src" "$root")
tree=$cache/cross-tree-$machine-$tree_key
cached "cross-tree-$machine" "$tree_key" 3000 "4 min" build_tree
cross_key=$(key "$tree_key" "$(declare -f build)" "${parts[@]/#/$top/}")
cached "cross-$machine" "$cross_key" 200 "1 min" build
echo "$cache/cross-$machine-$cross_key"
