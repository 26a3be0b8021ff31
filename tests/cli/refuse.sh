#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What cannot boot is refused with a sentence and a status; an image that was
# there stays as it was, and nothing is left behind.
. "$(dirname "$0")/../lib.sh"

cp "$KERNELS/ends.elf" good.elf
# A kernel by hand (kernels/golden.asm), of which small edits make bad ones.  Its
# program headers are 56 bytes each, from byte 64 on.
nasm -f bin -o hand.elf "$ROOT/tests/kernels/golden.asm"
CLASS=4 TYPE=16 MACHINE=18 ENTRY=24
P_TYPE=0 P_FLAGS=4 P_OFFSET=8 P_VADDR=16 P_FILESZ=32 P_MEMSZ=40
header() { echo $((64 + 56 * $1 + $2)); }

# edit OFFSET BITS VALUE [OFFSET BITS VALUE...]: bad.elf is hand.elf with these
# little-endian fields.
edit() {
	cp hand.elf bad.elf
	while [ $# -gt 0 ]; do
		perl -e '
			my ($offset, $bits, $value) = @ARGV;
			my $bytes = pack("Q<", $value =~ /^0x/ ? hex($value) : $value);
			open(my $f, "+<", "bad.elf") or die;
			seek($f, $offset, 0);
			print $f substr($bytes, 0, $bits / 8);' "$1" "$2" "$3" 2>/dev/null
		shift 3
	done
}

# What is not a file of the right kind.
refuses "missing" "cannot open 'nowhere.elf': No such file or directory" nowhere.elf
refuses "a directory" "'.' is a directory, not a file" .
: >empty.elf
refuses "empty" "'empty.elf' is empty" empty.elf
echo "hello, this is text" >text.elf
refuses "not ELF" "'text.elf' is not an ELF file" text.elf
has "what to do" err "give the linked kernel"
mkfifo fifo.elf
refuses "a FIFO" "'fifo.elf' is not a regular file" fifo.elf
refuses "a device" "'/dev/null' is not a regular file" /dev/null
cp "$KERNELS/ends.o" ends.o
refuses "an object file" "'ends.o' is an object file, not a linked kernel" ends.o
if [ "$(id -u)" -ne 0 ]; then
	cp good.elf secret.elf && chmod 0 secret.elf
	refuses "no permission" "cannot open 'secret.elf': Permission denied" secret.elf
elif command -v setpriv >/dev/null; then
	mkdir public && chmod 777 public && cp good.elf public/secret.elf && chmod 0 public/secret.elf
	chmod 755 . && as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	# shellcheck disable=SC2086
	try "no permission" 1 $as_nobody "$MKBOOTIMG" build public/secret.elf
	has "no permission: why" err "mkbootimg: build: cannot open 'public/secret.elf': Permission denied"
	# shellcheck disable=SC2086
	try "an unwritable directory" 1 $as_nobody "$MKBOOTIMG" build -o nobody.img good.elf
	has "an unwritable directory: why" err "mkbootimg: build: cannot write 'nobody.img': Permission denied"
else
	skip "no permission" "setpriv is not installed"
fi

# What was cut off.
for bytes in 1 3; do
	head -c $bytes hand.elf >bad.elf
	refuses "$bytes bytes" "'bad.elf' is not an ELF file" bad.elf
done
for bytes in 4 15 16 63; do
	head -c $bytes hand.elf >bad.elf
	refuses "$bytes bytes" "'bad.elf' is truncated: it ends in its ELF header" bad.elf
done
for bytes in 64 119 175 231; do
	head -c $bytes hand.elf >bad.elf
	refuses "$bytes bytes" "'bad.elf' is truncated: its program headers lie beyond its end" bad.elf
done
head -c 250 hand.elf >bad.elf
refuses "truncated in its text" \
	"'bad.elf' is truncated: segment 0 (0xffffffff80100000-0xffffffff80100110) is 0x110 bytes from 0x0 on, but the file ends at 0xfa" bad.elf
head -c 5000 good.elf >bad.elf
try "truncated, with its section headers" 1 "$MKBOOTIMG" build bad.elf
has "truncated, with its section headers: which segment" err "is truncated: segment"

# What no PC boots.
edit $CLASS 8 3
refuses "class 3" "'bad.elf' has the unknown ELF class 3" bad.elf
edit 5 8 2
refuses "big-endian" "'bad.elf' is big-endian: it is not for an x86 PC" bad.elf
edit $MACHINE 16 183
refuses "for AArch64" "'bad.elf' is not for an x86 PC (ELF machine 183)" bad.elf
edit $TYPE 16 4
refuses "a core dump" "'bad.elf' is a core dump, not a kernel" bad.elf
edit $TYPE 16 99
refuses "of no known type" "'bad.elf' has the unknown ELF type 99" bad.elf
edit "$(header 2 $P_TYPE)" 32 3
refuses "a dynamic interpreter" "'bad.elf' needs a dynamic loader (program header 2, PT_INTERP)" bad.elf

# Segments.
edit "$(header 0 $P_TYPE)" 32 0 "$(header 1 $P_TYPE)" 32 0
refuses "nothing to load" "'bad.elf' has no segment to load (PT_LOAD)" bad.elf
edit "$(header 1 $P_VADDR)" 64 0xffffffff80100100
refuses "overlapping" "'bad.elf': segment 0 (0xffffffff80100000-0xffffffff80100110) overlaps segment 1 (0xffffffff80100100-0xffffffff8010192c)" bad.elf
edit "$(header 1 $P_VADDR)" 64 0xfffffffffffff800
refuses "wrapping around" "'bad.elf': segment 1 at 0xfffffffffffff800 wraps around the end of the address space" bad.elf
edit "$(header 1 $P_VADDR)" 64 0x800000000000
refuses "not canonical" "'bad.elf': segment 1 (0x800000000000-0x80000000182c) is not at canonical addresses" bad.elf
edit "$(header 1 $P_VADDR)" 64 0x7fffffffff00
refuses "partly not canonical" "'bad.elf': segment 1 (0x7fffffffff00-0x80000000172c) is not at canonical addresses" bad.elf
edit "$(header 1 $P_VADDR)" 64 0xa0000
refuses "where video memory is" "'bad.elf': segment 1 (0xa0000-0xa182c) covers 0xa0000-0xfffff, where a PC has video memory and firmware" bad.elf
edit "$(header 1 $P_VADDR)" 64 0x9f000
refuses "partly where video memory is" "'bad.elf': segment 1 (0x9f000-0xa082c) covers 0xa0000-0xfffff, where a PC has video memory and firmware" bad.elf
edit "$(header 1 $P_VADDR)" 64 0xfff
refuses "in the first page" "'bad.elf': segment 1 (0xfff-0x282b) lies in the first page, which is never mapped" bad.elf
edit "$(header 1 $P_FILESZ)" 64 0x2000
refuses "larger in the file" "'bad.elf': segment 1 (0xffffffff80102010-0xffffffff8010383c) is larger in the file (0x2000 bytes) than in memory" bad.elf
edit "$(header 1 $P_OFFSET)" 64 0x7fffffffffffffff
refuses "beyond the file" "'bad.elf' is truncated: segment 1 (0xffffffff80102010-0xffffffff8010383c) is 0x2c bytes from 0x7fffffffffffffff on, but the file ends at 0x103c" bad.elf
edit "$(header 1 $P_VADDR)" 64 0x100000000 "$(header 1 $P_MEMSZ)" 64 0x100000000
refuses "of 4 GiB" "'bad.elf': segment 1 (0x100000000-0x200000000) is larger than 3 GiB" bad.elf
edit "$(header 0 $P_FLAGS)" 32 4
refuses "entry not executable" "'bad.elf': the entry point 0xffffffff801000e8 lies in segment 0 (0xffffffff80100000-0xffffffff80100110), which is not executable" bad.elf
edit $ENTRY 64 0
refuses "entry nowhere" "'bad.elf': the entry point 0x0 lies in no segment" bad.elf
ld -nostdlib -static --no-warn-rwx-segments -N -Ttext=0xa0000 -o hole.elf "$KERNELS/smallest.o"
try "with its names" 1 "$MKBOOTIMG" build hole.elf
has "with its names: the section" err "(.text"

# Everything else.
refuses "no loader sources" "there are no loader sources in '.'" good.elf --bootloader .
try "a command line too long" 2 "$MKBOOTIMG" build -c "$(printf '%05000d' 0)" -o x.img good.elf
has "why" err "the command line is 5000 bytes long; the loader has room for 4095"

# Warnings: once, and not with -q.
# warns NAME SENTENCE KERNEL
warns() {
	try "$1" 0 "$MKBOOTIMG" build -o k.img "$3"
	echo "mkbootimg: build: warning: '$3': $2" >wanted
	check "$1: says just that" cmp wanted err
	try "$1: -q" 0 "$MKBOOTIMG" build -q -o k.img "$3"
	empty "$1: -q says nothing" err
}
edit "$(header 0 $P_FLAGS)" 32 7
warns "writable and executable" "segment 0 (0xffffffff80100000-0xffffffff80100110) is both writable and executable" bad.elf
edit "$(header 2 $P_TYPE)" 32 0
warns "no PT_GNU_STACK" "the file does not say what stack it needs (no PT_GNU_STACK); it gets one that is not executable" bad.elf
edit "$(header 2 $P_FLAGS)" 32 7
warns "an executable stack" "the file asks for an executable stack (PT_GNU_STACK); it gets one that is not" bad.elf
edit "$(header 1 $P_MEMSZ)" 64 0x20000000
warns "a huge .bss" "511 MiB of it are zeros (.bss), which the machine must have and the loader must clear" bad.elf
cat >debug.asm <<'EOF'
section .text
global _start
_start: jmp _start
section .debug_info progbits alloc noexec nowrite
	dq 1
section .note.GNU-stack noalloc noexec nowrite progbits
EOF
nasm -f elf64 debug.asm && ld -nostdlib -static -Ttext=0x400000 --section-start=.debug_info=0x500000 -o debug.elf debug.o
warns "loaded debug information" "debug information (.debug_info) lies in a segment and is loaded: check the linker script" debug.elf

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
# A full disk: a file system of 16 KiB, in a mount namespace of our own.
mkdir full
if unshare -rm true 2>/dev/null; then
	try "a full disk" 1 unshare -rm sh -c "mount -t tmpfs -o size=16k none full && cp old.img full/k.img &&
		{ '$MKBOOTIMG' build -o full/k.img '$KERNELS/state-high.elf'; status=\$?; cmp old.img full/k.img && ls -A full; exit \$status; }"
	has "a full disk: why" err "mkbootimg: build: cannot write 'full/k.img': No space left on device"
	check "a full disk: the old image is intact, and nothing else is there" test "$(cat out)" = k.img
else
	skip "a full disk" "no mount namespaces here"
fi
# A file that may not grow.
cp old.img k.img
try "a limit on file sizes" 1 bash -c "trap '' XFSZ; ulimit -f 8; exec '$MKBOOTIMG' build -o k.img good.elf"
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
