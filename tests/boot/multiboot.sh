#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Multiboot 1 and 2, and plain 32-bit kernels: what they are promised at entry,
# checked from inside, on machines small and large; and what their headers can
# ask for.
. "$(dirname "$0")/../lib.sh"

words='full a "b c" d'

# entered NAME PROTOCOL KERNEL [OPTION...]: every promise of the protocol holds.
entered() {
	local name=$1 protocol=$2 kernel=$3
	shift 3
	boots "$name" "$KERNELS/$kernel" -c "$words" "$@"
	has "$name: every promise" out "every promise of the entry state holds"
	has "$name: by $protocol" out "entered by $protocol"
	has "$name: its name, then its arguments" out "<$kernel $words>"
}

entered "Multiboot 1" multiboot1 state32-mb1.elf
entered "Multiboot 1, ELF64" multiboot1 state32-mb1-64.elf
entered "Multiboot 2" multiboot2 state32-mb2.elf
entered "Multiboot 2, ELF64" multiboot2 state32-mb2-64.elf
entered "no header" multiboot1 state32-plain.elf

# Files for several protocols.
for kernel in state32-all.elf state32-all-64.elf; do
	entered "$kernel, any" multiboot2 $kernel
	entered "$kernel, Multiboot 2" multiboot2 $kernel --protocol multiboot2
	entered "$kernel, Multiboot 1" multiboot1 $kernel --protocol multiboot1
done

boots "without arguments" "$KERNELS/state32-mb1.elf"
has "without arguments: the name alone" out "<state32-mb1.elf>"

# Machines.
head -c 300000 /dev/urandom >noise
for kernel in state32-mb1.elf state32-mb2.elf; do
	for memory in 32 64 1024 3072 5120; do
		entered "$kernel, $memory MiB" multiboot $kernel --memory ${memory}M -m noise -m noise=again
	done
	entered "$kernel, q35" multiboot $kernel -- -M q35
	entered "$kernel, CPU with everything" multiboot $kernel -- -cpu max
	entered "$kernel, four CPUs" multiboot $kernel -- -smp 4
done

words="full text"
entered "Multiboot 1, told of the text screen" multiboot1 state32-mb1-text.elf
entered "Multiboot 2, told of the text screen" multiboot2 state32-mb2-text.elf
entered "likewise by --video text" multiboot1 state32-mb1.elf --video text

# The smallest there is ends by switching the machine off.
boots "the smallest" "$KERNELS/smallest1.elf"
has "the smallest: says so" out "Hello from 8 MiB"

# Addresses in the header are those that count.
for kernel in kludge-mb1 kludge-mb2; do
	boots "$kernel: addresses in the header" "$KERNELS/$kernel.elf"
	has "$kernel: says so" out "by its own addresses"
	boots "$kernel: a flat binary" "$KERNELS/$kernel.bin"
	has "$kernel: a flat binary: says so" out "by its own addresses"
done

# Physical addresses are, and the entry point may be of either kind.
for kernel in high-mb1 high-mb1-physical high-mb2 high-mb2-physical; do
	boots "$kernel: linked high" "$KERNELS/$kernel.elf"
	has "$kernel: says so" out "where the physical addresses say"
done

# A kernel that may be moved is where it prefers to be.
boots "relocatable" "$KERNELS/reloc-0.elf"
boots "relocatable, as low as possible" "$KERNELS/reloc-1.elf"
has "as low as possible" out "loaded at 0x01000000"
boots "relocatable, as high as possible" "$KERNELS/reloc-2.elf"
has "as high as possible" out "loaded at 0x02e00000"
boots "relocatable, with less memory than it could be in" "$KERNELS/reloc-1.elf" --memory 32M

done_testing
