#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# uml.sh [plain|debug|gcov|patched] [kunit|bench]: a User-Mode Linux of Debian's
# linux-source-6.12 with the KUnit suites of tests/kunit, or of tests/bench,
# built in. Prints its folder, which holds linux. The one for gcov is that for
# debug, and tells as it ends what of our code was run, as any program does that
# is linked with libgcov; gcno/ has what else gcov needs. The patched one is
# that for debug with the patch of iova_bitmap that comes with our series.
. "$(dirname "$0")/lib.sh"

flavour=${1:-debug}
suites=tests/${2:-kunit}
fragments=("$steps/uml.fragment")
shopt -s extglob
case $flavour in
plain) ;;
debug | gcov | patched) fragments+=("$steps/uml-debug.fragment") ;;
*) die "usage: uml.sh [plain|debug|gcov|patched] [kunit|bench]" ;;
esac
src=$("$steps/source.sh" linux)
kunit=$top/tests/kunit
iova_bitmap=$top/tests/series/iova_bitmap.patch
parts=(src include firmware-iface tests/golden "$suites")

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

# build_from_debug COMMANDS: what was built for debug, changed by them. Files of
# $debug come in place of links, but for those that somebody may be writing
# there.
build_from_debug()
{
	local dir=${OUT%.partial}
	in_root bash -ec "
		cp -al '$src/tree' '$dir'
		rsync -a --exclude=/drivers/lmf --exclude=/drivers/built-in.a \
			--exclude=/built-in.a --exclude='/*vmlinux*' \
			--exclude=/linux '$debug/' '$dir/'
		cd '$dir'
		mkdir -p drivers/lmf/tests/kunit
		cp '$kunit/Kconfig' drivers/lmf/tests/kunit/
		$1" &&
		rm -rf "$OUT" &&
		mv "$dir" "$OUT"
}

# Linked with libgcov. CONFIG_GCOV would do so, but count in the whole kernel.
# UML knows only destructors without a priority; in libgcov there is a function
# that has the name of one of the kernel's.
build_gcov_tree()
{
	build_from_debug "
		objcopy -L mangle_path \$(gcc -print-file-name=libgcov.a) \
			libgcov.a
		sed -i 's/(\.fini_array)/(.fini_array*)/' \
			arch/um/kernel/dyn.lds.S \
			arch/um/include/asm/common.lds.S
		sed -i '\$a LINK-y += -L. --coverage' arch/um/Makefile-skas"
}

build_patched_tree()
{
	build_from_debug "patch -p1 <'$iova_bitmap'"
}

# Only what changed is compiled again: the sources are compared by content, and
# what was made of them stays. An object without a source harms nobody, for
# Kbuild links by name.
build()
{
	in_place "$tree/drivers/lmf" in_root bash -ec "
		cd '$top'
		rsync -rcR --delete --exclude='*.o' --exclude='*.a' \
			--exclude='.*.cmd' --exclude=modules.order \
			--exclude='*.gcno' \
			${parts[*]} '$tree/drivers/lmf/'
		cd '$tree'
		echo 'obj-y += $suites/' >drivers/lmf/Makefile
		make -s ARCH=um -j\$(nproc) $gcov linux
		cp linux '$OUT/'"
	[ -z "$gcov" ] || keep_gcno "$tree/drivers/lmf" "$OUT/gcno"
}

tree_key=$(key "$(declare -f build_tree)" "${fragments[@]}" "$kunit/Kconfig" \
	"$src")
base=${flavour/%@(gcov|patched)/debug}
tree=$cache/uml-tree-$base-$tree_key
cached "uml-tree-$base" "$tree_key" 3000 "4 min" build_tree
gcov=
if [ "$flavour" != "$base" ]; then
	debug=$tree
	tree_key=$(key "$tree_key" "$(declare -f build_from_debug)" \
		"$(declare -f "build_${flavour}_tree")" "$iova_bitmap")
	tree=$cache/uml-tree-$flavour-$tree_key
	cached "uml-tree-$flavour" "$tree_key" 2000 "1 min" \
		"build_${flavour}_tree"
	[ "$flavour" = patched ] || gcov=LMF_GCOV=y
fi
uml_key=$(key "$tree_key" "$(declare -f build)" "${parts[@]/#/$top/}")
cached "uml-$flavour" "$uml_key" 200 "30 s" build
echo "$cache/uml-$flavour-$uml_key"
