# SPDX-License-Identifier: MIT
#
# Test kernels, unit tests, and how the tests are run.  Included by the top
# Makefile.  A kernel NAME becomes build/tests/kernels/NAME.elf.

KERNEL_OUT := build/tests/kernels
GUEST_CC ?= gcc
GUEST_CFLAGS := -std=gnu17 -O2 -g -Wall -Wextra -Werror -Iinclude -ffreestanding \
	-fno-pic -fno-stack-protector -fcf-protection=none -mno-red-zone -mcmodel=large
GUEST_LD := ld -nostdlib -static -z max-page-size=4096 --no-warn-rwx-segments

# The entry state is checked at several link addresses: low, in the identity
# map beyond memory, in the middle, where the physical map usually is, in the
# top 2 GiB, and up to the last page.
STATE_BASES := low:0x200000 high:0xffffffff80200000 far:0xc0000000 middle:0x7f0000000000 \
	physmap:0xffff800000200000 handoff:0xfffffe0000001000 last:0xffffffffffcfb000
STATE_KERNELS := $(foreach base,$(STATE_BASES),$(KERNEL_OUT)/state-$(firstword $(subst :, ,$(base))).elf)

TEST_KERNELS := $(STATE_KERNELS) \
	$(KERNEL_OUT)/data.elf \
	$(KERNEL_OUT)/ends.elf \
	$(KERNEL_OUT)/memory.elf \
	$(KERNEL_OUT)/segments.elf \
	$(KERNEL_OUT)/shared.elf \
	$(KERNEL_OUT)/smallest.elf

.PHONY: test-kernels
test-kernels: $(TEST_KERNELS)

$(KERNEL_OUT)/%.o: tests/kernels/%.c tests/kernels/guest.h tests/kernels/data_words.h \
		include/mkbootimg.h tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) -c -o $@ $<

$(KERNEL_OUT)/%-asm.o: tests/kernels/%.asm
	@mkdir -p $(@D)
	$(Q)$(NASM) -w+all -f elf64 -I$(KERNEL_OUT)/ -o $@ $<

define state_kernel
$(KERNEL_OUT)/state-$(1).elf: $(KERNEL_OUT)/state.o $(KERNEL_OUT)/state-asm.o tests/kernels/state.ld
	$$(Q)$(GUEST_LD) -T tests/kernels/state.ld --defsym BASE=$(2) -o $$@ \
		$(KERNEL_OUT)/state-asm.o $(KERNEL_OUT)/state.o
endef
$(foreach base,$(STATE_BASES),$(eval $(call \
	state_kernel,$(firstword $(subst :, ,$(base))),$(lastword $(subst :, ,$(base))))))

# These need no more than the linker's own idea of a layout.
$(KERNEL_OUT)/ends.elf $(KERNEL_OUT)/memory.elf $(KERNEL_OUT)/smallest.elf: \
		$(KERNEL_OUT)/%.elf: $(KERNEL_OUT)/%.o
	$(Q)$(GUEST_LD) -Ttext=0x400000 -o $@ $<

$(KERNEL_OUT)/data.bin: tests/kernels/makedata.c tests/kernels/data_words.h
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -o $(KERNEL_OUT)/makedata $<
	$(Q)$(KERNEL_OUT)/makedata > $@

$(KERNEL_OUT)/data-asm.o: $(KERNEL_OUT)/data.bin

$(KERNEL_OUT)/data.elf: $(KERNEL_OUT)/data.o $(KERNEL_OUT)/data-asm.o
	$(Q)$(GUEST_LD) -Ttext=0xffffffff80200000 -o $@ $^

$(KERNEL_OUT)/segments-parts.o: tests/kernels/segments.awk
	@mkdir -p $(@D)
	$(Q)awk -v what=asm -f $< < /dev/null > $(@:.o=.asm)
	$(Q)$(NASM) -w+all -f elf64 -o $@ $(@:.o=.asm)

$(KERNEL_OUT)/segments.elf: $(KERNEL_OUT)/segments.o $(KERNEL_OUT)/segments-parts.o
	$(Q)awk -v what=ld -f tests/kernels/segments.awk < /dev/null > $(@:.elf=.ld)
	$(Q)$(GUEST_LD) -T $(@:.elf=.ld) -o $@ $^

$(KERNEL_OUT)/shared.elf: $(KERNEL_OUT)/shared-asm.o tests/kernels/shared.ld
	$(Q)$(GUEST_LD) -T tests/kernels/shared.ld -o $@ $<

# ---- Unit tests --------------------------------------------------------------

UNIT_HELPERS := $(OUT)/tests/unit/elf_maker.o $(OUT)/tests/unit/plan_check.o
UNIT_TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit/test_*.c))

$(UNIT_TESTS): %: %.o $(UNIT_HELPERS) $(OBJECTS)
	$(say) "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(OUR_LIBS) -lcmocka

-include $(UNIT_TESTS:=.d) $(UNIT_HELPERS:.o=.d)

# ---- Running them ------------------------------------------------------------

TESTS ?= $(UNIT_TESTS) $(sort $(wildcard tests/cli/*.sh)) $(sort $(wildcard tests/boot/*.sh))
JOBS ?= 2

# A sanitizer's report must not pass for a refusal.
export ASAN_OPTIONS := exitcode=99
export UBSAN_OPTIONS := exitcode=99:print_stacktrace=1

.PHONY: run-tests
run-tests: all example $(TEST_KERNELS) $(UNIT_TESTS)
	OUT=$(OUT) prove -j$(JOBS) --exec '' $(TESTS)

# The hexdumps in tests/golden/, when they are meant to change.
.PHONY: rebase-golden
rebase-golden: all
	REBASE=1 OUT=$(OUT) tests/cli/golden.sh
