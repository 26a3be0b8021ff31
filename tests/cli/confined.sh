#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What the commands write, and what they start: the output that was named, the
# cache, and files in TMPDIR that nobody else may open; NASM and QEMU, and no
# shell.
. "$(dirname "$0")/../lib.sh"

if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
	skip "what is written" "strace is not installed, or may not trace"
	done_testing
fi

# A leak checker cannot work under strace.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
export XDG_CACHE_HOME=$PWD/cache TMPDIR=$PWD/tmp
mkdir tmp here
cp "$KERNELS/ends.elf" k.elf
CALLS=open,openat,openat2,creat,mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,link,linkat
CALLS=$CALLS,symlink,symlinkat,truncate,chmod,fchmodat,chown,fchownat,mknod,mknodat,execve,execveat

# traced NAME STATUS COMMAND...: run it; ./written is what was opened to be written,
# made, or removed; ./started are the programs.
traced() {
	local name=$1 status=$2
	shift 2
	try "$name" "$status" strace -f -qq -s 4096 -e signal=none -e "trace=$CALLS" -o trace "$@"
	# (Calls that another one's line cut in two are put together.)
	awk '
	{ pid = $1; sub(/^[0-9]+ +/, "") }
	/<unfinished \.\.\.>$/ { sub(/ *<unfinished.*/, ""); begun[pid] = $0; next }
	/^<\.\.\. / { sub(/^<\.\.\. [a-z0-9]+ resumed>/, ""); $0 = begun[pid] $0 }
	{ print }' trace | grep -v ' = -1 ' >calls
	grep '^exec' calls | sed 's/^[^"]*"\([^"]*\)".*/\1/' | sort -u >started
	# Renaming and linking have two names.
	grep -E '^(open|openat|openat2)\(.*(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)|^(creat|mkdir|rmdir|unlink|rename|link|symlink|truncate|chmod|fchmod|chown|fchown|mknod)' calls |
		grep -v '^exec' | grep -oE '"[^"]*"' | tr -d '"' | sort -u >written
}

# only NAME ALLOWED...: nothing but these (extended regular expressions) was written,
# devices, pipes of its own, and what "make coverage" counts aside.
only() {
	local name=$1 patterns=() pattern
	shift
	for pattern in '/dev/(null|kvm|fd/[0-9]+|stdout|tty)' '/proc/self/fd/[0-9]+' '.*\.gcda' "$@"; do
		patterns+=(-e "^$pattern\$")
	done
	grep -vE "${patterns[@]}" written >others
	empty "$name: nothing else is written" others
}
# programs NAME PROGRAM...: just these were started.
programs() {
	local name=$1
	shift
	printf '%s\n' "$@" | sort -u >wanted
	sed 's,.*/,,' started | sort -u >were
	if cmp -s wanted were; then pass "$name: starts $*"; else fail "$name: starts $*" were; fi
}

HERE=$(printf '%s' "$PWD" | sed 's/[].[*^$+?(){}|\\]/\\&/g')
CACHE=("$HERE/cache" "$HERE/cache/mkbootimg" "$HERE/cache/mkbootimg/(\.mkbootimg\.[0-9.]+|loader-[0-9a-f]+\.bin)")

traced "build" 0 "$MKBOOTIMG" build -o here/k.img k.elf
check "build: the trace is of use" grep -q "here/k.img" written
only "build" "${CACHE[@]}" "here(/\.mkbootimg\.[0-9.]+|/k\.img)?"
programs "build" mkbootimg nasm

traced "build, where the files' names are a shell's" 0 "$MKBOOTIMG" build -o 'here/$(touch evil);`touch evil`|.img' \
	-m 'k.elf=; touch evil' -c '$(touch evil)' k.elf
check "no shell saw them" test ! -e evil
programs "build, the cache warm" mkbootimg

# Their own temporary files and caches, of what they are linked with, do not count.
for format in qcow2 vmdk vdi vhdx; do
	traced "build -f $format" 0 "$MKBOOTIMG" build -f $format -o here/k.$format k.elf
	only "build -f $format" "here(/\.mkbootimg\.[0-9.]+|/k\.$format)?" "$HERE/tmp" "/dev/fd/[0-9]+"
	programs "build -f $format" mkbootimg qemu-img
done
traced "build -f iso" 0 "$MKBOOTIMG" build -f iso -o here/k.iso k.elf
only "build -f iso" "here(/\.mkbootimg\.[0-9.]+|/k\.iso)?" "$HERE/tmp" "$HERE/tmp/mkbootimg\.[A-Za-z0-9]+(/disk\.img)?"
programs "build -f iso" mkbootimg xorriso
check "build -f iso: its directory is its own" grep -qE 'mkdir\("[^"]*tmp/mkbootimg\.[A-Za-z0-9]+", 0700\)' calls
traced "inspect a qcow2 image" 0 "$MKBOOTIMG" inspect here/k.qcow2
only "inspect a qcow2 image" "$HERE/tmp"
programs "inspect a qcow2 image" mkbootimg qemu-img
check "other formats: nothing is left" test -z "$(ls -A tmp)"

traced "inspect a kernel" 0 "$MKBOOTIMG" inspect k.elf
only "inspect a kernel"
programs "inspect a kernel" mkbootimg
traced "inspect an image" 0 "$MKBOOTIMG" inspect here/k.img
only "inspect an image"
programs "inspect an image" mkbootimg
# The image that a kernel's picture is of has no name.
traced "inspect --svg" 0 "$MKBOOTIMG" inspect --svg here/k.svg k.elf
only "inspect --svg" "${CACHE[@]}" "$HERE/tmp" "here(/\.mkbootimg\.[0-9.]+|/k\.svg)?"
programs "inspect --svg" mkbootimg
check "inspect --svg: nothing is left" test -z "$(ls -A tmp)"

# Its machine writes into a copy, a file in TMPDIR that has no name.
traced "run" 0 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" -c success k.elf
only "run" "${CACHE[@]}" "$HERE/tmp"
programs "run" mkbootimg qemu-system-x86_64
check "run: leaves nothing" test -z "$(ls -A tmp)"
"$MKBOOTIMG" build -o here/run.img -c success k.elf
cp here/run.img image.before
traced "run an image" 0 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" here/run.img
only "run an image" "$HERE/tmp"
check "run an image: it is as it was" cmp here/run.img image.before

# Its logs are in a directory of its own, where others may not look.
traced "test" 0 "$MKBOOTIMG" test -c success k.elf
only "test" "${CACHE[@]}" "$HERE/tmp" "$HERE/tmp/mkbootimg-logs\.[A-Za-z0-9]+(/0001-k\.elf\.log)?"
programs "test" exe mkbootimg qemu-system-x86_64
check "test: its directory is its own" grep -qE 'mkdir\("[^"]*mkbootimg-logs\.[A-Za-z0-9]+", 0700\)' calls
check "test: leaves nothing" test -z "$(ls -A tmp)"

traced "new" 0 "$MKBOOTIMG" new here/k
only "new" "here" "here/k(/.*)?"
programs "new" mkbootimg

# And there is no way to a shell in the program.
if command -v nm >/dev/null; then
	nm -D --undefined-only "$MKBOOTIMG" | grep -wE 'system|popen|wordexp' >shells
	empty "no function that starts a shell is linked" shells
fi
umask 077
"$MKBOOTIMG" build -o here/mode.img k.elf
check "a new image has the permissions that the umask leaves" test "$(stat -c %a here/mode.img)" = 600

done_testing
