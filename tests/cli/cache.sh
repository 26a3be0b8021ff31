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

# What a disk or an editor may make of it: it is not used, but replaced.
for damage in ": >" "head -c 300 /dev/urandom >" "head -c 100000 /dev/zero >" "truncate -s 100G" "rm -f" \
	"printf x >>" "ln -sf /nowhere/at/all" "chmod 0"; do
	eval "$damage $kept"
	try "'$damage'" 0 "$MKBOOTIMG" build -o second.img k.elf
	check "'$damage': is not used" cmp first.img second.img
	check "'$damage': replaced" test -f "$kept" -a ! -L "$kept" -a "$(stat -c %s "$kept")" -lt 65536
done
chmod 644 "$kept"
# With a sum that is right, but not a loader.
printf 'nonsense' | gzip -c | tail -c 8 | head -c 4 | cat <(printf 'nonsense') - >"$kept"
try "another file with its sum" 0 "$MKBOOTIMG" build -o second.img k.elf
check "is not used" cmp first.img second.img
rm "$kept" && mkdir "$kept"
try "a directory in its place" 0 "$MKBOOTIMG" build -o second.img k.elf
check "is not used" cmp first.img second.img
rmdir "$kept" && mkfifo "$kept"
try "a FIFO in its place" 0 "$MKBOOTIMG" build -o second.img k.elf
check "is not used" cmp first.img second.img

# Links do not lead out of it.
echo "a diary" | tee diary >diary.copy
ln -sf "$PWD/diary" "$kept"
try "a link in its place" 0 "$MKBOOTIMG" build -o second.img k.elf
check "leads nowhere" cmp diary diary.copy
check "and is replaced" test ! -L "$kept"
mkdir linked elsewhere && ln -s ../elsewhere linked/mkbootimg
try "a link as the directory" 0 env XDG_CACHE_HOME="$PWD/linked" "$MKBOOTIMG" build -o second.img k.elf
check "is not followed" test -z "$(ls -A elsewhere)"
check "the same image" cmp first.img second.img

# Whoever may write it could have another loader booted.
cp "$kept" good.bin
sed 's/SSE2/SSE9/' good.bin | head -c -4 >bad.bin
gzip -c bad.bin | tail -c 8 | head -c 4 >>bad.bin
check "a forged loader" test "$(cmp -l good.bin bad.bin | wc -l)" -ge 2
for mode in 777 770 722; do
	cp bad.bin "$kept"
	chmod $mode cache/mkbootimg
	try "a cache of mode $mode" 0 "$MKBOOTIMG" build -o second.img k.elf
	check "is not trusted" cmp first.img second.img
	check "nor written" cmp "$kept" bad.bin
done
chmod 700 cache/mkbootimg
try "one of mode 700" 0 "$MKBOOTIMG" build -o second.img k.elf
check "is" test "$(cmp -l first.img second.img | wc -l)" -ge 1
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chown 65534 cache/mkbootimg
	try "someone else's cache" 0 "$MKBOOTIMG" build -o second.img k.elf
	check "is not trusted" cmp first.img second.img
	check "nor written" cmp "$kept" bad.bin
	chown 0 cache/mkbootimg
	# A home that may not be written, for someone whom that keeps.
	cp good.bin "$kept"
	chmod 755 . && mkdir home public && chmod 555 home && chmod 777 public
	if setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$MKBOOTIMG" -a -r k.elf; then
		try "a home that may not be written" 0 setpriv --reuid=65534 --regid=65534 --clear-groups \
			env -u XDG_CACHE_HOME HOME="$PWD/home" "$MKBOOTIMG" build -o public/k.img k.elf
		check "does not matter" cmp first.img public/k.img
		check "and stays empty" test -z "$(ls -A home)"
	else
		skip "a home that may not be written" "no way for others to $PWD"
	fi
else
	skip "someone else's cache" "only root can make one"
fi
cp good.bin "$kept"
check "made with mode 700" test "$(stat -c %a cache cache/mkbootimg | tr '\n' ' ')" = "700 700 "

