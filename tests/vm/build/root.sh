#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The Debian 13 root in which everything else is built and run. Prints its
# folder. The mirror is the one that the machine's own apt uses; the machine's
# apt state is not touched, beyond installing mmdebstrap where it is missing.
. "$(dirname "$0")/lib.sh"

packages=$(sed 's/#.*//' "$steps/root.packages" | xargs | tr ' ' ,)
root_key=$(key "$steps/root.sh" "$steps/root.packages")

need_mmdebstrap()
{
	command -v mmdebstrap >/dev/null && return
	command -v apt-get >/dev/null ||
		die "this is no Debian machine: install mmdebstrap and try again"
	echo "lmf: installing mmdebstrap" >&2
	apt-get -qq update >/dev/null 2>&1 || :
	apt-get -qq install -y --no-install-recommends mmdebstrap \
		debian-archive-keyring >/dev/null 2>&1 ||
		die "cannot install mmdebstrap: try 'apt-get install mmdebstrap'"
}

# repo LABEL: the first repository with that label that apt knows.
repo()
{
	apt-get indextargets --format '$(LABEL)|$(REPO_URI)' \
		'Created-By: Packages' | sed -n "s/^$1|//p" | head -n 1
}

build()
{
	local main security apt=()
	main=$(repo Debian)
	if [ -z "$main" ]; then
		apt-get update
		main=$(repo Debian)
	fi
	[ -n "$main" ] || die "apt knows no Debian mirror: see sources.list(5)"
	security=$(repo Debian-Security)
	while read -r line; do
		apt+=(--aptopt="$line")
	done < <(apt-config dump | grep -E '^Acquire::(https?|ftp)::' || :)
	{
		echo "deb $main trixie main"
		echo "deb-src $main trixie main"
		echo "deb $main trixie-updates main"
		[ -z "$security" ] || {
			echo "deb $security trixie-security main"
			echo "deb-src $security trixie-security main"
		}
	} | mmdebstrap --mode=root --variant=apt --include="$packages" \
		"${apt[@]}" trixie "$OUT" -
}

[ "$(id -u)" = 0 ] || die "needs root for its chroot: type the same with sudo"
need_mmdebstrap
cached root "$root_key" 4000 "3 min" build
echo "$cache/root-$root_key"
