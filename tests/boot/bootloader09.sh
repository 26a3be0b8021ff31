#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Kernels of the Rust crate bootloader 0.9: what they are promised, checked from
# inside, for each set of the crate's features, on machines small and large, with
# firmware good and bad; what cannot be given is refused.
. "$(dirname "$0")/../lib.sh"

# holds NAME KERNEL WORDS [RUN-OPTION...] [-- QEMU-ARG...]: a kernel bl09-...SET
# finds every promise kept; WORDS tell it what to expect (kernels/bootloader09.c).
holds() {
	local name=$1 kernel=$2 words=$3 options=()
	shift 3
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[ $# -gt 0 ] && shift
	boots "$name" "$KERNELS/bl09-$kernel.elf" --protocol bootloader-0.9 --features "$(features "${kernel##*-}")" \
		"${options[@]}" -- ${words:+-fw_cfg "name=opt/test,string=$words"} "$@"
	has "$name: every promise" out "every promise of bootloader 0.9 holds"
}

# Features: any of them, in any layout of BootInfo.
for set in none m r s v mr ms mv rs rv sv mrs mrv msv rsv mrsv; do
	holds "features: $set" $set ""
done

# Kernels in the higher half, where the usual places are, and moved.
for set in m r mr; do
	holds "linked high, $set" high-$set ""
done
holds "linked where others have their stack" slot1-mr ""
holds "position independent" pie-ms ""
holds "position independent, in the higher half" pie-ms "" --kernel-base 0xffffffff80000000

# Machines.
for set in none m r mr; do
	for machine in pc q35; do
		for memory in 32M 128M 3G 6G; do
			[ $machine$memory = pc128M ] || holds "$set, $machine, $memory" $set "" --memory $memory -- -M $machine
		done
	done
done
# What must be zero is, where memory is not.
head -c $((32 << 20)) /dev/zero | tr '\0' '\314' >dirty.mem
for set in r m; do
	holds "dirty memory, $set" $set "" -- -m 32 -M pc,memory-backend=dirty \
		-object memory-backend-file,id=dirty,size=32M,mem-path=dirty.mem,share=off
done
rm -f dirty.mem
holds "CPU with everything" mrsv "" -- -cpu max
holds "CPU without NX" none "nonx" -- -cpu qemu64,-nx
holds "CPU without NX, all mapped" mr "nonx" -- -cpu qemu64,-nx
holds "four CPUs" mr "" -- -smp 4
holds "no screen" none "noscreen" -- -vga none
holds "no screen, pixels asked for" mrsv "noscreen" -- -vga none

# Addresses.  Those that are not given make room for those that are.
while IFS='|' read -r name words options; do
	# shellcheck disable=SC2086
	holds "$name" mr "$words" $options
done <<'EOF'
a stack of a page|stack=1|--kernel-stack-size 1
a stack of 5 MiB|stack=1280|--kernel-stack-size 1280
a stack in bytes|stack=2|--stack-size 4097
BootInfo, with the stack behind|info=0x444444440000 physmap=0x10000000000|--boot-info-address 0x444444440000
BootInfo in the first slot|info=0x8000000000 slot=2 physmap=0x18000000000|--boot-info-address 0x8000000000
a stack elsewhere|guard=0x444444440000|--kernel-stack-address 0x444444440000
a stack in BootInfo's slot|guard=0x10000000000 info=0x18000000000 physmap=0x20000000000|--kernel-stack-address 0x10000000000
a stack up to the end of the lower half|guard=0x7fffffdff000|--kernel-stack-address 0x7fffffdff000
a stack up to the last page|guard=0xffffffffffdff000|--kernel-stack-address 0xffffffffffdff000
memory in the higher half|physmap=0xffff800000000000|--physical-memory-offset 0xffff800000000000
memory in the first slot|physmap=0x8000000000 slot=2 info=0x18000000000|--physical-memory-offset 0x8000000000
memory at a decimal address, across slots|physmap=0x17f40200000 info=0x20000000000|--physical-memory-offset 1646048313344 --memory 6G
all of them, low|info=0x40000000 guard=0x50000000 physmap=0x100000000|--boot-info-address 0x40000000 --kernel-stack-address 0x5000_0000 --physical-memory-offset 0x1_0000_0000
all of them, close together|guard=0x17fffffe000 info=0x180001ff000 physmap=0x18000200000|--kernel-stack-address 0x17fffffe000 --boot-info-address 0x180001ff000 --physical-memory-offset 0x18000200000
all of them, high|info=0xffffffffffffe000 guard=0xfffffffffffef000 stack=14 physmap=0xffff900000000000|--boot-info-address 0xffffffffffffe000 --kernel-stack-address 0xfffffffffffef000 --kernel-stack-size 14 --physical-memory-offset 0xffff900000000000
EOF

# Firmware's memory maps: too many regions, such that overlap or are of no known
# type, and memory that only some CPUs reach.
rom many.rom 0xe0 e820 MANY=600
rom acpi.rom 0xe0 e820 MANY_ACPI=40
rom messy.rom 0xe0 e820 MESSY
rom tera.rom 0xe0 e820 TERA
rom reserved.rom 0xe0 e820 TERA_RESERVED
holds "600 reserved pages" mr "oddmap regions=64 least=50 type=0x1000:11 type=0x1001:11 type=0x5ae0:11 type=0x6000:0" \
	-- -option-rom many.rom
holds "many regions: reserved ones go first, ACPI's next" mr \
	"oddmap regions=64 least=115 type=0x1000:11 type=0x1020:11 type=0x14c0:11 type=0x14e0:3 type=0x1001:0 type=0x14c1:0" \
	-- -option-rom acpi.rom
messy="oddmap type=0x2000:2 type=0x2001:2 type=0x2002:0 type=0x23ff:0 type=0x2400:4 type=0x24ff:4 type=0x2500:0"
messy+=" type=0x2800:5 type=0x2801:0 type=0x3000:0 type=0x3fff:0 type=0x40000:11 type=0x40001:11"
for set in none m r mr; do
	holds "messy, $set" $set "$messy" -- -option-rom messy.rom
done
holds "memory at 1 TiB" mr "oddmap top=0x10000200000 type=0x10000000:0 type=0x10000001:2 type=0x10000003:11" \
	-- -option-rom tera.rom -cpu max,phys-bits=42
holds "memory at 1 TiB, which the CPU does not reach" mr "oddmap top=0x10000000000" -- -option-rom tera.rom
holds "reserved at 1 TiB" mr "type=0x10000001:2" -- -option-rom reserved.rom

# What the map calls usable is free: every byte of it can be written.
heap() {
	local name=$1
	shift
	boots "$name" "$KERNELS/bl09heap.elf" --protocol bootloader-0.9 --features map_physical_memory "$@"
	has "$name: says so" out "all usable memory is"
}
for machine in pc q35; do
	for memory in 32M 256M; do
		heap "usable memory, $machine, $memory" --memory $memory -- -M $machine
	done
done
heap "usable memory, 600 reserved pages" -- -option-rom many.rom
heap "usable memory, messy" -- -option-rom messy.rom

# How such kernels end.
ends() {
	try "$1: $2" "$2" "$MKBOOTIMG" run --headless --timeout 30 --protocol bootloader-0.9 --features sse \
		"$KERNELS/bl09-s.elf" -fw_cfg "name=opt/test,string=end=$1"
	has "$1: came to it" out "every promise of bootloader 0.9 holds"
}
ends null 122
has "null: which" err "page fault (vector 14: write, page not present) at 0x0"
has "null: where" err " write_null+0x"
has "null: why" err "likely: a null pointer"
ends overflow 122
has "overflow: which" err "page fault (vector 14: write, page not present) at 0x10000001"
has "overflow: where" err " overflow+0x"
has "overflow: why" err "likely: the stack is full: it has grown into its guard page"
ends return 120
has "return: says so" err "halted"
try "without the features it was built for" 65 "$MKBOOTIMG" run --headless --timeout 30 --protocol bootloader-0.9 \
	"$KERNELS/bl09-m.elf"

# In Rust, by the host's compiler.
if command -v rustc >/dev/null; then
	for set in none r m mr s mrs; do
		cfg=
		[[ $set == *r* ]] && cfg+=" --cfg recursive"
		[[ $set == *m* ]] && cfg+=" --cfg map"
		[[ $set == *s* ]] && cfg+=" --cfg sse"
		# shellcheck disable=SC2086
		try "rustc, $set: builds" 0 rustc --edition 2021 -C panic=abort -C relocation-model=static \
			-C link-arg=-nostartfiles -C link-arg=-static -C link-arg=-no-pie $cfg -o rust.elf \
			"$ROOT/tests/kernels/bootloader09.rs"
		boots "rustc, $set" rust.elf --protocol bootloader-0.9 --features "$(features $set)"
		has "rustc, $set: says so" out "BootInfo is as it should be"
	done
else
	skip "rustc" "rustc is not installed"
fi

# What cannot be is refused.
#
# impossible NAME STATUS SENTENCE KERNEL [OPTION...]
impossible() {
	local name=$1 status=$2 sentence=$3 kernel=$4
	shift 4
	REFUSAL=$status refuses "$name" "$sentence" "$kernel" --protocol bootloader-0.9 "$@"
}
# small FILE ADDRESS: a kernel of one page.
small() {
	gcc -ffreestanding -nostdlib -static -no-pie "-Wl,-Ttext=$2,--build-id=none,-N" -x c -o "$1" - \
		<<<'void _start(void) { for (;;) ; }' 2>/dev/null
}
small k.elf 0x400000
all=(--features "$(features mrs)")
impossible "a command line" 2 "'k.elf': --cmdline cannot be handed over: the bootloader crate has no command line" \
	k.elf -c words
impossible "a module" 2 "'k.elf': --module cannot be handed over: the bootloader crate 0.9 has no modules" \
	k.elf -m k.elf
impossible "--video" 2 "'k.elf': the screen of a bootloader-0.9 kernel is 80x25 characters or, with --features vga_320x200, 320x200 pixels" \
	k.elf --video 640x480
impossible "--physical-memory-offset without the map" 2 "'k.elf': --physical-memory-offset has no effect without the feature map_physical_memory" \
	k.elf --features sse --physical-memory-offset 0x18000000000
impossible "--physical-memory-offset in mid-page" 2 "'k.elf': --physical-memory-offset 0x18000001000 is not a multiple of 0x200000 (2 MiB), the size of the pages there" \
	k.elf "${all[@]}" --physical-memory-offset 0x18000001000
has "--physical-memory-offset in mid-page: what to do" err "0x18000000000"
impossible "BootInfo upon the kernel" 2 "'k.elf': BootInfo (0x400000-0x400fff) and the kernel (0x400000-0x400fff) overlap" \
	k.elf "${all[@]}" --boot-info-address 0x400000 --kernel-stack-address 0x40000000
has "BootInfo upon the kernel: what to do" err "move one of them with --boot-info-address"
impossible "the stack upon BootInfo" 2 "'k.elf': BootInfo (0x40200000-0x40200fff) and the stack with its guard page (0x40000000-0x40200fff) overlap" \
	k.elf "${all[@]}" --kernel-stack-address 0x40000000 --boot-info-address 0x40200000
impossible "the guard page upon BootInfo" 2 "'k.elf': BootInfo (0x40000000-0x40000fff) and the stack with its guard page (0x40000000-0x40200fff) overlap" \
	k.elf "${all[@]}" --kernel-stack-address 0x40000000 --boot-info-address 0x40000000
impossible "memory upon the stack" 2 "'k.elf': the map of physical memory (0x100000000-0x1ffffffff) and the stack with its guard page (0x1fffff000-0x2001fffff) overlap" \
	k.elf "${all[@]}" --physical-memory-offset 0x100000000 --kernel-stack-address 0x1fffff000
impossible "low memory" 2 "'k.elf': BootInfo (0xbf000-0xbffff) and low memory, which is mapped one to one, (0x0-0xbffff) overlap" \
	k.elf "${all[@]}" --boot-info-address 0xbf000 --kernel-stack-address 0x40000000
impossible "not canonical" 2 "'k.elf': the stack with its guard page (0x7fffffe00000, 2052 KiB) is not at canonical addresses" \
	k.elf "${all[@]}" --kernel-stack-address 0x7fffffe00000
impossible "around the end" 2 "'k.elf': the stack with its guard page (0xffffffffffe00000, 2052 KiB) wraps around the end of the address space" \
	k.elf "${all[@]}" --kernel-stack-address 0xffffffffffe00000
REFUSAL=2 refuses "--features without the protocol" "--features is for kernels of the bootloader crate, and this one is booted by native" \
	k.elf --features sse
REFUSAL=2 refuses "an address without the protocol" "--kernel-stack-address is for kernels of the bootloader crate, and this one is booted by native" \
	k.elf --kernel-stack-address 0x40000000
try "no such feature" 2 "$MKBOOTIMG" build --protocol bootloader-0.9 --features sse,binary k.elf
has "no such feature: which" err "--features: 'binary' is none of map_physical_memory, recursive_page_table, sse, vga_320x200"
try "an address in mid-page" 2 "$MKBOOTIMG" build --protocol bootloader-0.9 --boot-info-address 0x1800 k.elf
has "an address in mid-page: why" err "--boot-info-address: '0x1800' is not an address on a page boundary"
try "no stack" 2 "$MKBOOTIMG" build --protocol bootloader-0.9 --kernel-stack-size 0 k.elf
has "no stack: why" err "--kernel-stack-size: '0' is not a number of pages"

# Program header 5 is PT_TLS, 6 PT_GNU_STACK; 56 bytes each, from byte 64 on.
poke() {
	cp "$KERNELS/bl09-mrs.elf" "$1"
	printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
poke two.elf $((64 + 56 * 6)) '\07\00\00\00'
impossible "two TLS templates" 1 "'two.elf' has 2 templates for thread-local data (PT_TLS); BootInfo has room for one" two.elf
poke short.elf $((64 + 56 * 5 + 40)) '\01'
impossible "a TLS template larger in the file" 1 "'short.elf': the thread-local data (PT_TLS) has more bytes in the file than in memory" short.elf
poke away.elf $((64 + 56 * 5 + 16)) '\00\00\00\020'
impossible "a TLS template in no segment" 1 "'away.elf': the thread-local data (PT_TLS, 0x10000000) lies in no segment" away.elf
small low.elf 0x8000
impossible "a segment below 1 MiB" 1 "'low.elf': low memory, which is mapped one to one, (0x0-0xbffff) and the kernel (0x8000-0x8fff) overlap" \
	low.elf
has "a segment below 1 MiB: what to do" err "link the kernel at 0x100000 or above"
echo config >config
objcopy --add-section .bootloader-config=config k.elf later.elf
impossible "a later version of the crate" 1 "'later.elf' is a kernel of the bootloader crate 0.10 or 0.11 (it has a section .bootloader-config), whose protocol is not supported yet" \
	later.elf

# How much memory there is, only the loader knows.
try "memory that does not fit" 126 "$MKBOOTIMG" run --headless --timeout 30 --protocol bootloader-0.9 "${all[@]}" \
	--memory 6G --physical-memory-offset 0x18000000000 --boot-info-address 0x18100000000 k.elf
has "memory that does not fit: why" err \
	"the map of physical memory has room for 0x100000000 bytes, the machine has memory up to 0x1C0000000"

done_testing
