#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What cannot boot is refused with a sentence and a status; an image that was
# there stays as it was, and nothing is left behind.
. "$(dirname "$0")/../lib.sh"

cp "$KERNELS/ends.elf" good.elf
echo "an old image" >old.img

# refuses NAME TEXT KERNEL [OPTION...]: build fails and says TEXT.
refuses() {
	local name=$1 text=$2 kernel=$3
	shift 3
	cp old.img k.img
	try "$name" 1 "$MKBOOTIMG" build -o k.img "$@" "$kernel"
	has "$name: why" err "$text"
	check "$name: the old image is intact" cmp k.img old.img
	check "$name: no temporary file" test -z "$(find . -name '.mkbootimg*')"
}

# edit OFFSET BYTES (printf escapes): a small edit of the good kernel.
edit() {
	cp good.elf bad.elf
	printf "$2" | dd of=bad.elf bs=1 seek="$1" conv=notrunc status=none
}

refuses "missing" "cannot open 'nowhere.elf': No such file" nowhere.elf
refuses "a directory" "is a directory" .
: >empty.elf
refuses "empty" "is empty" empty.elf
echo "hello, this is text" >text.elf
refuses "not ELF" "is not an ELF file" text.elf
mkfifo fifo.elf
refuses "a FIFO" "is not a regular file" fifo.elf
refuses "a device" "is not a regular file" /dev/null
refuses "an object file" "is an object file" "$KERNELS/ends.o"
head -c 100 good.elf >bad.elf
refuses "truncated in the headers" "truncated" bad.elf
head -c 5000 good.elf >bad.elf
refuses "truncated in a segment" "truncated: segment" bad.elf
edit 18 '\267\000'
refuses "for AArch64" "not for an x86 PC" bad.elf
edit 16 '\003\000'
refuses "position independent" "position independent" bad.elf
edit 24 '\000\000\000\000\000\000\000\000'
refuses "entry nowhere" "lies in no segment" bad.elf
edit 24 '\000\040\100\000\000\000\000\000'
refuses "entry in data" "which is not executable" bad.elf
if echo 'int main(void) { return 0; }' | gcc -x c -o dynamic - 2>/dev/null; then
	refuses "dynamically linked" "needs a dynamic loader" dynamic
else
	skip "dynamically linked" "gcc cannot link here"
fi
ld -nostdlib -static -Ttext=0xa0000 -o hole.elf "$KERNELS/smallest.o"
refuses "where video memory is" "video memory" hole.elf
ld -nostdlib -static -Ttext=0x800 -o zero.elf "$KERNELS/smallest.o" 2>/dev/null
refuses "in the first page" "first page" zero.elf
try "a command line too long" 2 "$MKBOOTIMG" build -c "$(printf '%05000d' 0)" -o x.img good.elf
has "why" err "the loader has room for 4095"
refuses "no loader sources" "no loader sources" good.elf --bootloader .

# The output.
try "the kernel itself as output" 2 "$MKBOOTIMG" build -o good.elf good.elf
check "the kernel survives" cmp good.elf "$KERNELS/ends.elf"
try "a directory as output" 2 "$MKBOOTIMG" build -o . good.elf
try "a device as output" 2 "$MKBOOTIMG" build -o /dev/null good.elf
check "the device survives" test -c /dev/null
try "a directory that is not there" 1 "$MKBOOTIMG" build -o nowhere/k.img good.elf
has "why" err "nowhere/k.img"
ln -s target.img link.img
echo old >target.img
try "a symbolic link as output" 0 "$MKBOOTIMG" build -o link.img good.elf
check "stays one" test -L link.img
check "its target is the image" cmp -n 2 -i 510:0 target.img <(printf '\125\252')
# A file limit stands in for a full disk.
cp old.img k.img
try "no room for the image" 1 bash -c "trap '' XFSZ; ulimit -f 8; exec '$MKBOOTIMG' build -o k.img good.elf"
has "why" err "cannot write 'k.img'"
check "the old image is intact" cmp k.img old.img

# The command line.
for bad in "" "nonsense" "build" "build a b" "build --nonsense x" "build --size x k" \
	"build --stack-size 0 k" "build --stack-size 1T k" "run" "run --timeout x k" "run --timeout 0 k" \
	"run --disk floppy k" "run --memory 0 k" "run --success-code 999 k"; do
	# shellcheck disable=SC2086
	try "usage: '$bad'" 2 "$MKBOOTIMG" $bad
done
try "--version" 0 "$MKBOOTIMG" --version
has "names the program" out "mkbootimg 0."
try "--help" 0 "$MKBOOTIMG" --help
has "lists the commands" out "write a bootable disk image"
for command in build run; do
	try "$command --help" 0 "$MKBOOTIMG" $command --help
	has "usage of $command" out "mkbootimg $command [OPTION...]"
	empty "nothing on stderr" err
done
try "standard output is full" 1 bash -c "'$MKBOOTIMG' build -v good.elf >/dev/full"
has "and says so" err "standard output"

done_testing
