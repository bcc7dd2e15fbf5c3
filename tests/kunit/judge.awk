# SPDX-License-Identifier: GPL-2.0-only
# What a kernel with KUnit suites says, in; KTAP out. A crash, a kernel warning
# or a suite that did not end is a failure.
{ sub(/\r+$/, "") }
/^ *(not )?ok [0-9]|^ *# |^ *1\.\.|^KTAP/ { print; ktap = 1 }
/^ +(Expected|In |but|[^ ]+ == )/ { print "#" $0 }
/^1\.\./ { planned = substr($0, 4) }
/^(not )?ok / { ended++ }
/^not ok / { bad = 1 }
/BUG:|WARNING:|KASAN:|UBSAN:|Kernel panic|possible .* detected/ {
	oops = 40
	warned = 1
}
oops > 0 { print "# " $0; oops-- }
!ktap { boot = boot "# " $0 "\n" }
END {
	if (!ktap)
		printf "%s", boot
	if (!planned || ended != planned || warned) {
		print "not ok " planned + 1 " " ended + 0 " of " \
			planned + 0 " suites ended" \
			(warned ? ", with kernel warnings" : "")
		bad = 1
	}
	exit bad
}