try "a cache that cannot be made" 0 env XDG_CACHE_HOME=/proc/nowhere "$MKBOOTIMG" build -o second.img k.elf
check "does not matter" cmp first.img second.img
try "no home" 0 env -u XDG_CACHE_HOME -u HOME "$MKBOOTIMG" build -o second.img k.elf
check "does not matter" cmp first.img second.img

mkdir nothing
try "no NASM in PATH" 0 env PATH="$PWD/nothing" XDG_CACHE_HOME="$PWD/cold" "$MKBOOTIMG" build -o second.img k.elf
check "the bundled loader is the same" cmp first.img second.img
mkdir "home of one"
try "a home" 0 env -u XDG_CACHE_HOME HOME="$PWD/home of one" "$MKBOOTIMG" build -o second.img k.elf
check "has its cache in .cache" cmp "home of one/.cache/mkbootimg/$(basename "$kept")" "$kept"

# says NAME SENTENCE: that is the first line of ./err.
says() {
	echo "mkbootimg: build: $2" >wanted
	if [ "$(head -n 1 err)" = "$(cat wanted)" ]; then pass "$1"; else fail "$1" wanted err; fi
}
mkdir alone alone/bin
cp "$MKBOOTIMG" alone/bin/
try "the tool without its loader" 1 alone/bin/mkbootimg build -o second.img k.elf
says "is not enough" "cannot find the loader: neither '$PWD/alone/bin/share/mkbootimg/bootloader' nor '$PWD/alone/bin/../share/mkbootimg/bootloader' exists"
mkdir alone/share && cp -r "$OUT/share/mkbootimg" alone/share/
try "with it" 0 alone/bin/mkbootimg build -o second.img k.elf
rm alone/share/mkbootimg/bootloader/*.bin
try "but no assembled one, and no NASM" 1 env PATH="$PWD/nothing" XDG_CACHE_HOME="$PWD/cold" alone/bin/mkbootimg build -o second.img k.elf
says "is not enough" "cannot assemble the loader: nasm is not in PATH"
has "what to do" err "apt install nasm"
mkdir odd && printf '#!/bin/sh\nexit 0\n' >odd/nasm && chmod +x odd/nasm
try "a NASM that makes nothing" 1 env PATH="$PWD/odd:$PATH" alone/bin/mkbootimg build -o second.img k.elf
says "is found out" "cannot assemble the loader in '$PWD/alone/bin/../share/mkbootimg/bootloader': NASM made something else"

# Someone's own loader.
cp -r "$OUT/share/mkbootimg/bootloader" own
sed -i 's/the CPU lacks SSE2/the CPU lacks SSE2, sadly/' own/errors.inc
try "--bootloader" 0 "$MKBOOTIMG" build --bootloader own -o own.img k.elf
check "another image" test "$(cmp first.img own.img | wc -l)" -eq 1
# Two versions of the tool, each with its sources, share a cache.
try "another version's sources" 0 "$MKBOOTIMG" build --bootloader own -o other.img k.elf
try "and ours again" 0 "$MKBOOTIMG" build -o second.img k.elf
check "each has its own" cmp first.img second.img
check "each its own" cmp own.img other.img
# Sources that are replaced while NASM reads them are not kept as the old ones.
mkdir slow
cat >slow/nasm <<END
#!/bin/sh
[ ! -e "$PWD/slow/change" ] || cp "$PWD/own/errors.inc" "$PWD/changing/errors.inc"
exec "$(command -v nasm)" "\$@"
END
chmod +x slow/nasm
touch slow/change
cp -r "$OUT/share/mkbootimg/bootloader" changing
try "sources that change meanwhile" 0 env PATH="$PWD/slow:$PATH" "$MKBOOTIMG" build --bootloader changing -o second.img k.elf
rm slow/change
cp "$OUT/share/mkbootimg/bootloader/errors.inc" changing/
try "and change back" 0 env PATH="$PWD/slow:$PATH" "$MKBOOTIMG" build --bootloader changing -o second.img k.elf
check "are not kept" cmp first.img second.img
echo "nonsense here" >>own/main.inc
try "--bootloader that does not assemble" 1 "$MKBOOTIMG" build --bootloader own -o own.img k.elf
has "NASM's words" err "main.inc"

done_testing
