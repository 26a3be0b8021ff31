#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Every system call that build makes on files, failing: what was there stays as
# it was, or the new image is whole; a sentence says which file and why; nothing
# is left behind.  The calls are found by tracing a good run, so the list follows
# the code.  With LONG=1 all of them fail, else one of those that are alike (as
# the reads of the loader's sources are).
. "$(dirname "$0")/../lib.sh"

if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
	skip "failing system calls" "strace is not installed, or may not trace"
	done_testing
fi

# A leak checker cannot work under strace.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
export XDG_CACHE_HOME=$PWD/cache TMPDIR=$PWD/tmp
mkdir here tmp
cp "$KERNELS/ends.elf" k.elf
echo "a module" >module
BUILD=("$MKBOOTIMG" --no-config build -o here/k.img -m module k.elf)

# The sentences that the kernel's errors have.
declare -A WORDS=(
	[EIO]="Input/output error" [ENOSPC]="No space left on device" [EDQUOT]="Disk quota exceeded"
	[EACCES]="Permission denied" [ENOMEM]="Cannot allocate memory" [EMFILE]="Too many open files"
	[EAGAIN]="Resource temporarily unavailable" [EROFS]="Read-only file system" [ECHILD]="No child processes"
	[ENODEV]="No such device" [EINTR]="Interrupted system call" [EPERM]="Operation not permitted"
)
# What fails without being a file that has a name.
NO_FILE="cannot assemble the loader: |cannot find out where mkbootimg is installed: "
# What may befall each call; those that are not listed do not touch files.
declare -A ERRORS=(
	[openat]="EACCES EIO EMFILE EINTR" [open]="EACCES EIO EMFILE EINTR" [newfstatat]="EACCES EIO" [fstat]="EIO"
	[stat]="EACCES EIO" [lstat]="EACCES EIO" [statx]="EACCES EIO" [mmap]="ENODEV ENOMEM" [read]="EIO EINTR"
	[pread64]="EIO EINTR" [getdents64]="EIO" [write]="ENOSPC EIO EDQUOT EINTR" [pwrite64]="ENOSPC EIO EDQUOT EINTR"
	[ftruncate]="ENOSPC EIO EDQUOT EINTR" [fallocate]="ENOSPC EIO EDQUOT EINTR" [fsync]="ENOSPC EIO EDQUOT EINTR"
	[fchmod]="EPERM EIO EINTR" [linkat]="EACCES ENOSPC EIO EDQUOT" [link]="EACCES ENOSPC EIO"
	[rename]="EACCES ENOSPC EIO EDQUOT" [renameat]="EACCES EIO" [renameat2]="EACCES ENOSPC EIO" [unlink]="EACCES EIO"
	[close]="EIO EINTR" [mkdir]="EACCES ENOSPC EROFS" [readlink]="EACCES EIO" [access]="EACCES EIO"
	[memfd_create]="EMFILE ENOMEM" [clone3]="EAGAIN ENOMEM" [vfork]="EAGAIN ENOMEM" [wait4]="EINTR ECHILD"
	[getcwd]="EACCES"
)

# list TRACE: "NAME OCCURRENCE KIND OFFSET" of each call from main() on, which
# begins by opening /dev/null, until "make coverage" saves what has run.  Calls are of
# one KIND if they differ in a number or in the name of a source alone.  OFFSET is where
# a write goes.
list() {
	awk '
	{
		name = $0
		sub(/\(.*/, "", name)
		count[name]++
	}
	name == "openat" && /"\/dev\/null"/ { started = 1 }
	/\.gcda"/ { exit }
	!started || name !~ /^[a-z0-9_]+$/ || / MAP_ANONYMOUS|\|MAP_ANONYMOUS/ { next }
	name == "newfstatat" && /\/s?bin\/nasm", .*ENOENT/ { next }
	{
		kind = $0
		sub(/ = [^=]*$/, "", kind)
		sub(/"\.\.\.[^<]*$/, "", kind)
		sub(/[a-z0-9]*\.(asm|inc)/, "SOURCE", kind)
		if (name !~ /^(openat|newfstatat|pwrite64)$/)
			sub(/, .*/, "", kind)
		gsub(/[0-9]+/, "N", kind)
		gsub(/[^A-Za-z\/._]/, "", kind)
		offset = "-"
		if (name == "pwrite64" && match($0, /[0-9]+\) = /)) {
			offset = substr($0, RSTART)
			sub(/\).*/, "", offset)
			kind = kind offset
		}
		print name, count[name], kind, offset
	}' "$1"
}

