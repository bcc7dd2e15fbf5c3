#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# uml.sh [plain|debug]: a User-Mode Linux of Debian's linux-source-6.12 with the
# KUnit suites of tests/kunit built in. Prints its folder, which holds linux.
. "$(dirname "$0")/lib.sh"

flavour=${1:-debug}
fragments=("$steps/uml.fragment")
case $flavour in
plain) ;;
debug) fragments+=("$steps/uml-debug.fragment") ;;
*) die "usage: uml.sh [plain|debug]" ;;
esac
src=$("$steps/source.sh" linux)
kunit=$top/tests/kunit
parts=(src include firmware-iface tests/kunit tests/golden)

in_root() { "$steps/enter.sh" "$@"; }

# The source again, as links, with a folder of ours in it. A link is never
# written through: sed -i makes a new file.
build_tree()
{
	local dir=${OUT%.partial}
	in_root bash -ec "
		cp -al '$src/tree' '$dir'
		cd '$dir/drivers'
		mkdir -p lmf/tests/kunit
		cp '$kunit/Kconfig' lmf/tests/kunit/
		touch lmf/Makefile
		line='source \"drivers/lmf/tests/kunit/Kconfig\"'
		sed -i \"/^endmenu/i \$line\" Kconfig
		sed -i '\$a obj-\$(CONFIG_LMF_KUNIT) += lmf/' Makefile
		cd ..
		cat ${fragments[*]} >.config
		make -s ARCH=um olddefconfig
		make -s ARCH=um -j\$(nproc) linux" &&
		rm -rf "$OUT" &&
		mv "$dir" "$OUT"
}

# Only what changed is compiled again: the sources are compared by content, and
# what was made of them stays. An object without a source harms nobody, for
# Kbuild links by name.
build()
{
	in_root bash -ec "
		cd '$top'
		rsync -rcR --delete --exclude='*.o' --exclude='*.a' \
			--exclude='.*.cmd' --exclude=modules.order \
			${parts[*]} '$tree/drivers/lmf/'
		cd '$tree'
		echo 'obj-y += tests/kunit/' >drivers/lmf/Makefile
		make -s ARCH=um -j\$(nproc) linux
		cp linux '$OUT/'"
}

tree_key=$(key "$(declare -f build_tree)" "${fragments[@]}" "$kunit/Kconfig" \
	"$src")
tree=$cache/uml-tree-$flavour-$tree_key
cached "uml-tree-$flavour" "$tree_key" 3000 "4 min" build_tree
uml_key=$(key "$tree_key" "$(declare -f build)" "${parts[@]/#/$top/}")
cached "uml-$flavour" "$uml_key" 200 "30 s" build
echo "$cache/uml-$flavour-$uml_key"
