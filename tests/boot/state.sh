#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The entry state, checked from inside by kernels linked all over the address
# space, on machines small and large, old and new.
. "$(dirname "$0")/../lib.sh"

for base in low high far middle physmap handoff last; do
	boots "linked $base" "$KERNELS/state-$base.elf" -c "ram=128"
	has "linked $base: says so" out "every promise of the entry state holds"
done

boots "low kernels lie where p_paddr says" "$KERNELS/state-low.elf" -c "phys=virt"
# Its text wants to be where there is no memory; that must not cost the rest its
# place, which is the lowest there is.
objcopy --change-section-lma .text=0x10000000 --change-section-lma .rodata-0x103000 \
	--change-section-lma .data-0x103000 --change-section-lma .bss-0x103000 "$KERNELS/state-low.elf" split.elf
boots "who cannot have its place takes no other's" split.elf -c "data=1M"
boots "beyond memory: anywhere" "$KERNELS/state-far.elf" -c "ram=64" --memory 64M

for memory in 32 64 1024 3072; do
	boots "$memory MiB of memory" "$KERNELS/state-high.elf" -c "ram=$memory" --memory "${memory}M"
done
boots "8 GiB of memory, pc" "$KERNELS/state-high.elf" -c "ram=8192" --memory 8G
boots "8 GiB of memory, q35" "$KERNELS/state-high.elf" -c "ram=8192" --memory 8G -- -M q35

boots "CPU with 1 GiB pages" "$KERNELS/state-low.elf" -c "" -- -cpu max
boots "CPU with 1 GiB pages, the kernel in one of them" "$KERNELS/state-far.elf" -c "" -- -cpu max
boots "CPU without NX" "$KERNELS/state-high.elf" -c "nonx" -- -cpu qemu64,-nx
boots "four CPUs" "$KERNELS/state-high.elf" -- -smp 4

boots "a stack of 4 KiB" "$KERNELS/state-high.elf" -c "stack=4" --stack-size 4096
boots "a stack of 1 byte is a page" "$KERNELS/state-high.elf" -c "stack=4" --stack-size 1
boots "a stack of 5 MiB" "$KERNELS/state-high.elf" -c "stack=5120" --stack-size 5M

done_testing