# whole: the new image is there.  old: the one from before is.
whole() { cmp -s here/k.img good.img; }
old() { cmp -s here/k.img old.img; }

# nothing_left: neither beside the output, nor in the cache, nor in TMPDIR.
nothing_left() {
	local left
	shopt -s nullglob dotglob
	left=(here/* tmp/*)
	[ -d cache/mkbootimg ] && left+=(cache/mkbootimg/*)
	shopt -u nullglob dotglob
	for file in "${left[@]}"; do
		case $file in
		here/k.img | cache/mkbootimg/loader-*.bin) ;;
		*) return 1 ;;
		esac
	done
}

# judge ERROR STATUS: is what happened right?  Says what is not.
judge() {
	local status=$2 line=
	[ -s err ] && read -r line <err
	[[ $(<injected) == *" $1 "*INJECTED* ]] || echo "it did not happen"
	nothing_left || echo "something is left: $(ls -A here tmp cache/mkbootimg)"
	case $status in
	0) whole || echo "success, but the image is not whole" ;;
	1)
		old || echo "failure, but the old image is not as it was"
		[[ $line == "mkbootimg: build: "*"'"?*"'"* || $line =~ $NO_FILE ]] || echo "no file is named: $line"
		[[ $line == *"${WORDS[$1]}"* || $line == *"nasm is not in PATH"* ]] || echo "no cause is named: $line"
		[ "$1" != EINTR ] || echo "an interrupted call is not made again"
		;;
	*) echo "status $status: $line" ;;
	esac
}

# once INJECTION...: build with these calls failing; the status is in $status.
once() {
	local options=() calls=fsync injection
	# The disk need not be waited for.
	[[ $* == *fsync* ]] || set -- "$@" fsync:retval=0
	for injection in "$@"; do
		calls+=,${injection%%:*}
		options+=(-e "inject=$injection")
	done
	cp old.img here/k.img
	# (The shell keeps to itself that something was killed.)
	{ timeout -s KILL 60 strace -o injected -e "trace=$calls" "${options[@]}" \
		"${BUILD[@]}" >out 2>err </dev/null; } 2>/dev/null
	status=$?
}

# fail_each NAME LIST BEFORE [INJECTION...]: each call of a list fails in each way, in
# runs of their own, each after the command BEFORE, and along with INJECTIONs.
fail_each() {
	local what=$1 list=$2 before=$3 name number error seen=" " kind
	shift 3
	: >tally
	while read -r name number kind _; do
		if [ -z "${LONG:-}" ]; then
			[[ $seen == *" $name:$kind "* ]] && continue
			seen+="$name:$kind "
		fi
		for error in ${ERRORS[$name]:-}; do
			"$before"
			once "$@" "$name:error=$error:when=$number"
			judge "$error" "$status" | sed "s,^,bad $name $number ($kind) $error: ,"
			echo "made $name $error $status"
		done
	done <"$list" >tally
	grep '^bad' tally >bad
	empty "$what: $(grep -c ^made tally) failures of $(grep ^made tally | cut -d' ' -f2 | sort -u | tr '\n' ' ')" bad
}

keep_cache() { :; }
no_cache() { rm -rf cache/mkbootimg; }

# ---- Good runs, to compare with ------------------------------------------------

try "a good run, with a cold cache" 0 strace -y -o cold.trace "${BUILD[@]}"
try "a good run" 0 strace -y -o warm.trace "${BUILD[@]}"
mv here/k.img good.img
echo "an old image" >old.img
list warm.trace >warm
for call in openat read pwrite64 ftruncate fsync linkat rename close; do
	check "the trace has $call" grep -q "^$call " warm
done

# ---- The file calls of a build ------------------------------------------------

fail_each "a build" warm keep_cache
for error in ENOSPC EIO EDQUOT; do
	check "a write that fails with $error fails the build" grep -qx "made pwrite64 $error 1" tally
done
check "a write that was interrupted does not" grep -qx "made pwrite64 EINTR 0" tally

# A write that takes one byte of what it was given (strace only says so, so that
# byte is missing): what is behind it is written by another.
: >bad
while read -r name number _ offset; do
	[ "$name" = pwrite64 ] || continue
	once "pwrite64:retval=1:when=$number"
	cmp -l good.img here/k.img >differences 2>&1
	[ "$status" -eq 0 ] && [ "$(wc -l <differences)" -le 1 ] &&
		awk -v at=$((offset + 1)) '$1 != at { exit 1 }' differences ||
		echo "write $number at $offset: status $status, $(wc -l <differences) bytes differ" >>bad
done <warm
empty "short writes are gone on with" bad

# The name that it has for a moment may be somebody else's.
once "linkat:error=EEXIST:when=1"
check "a name that is taken is no failure" test "$status" -eq 0
check "another one is: the same image" whole
check "and nothing is left" nothing_left

# A file system without O_TMPFILE: the new image has a name from the beginning.
number=$(awk '/^openat/ { n++ } /O_TMPFILE/ { print n }' warm.trace)
without="openat:error=EOPNOTSUPP:when=$number"
cp old.img here/k.img
try "without O_TMPFILE" 0 strace -y -o named.trace -e "inject=$without" "${BUILD[@]}"
check "the same image" whole
check "with the same permissions" test "$(stat -c %a here/k.img)" = "$(stat -c %a good.img)"
once "openat:error=EACCES:when=$number+"
judge EACCES "$status" >bad
empty "nor any file at all" bad
check "nor any file at all: a failure" test "$status" -eq 1
for trace in warm named; do
	check "$trace: on the disk before it has its name" awk '
		/^fsync/ { synced = 1 }
		/^rename/ { exit !synced }' $trace.trace
done
list named.trace | awk '$1 == "fchmod" { begun = 1 } begun && $1 != "openat"' >named
fail_each "without O_TMPFILE" named keep_cache "$without"

# ---- The loader and its cache ---------------------------------------------------

list cold.trace | awk '$3 ~ /cache|memfd/ || $1 ~ /^(clone3|vfork|wait4)$/' >cold
fail_each "with a cold cache" cold no_cache
check "the cache does not matter" test "$(grep -c '^made pwrite64.* 0$' tally)" -ge 4

# ---- Files that become shorter ---------------------------------------------------

# shorter NAME FILE: it was a mebibyte when it was opened (strace only says so), and
# its end is read.
shorter() {
	local number zero=0000000000000000
	number=$(awk -v file="/$2>" '
		/^newfstatat/ { n++ }
		/^newfstatat\([0-9]+</ && index($0, file) { print n; exit }' warm.trace)
	# A struct stat up to st_size: a regular file of 0x100000 bytes.
	local stat=$zero${zero}0100000000000000a4810000$zero${zero:8}${zero}0000100000000000
	once "newfstatat:poke_exit=@arg3=$stat:when=${number:-none}"
	check "$1: 1" test "$status" -eq 1
	check "$1: says so" grep -qx "mkbootimg: build: cannot read '/.*/$2': it became shorter meanwhile, or its disk failed" err
	check "$1: the old image is as it was" old
	check "$1: nothing is left" nothing_left
}
if [ "$(uname -m)" = x86_64 ] && strace -e inject=close:poke_exit=@arg1=00 -V >/dev/null 2>&1; then
	shorter "a shorter kernel" k.elf
	shorter "a shorter module" module
else
	may_skip "a file that becomes shorter" "this strace, or machine, has other ways"
fi

# ---- Killed ---------------------------------------------------------------------

# After any call: the old image or the new one.  Between the two calls that give
# the new file its name and make it replace the old one, a name may stay behind.
: >bad
while read -r name number kind _; do
	[[ $name =~ ^(pwrite64|ftruncate|fsync|linkat|rename|openat)$ ]] && [[ $kind != *SOURCE* ]] || continue
	once "$name:signal=KILL:when=$number"
	[ "$status" -eq 137 ] || echo "$name $number: status $status" >>bad
	old || whole || echo "$name $number: neither the old image nor the new one" >>bad
	nothing_left || [[ $name =~ ^(linkat|rename)$ ]] || echo "$name $number: something is left" >>bad
	rm -f here/.mkbootimg.*
done <warm
empty "killed: the old image or the new one" bad

: >bad
grep cache/mkbootimg cold | while read -r name number _; do
	no_cache
	once "$name:signal=KILL:when=$number"
	[ "$status" -eq 137 ] || echo "$name $number: status $status" >>bad
	"${BUILD[@]}" >out 2>err || echo "$name $number: not after it" >>bad
	whole || echo "$name $number: not a whole image after it" >>bad
done
empty "killed while the cache is written: the next build does not mind" bad

done_testing
