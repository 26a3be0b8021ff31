#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A kernel that QEMU's own -kernel can load (Multiboot 1 in ELF32, PVH) sees and
# says the same when we boot it; and all protocols tell of the same memory.
. "$(dirname "$0")/../lib.sh"

# same NAME PROTOCOL KERNEL WORDS [QEMU-ARG...]: what the guest says on COM1 and
# port 0xe9, and how it ends.  Modules are in the array modules, as -m takes
# them, and in $initrd, as -initrd does.
modules=()
initrd=
# The same devices: the firmware keeps some memory for the driver of a disk.
machine=(-nodefaults -vga std -m 128M -drive "file=null-co://,if=none,id=disk,format=raw"
	-device "ahci,id=ahci" -device "ide-hd,drive=disk,bus=ahci.0")
same() {
	local name=$1 protocol=$2 kernel=$3 words=$4 theirs ours
	shift 4
	# By its plain name, which is what QEMU tells it.
	ln -sf "$KERNELS/$kernel" .
	timeout -s KILL 120 qemu-system-x86_64 "${machine[@]}" -kernel "$kernel" -append "$words" ${initrd:+-initrd "$initrd"} \
		-no-reboot -display none -device isa-debug-exit,iobase=0xf4,iosize=4 \
		-serial file:theirs -debugcon file:theirs.e9 "$@" >/dev/null 2>theirs.err </dev/null
	theirs=$?
	cat theirs.e9 >>theirs
	timeout -s KILL 120 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" -c "$words" "${modules[@]}" \
		--protocol "$protocol" --disk ahci "$kernel" "$@" >ours 2>ours.err </dev/null
	ours=$?
	# PVH modules have no name from QEMU.
	[ "$protocol" = multiboot1 ] || sed -i -E 's/^(module: .*, .*, ).*/\1/' theirs ours
	if cmp -s ours theirs; then
		pass "$name: says the same"
	else
		fail "$name: says something else" ours ours.err theirs theirs.err
	fi
	# QEMU's status for success is 33.
	[ $theirs -ne 33 ] || theirs=0
	check "$name: ends the same: $theirs" test $ours -eq $theirs
}

for kernel in state32 map unordered modules; do
	for protocol in mb1:multiboot1 pvh:pvh; do
		same "$kernel, ${protocol#*:}" ${protocol#*:} $kernel-${protocol%:*}.elf 'a "b c" d'
		same "$kernel, ${protocol#*:}, q35" ${protocol#*:} $kernel-${protocol%:*}.elf 'a "b c" d' -M q35
		same "$kernel, ${protocol#*:}, 256 MiB" ${protocol#*:} $kernel-${protocol%:*}.elf 'x' -m 256
	done
done
same "5 GiB, multiboot1" multiboot1 map-mb1.elf x -m 5G
same "5 GiB, pvh" pvh map-pvh.elf x -m 5G
same "another code, multiboot1" multiboot1 state32-mb1.elf code=0x11
same "another code, pvh" pvh state32-pvh.elf code=0x2f
same "several protocols, multiboot1" multiboot1 state32-all.elf x
same "ELF64, pvh" pvh state32-pvh-64.elf x
same "ELF64, a note of 8 bytes" pvh state32-pvh8-64.elf x
for kernel in smallest1.elf kludge-mb1.elf kludge-mb1.bin high-mb1.elf high-mb1-physical.elf; do
	same "$kernel" multiboot1 $kernel x
done
same "high-pvh.elf" pvh high-pvh.elf x

head -c 70000 /dev/urandom >first
head -c 12 /dev/urandom >second
initrd="first with arguments,second"
modules=(-m "first=first with arguments" -m second)
same "modules, multiboot1" multiboot1 modules-mb1.elf x
same "modules, multiboot1, entry state" multiboot1 state32-mb1.elf x
initrd=first
modules=(-m first)
same "a module, pvh, entry state" pvh state32-pvh.elf x

# One source, all protocols, one memory map.
for memory in 64M 128M 3G 5G; do
	for machine in pc q35; do
		boots "map, native, $memory, $machine" "$KERNELS/map-native.elf" -- -m $memory -M $machine
		cp out native
		check "map, native, $memory, $machine: is one" grep -q RAM native
		for protocol in mb1 mb2 pvh plain; do
			boots "map, $protocol, $memory, $machine" "$KERNELS/map-$protocol.elf" -- -m $memory -M $machine
			check "map, $protocol, $memory, $machine: the same" diff native out
		done
	done
done

done_testing
