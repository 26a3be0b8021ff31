#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The loader is assembled once, then comes from the cache; where NASM or the
# cache is missing there is another way.
. "$(dirname "$0")/../lib.sh"

cp "$KERNELS/ends.elf" k.elf
export XDG_CACHE_HOME=$PWD/cache

try "with a cold cache" 0 "$MKBOOTIMG" build -o first.img k.elf
check "one loader is kept" test "$(ls cache/mkbootimg | wc -l)" -eq 1
if command -v strace >/dev/null; then
	# (A leak checker cannot work under strace.)
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 try "with a warm cache" 0 strace -f -e trace=execve,fork,vfork,clone,clone3 -o trace \
		"$MKBOOTIMG" build -o second.img k.elf
	check "no process is started" test "$(grep -c 'execve\|clone\|fork' trace)" -eq 1
else
	skip "with a warm cache no process is started" "strace is not installed"
	cp first.img second.img
fi
check "the same image" cmp first.img second.img

kept=$(echo cache/mkbootimg/*)
truncate -s -1 "$kept"
try "a truncated one" 0 "$MKBOOTIMG" build -o second.img k.elf
check "is not used" cmp first.img second.img
printf x | dd of="$kept" bs=1 seek=1000 conv=notrunc status=none
try "a damaged one" 0 "$MKBOOTIMG" build -o second.img k.elf
check "is not used" cmp first.img second.img
check "but replaced" test "$(ls cache/mkbootimg | wc -l)" -eq 1

try "a cache that cannot be made" 0 env XDG_CACHE_HOME=/proc/nowhere "$MKBOOTIMG" build -o second.img k.elf
check "does not matter" cmp first.img second.img
try "no home" 0 env -u XDG_CACHE_HOME -u HOME "$MKBOOTIMG" build -o second.img k.elf
check "does not matter" cmp first.img second.img

mkdir nothing
try "no NASM in PATH" 0 env PATH="$PWD/nothing" XDG_CACHE_HOME="$PWD/cold" "$MKBOOTIMG" build -o second.img k.elf
check "the bundled loader is the same" cmp first.img second.img

# Someone's own loader.
cp -r "$OUT/share/mkbootimg/bootloader" own
sed -i 's/the CPU lacks SSE2/the CPU lacks SSE2, sadly/' own/errors.inc
try "--bootloader" 0 "$MKBOOTIMG" build --bootloader own -o own.img k.elf
check "another image" test "$(cmp first.img own.img | wc -l)" -eq 1
echo "nonsense here" >>own/main.inc
try "--bootloader that does not assemble" 1 "$MKBOOTIMG" build --bootloader own -o own.img k.elf
has "NASM's words" err "main.inc"

done_testing
