# SPDX-License-Identifier: GPL-2.0-only
# bash completion of lmfctl(8)

# What the word under the cursor may become, one a line.
_lmfctl_words()
{
	local pci=${LMFCTL_ROOT-}/sys/bus/pci options="--json --help"
	local cur=$1 prev=$2 command=$3

	case $prev in
	lmfctl) compgen -W "list probe bind unbind vfs scrub status watch
		decode move --help" -- "$cur"; return ;;
	-d | --driver) compgen -W "$(ls "$pci/drivers")" -- "$cur"; return ;;
	--save) compgen -f -- "$cur"; return ;;
	-i | --interval | -n | --count | --downtime) return ;;
	esac
	case $command in
	list) options+=" --all" ;;
	probe) options+=" --force" ;;
	bind) options+=" --driver" ;;
	unbind) options+=" --no-scrub" ;;
	watch) options+=" --interval --count --once --downtime" ;;
	move) options+=" --force --save" ;;
	esac
	case $cur in
	-*) compgen -W "$options" -- "$cur" ;;
	*) if [ "$command" = decode ]; then
		compgen -f -- "$cur"
	else
		compgen -W "$(ls "$pci/devices")" -- "$cur"
	fi ;;
	esac
}

# Bash takes the colons of an address for the ends of words, so they are cut
# here; and what stands before the last colon must not come again.
_lmfctl()
{
	local line=${COMP_LINE:0:COMP_POINT} words cur
	read -ra words <<<"$line"
	cur=${line##* }
	[ -z "$cur" ] || unset 'words[-1]'
	[ "${#words[@]}" -gt 0 ] || return
	[ "${#words[@]}" -gt 1 ] || words[0]=lmfctl
	mapfile -t COMPREPLY < <(_lmfctl_words "$cur" "${words[-1]}" \
		"${words[1]-}")
	COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
}
complete -F _lmfctl lmfctl
