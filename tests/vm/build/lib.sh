# SPDX-License-Identifier: GPL-2.0-only
# Shared by the build steps: where things are cached, and how a step becomes
# trusted.
#
# A step NAME builds into "$OUT", a folder that ends in .partial. Only when the
# step has succeeded is that folder renamed to NAME-KEY, KEY being a hash over
# everything that the step depends on. So what an interrupted build leaves
# behind is never used, and what a changed recipe would build differently is
# never found.

set -euo pipefail

die() { echo "lmf: $*" >&2; exit 1; }

# What a step mounts is seen by the step alone, and is gone when it is killed:
# what is left of an interrupted build is removed later, and nothing else.
# In a chroot / is no mount, and the mounts of the Debian 13 root are private.
if [ "$(id -u)" = 0 ] && [ -z "${LMF_OWN_MOUNTS:-}" ] && [ -f "$0" ]; then
	own=$(mountpoint -q / && echo private || echo unchanged)
	unshare --mount --propagation "$own" true 2>/dev/null ||
		die "may not mount here, which its chroot needs: in a container," \
		    "give it CAP_SYS_ADMIN (docker run --privileged)"
	LMF_OWN_MOUNTS=1 exec unshare --mount --propagation "$own" \
		bash "$0" "$@"
fi

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
steps=$top/tests/vm/build
cache=${LMF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lmf}

[ "$(uname -m)" = x86_64 ] ||
	die "needs an x86_64 machine: this one is $(uname -m)"

# key FILE-OR-WORD...: a hash over the contents of files and over words. A
# folder of the cache counts as a word: its name is a key already.
key()
{
	local x
	for x in "$@"; do
		if [[ $x != "$cache"/* && -d $x ]]; then
			(cd "$x" && find . -type f -print0 | sort -z |
				xargs -0r sha256sum)
		elif [ -f "$x" ]; then
			sha256sum <"$x"
		else
			echo "$x"
		fi
	done | sha256sum | cut -c1-16
}

free_space() { df -Pm "$cache" | awk 'NR == 2 { print $4 }'; }

need_space()
{
	local free
	free=$(free_space)
	[ "$free" -ge "$1" ] ||
		die "$cache has $free MiB free, $2 needs $1: free some space or" \
		    "set LMF_CACHE to a folder on a larger disk"
}

# reason LOG: why a step failed, where that is no fault of what it builds. On a
# full disk the log itself may have lost its end.
reason()
{
	local why
	if [ "$(free_space)" -lt 8 ] || grep -q 'No space left on' "$1"; then
		echo "its disk is full: free some space or set LMF_CACHE to a" \
		     "folder on a larger disk"
	elif why=$(grep -Eom 1 '(Failed to fetch|Could not resolve) .*' "$1")
	then
		echo "a download failed ($why): is there a network?"
	else
		sed -n 's/^lmf: //p' "$1" | tail -n 1
	fi
}

# keep_gcno FROM TO: what gcov needs besides the counts, in the same folders.
keep_gcno()
{
	"$steps/enter.sh" rsync -rm --include='*/' --include='*.gcno' \
		--exclude='*' "$1/" "$2/"
}

# in_place DIR CMD...: build with make in a folder where earlier results lie.
# What a killed compiler left there is half a file that is newer than its
# source, so after that all objects are made again.
in_place()
{
	local dir=$1 status=0
	shift
	if [ -e "$dir.unfinished" ]; then
		find "$dir" \( -name '*.o' -o -name '*.a' \) -type f -delete
	fi
	touch "$dir.unfinished"
	"$@" || status=$?
	rm "$dir.unfinished"
	return $status
}

# cached NAME KEY MIB ESTIMATE CMD...: prints nothing but progress; afterwards
# the folder $cache/NAME-KEY is complete.
cached()
{
	local name=$1 key=$2 mib=$3 estimate=$4 dir log start status why
	shift 4
	dir=$cache/$name-$key
	# Complete folders stay as they are: no need to wait for who builds the
	# same thing from another recipe.
	[ ! -e "$dir/.complete" ] || return 0
	mkdir -p "$cache/log" 2>/dev/null ||
		die "cannot write to $cache: set LMF_CACHE to a folder you own"
	log=$cache/log/$name.log
	exec 9>"$cache/$name.lock"
	flock 9
	if [ ! -e "$dir/.complete" ]; then
		need_space "$mib" "$name"
		echo "lmf: building $name (about $estimate, log in $log)" >&2
		start=$SECONDS
		rm -rf --one-file-system "$dir" \
			"$cache/$name"-????????????????.partial
		mkdir -p "$dir.partial"
		# Not in a condition: there, bash would ignore the set -e.
		set +e
		(set -e; OUT=$dir.partial; "$@") >"$log" 2>&1 </dev/null
		status=$?
		set -e
		if [ $status -ne 0 ]; then
			why=$(reason "$log")
			[ -n "$why" ] || tail -n 15 "$log" >&2
			die "building $name failed:${why:+ $why;} the whole log" \
			    "is $log; type the same command to try again"
		fi
		touch "$dir.partial/.complete"
		mv "$dir.partial" "$dir"
		echo "lmf: $name is ready after $((SECONDS - start)) s" >&2
	fi
	exec 9>&-
}
