#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# PVH: what a kernel is promised at entry, checked from inside.
. "$(dirname "$0")/../lib.sh"

# entered NAME KERNEL [OPTION...]
entered() {
	local name=$1 kernel=$2
	shift 2
	boots "$name" "$KERNELS/$kernel" -c 'full a "b c" d' "$@"
	has "$name: every promise" out "every promise of the entry state holds"
	has "$name: by pvh" out "entered by pvh"
	has "$name: its arguments alone" out '<full a "b c" d>'
}

entered "ELF32" state32-pvh.elf
entered "ELF64" state32-pvh-64.elf
entered "ELF32, a note of 8 bytes" state32-pvh8.elf
entered "ELF64, a note of 8 bytes" state32-pvh8-64.elf
entered "a file for several protocols" state32-all.elf --protocol pvh
entered "a file for several protocols, ELF64" state32-all-64.elf --protocol pvh

head -c 300000 /dev/urandom >noise
for memory in 32 64 1024 3072 5120; do
	entered "$memory MiB" state32-pvh.elf --memory ${memory}M -m noise -m noise=again
done
entered "q35" state32-pvh.elf -- -M q35
entered "CPU with everything" state32-pvh.elf -- -cpu max
entered "four CPUs" state32-pvh.elf -- -smp 4

boots "without arguments" "$KERNELS/state32-pvh.elf"
has "without arguments: an empty text" out "<>"

boots "linked high" "$KERNELS/high-pvh.elf"
has "linked high: says so" out "where the physical addresses say"

done_testing
