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
	$(KERNEL_OUT)/screens.elf \
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
$(addprefix $(KERNEL_OUT)/,ends.elf memory.elf screens.elf smallest.elf): \
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

# ---- Kernels of the other protocols ------------------------------------------

# One source is a kernel of each: NAME-mb1, -mb2, -pvh, -plain (32-bit, without a
# header) and -native; -mb1-64 and so on hold the same code in ELF64 files.
GUEST32_CFLAGS := $(filter-out -mno-red-zone -mcmodel=large,$(GUEST_CFLAGS)) -m32 -march=i686 \
	-mno-sse -fno-tree-loop-distribute-patterns
GUEST32_LD := $(GUEST_LD) -m elf_i386
GUEST_HEADERS := $(addprefix tests/kernels/,guest.h boot.h boot32.h) include/mkbootimg.h

# What boot32.asm is assembled with for each.
BOOT32_mb1 := -DMB1
BOOT32_mb2 := -DMB2
BOOT32_pvh := -DPVH
BOOT32_pvh8 := -DPVH -DWIDE
BOOT32_plain :=
BOOT32_all := -DMB1 -DMB2 -DPVH
BOOT32_mb1-video := -DMB1 -DVIDEO
BOOT32_mb2-video := -DMB2 -DVIDEO
BOOT32_mb1-text := -DMB1 -DTEXT
BOOT32_mb2-text := -DMB2 -DTEXT

$(KERNEL_OUT)/32/%.o: tests/kernels/%.c $(GUEST_HEADERS) tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST32_CFLAGS) -c -o $@ $<

$(KERNEL_OUT)/32/boot32-%.o: tests/kernels/boot32.asm tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(NASM) -w+all -f elf32 $(BOOT32_$*) -o $@ $<

# $(call kernel32,KERNEL,SOURCE,HEADERS,SCRIPT): a kernel of this source with these
# headers, of what reads the protocols, and of objects that are added elsewhere.
define kernel32
OTHER_KERNELS += $(KERNEL_OUT)/$(1).elf
$(KERNEL_OUT)/$(1).elf: tests/kernels/$(4) $(KERNEL_OUT)/32/boot32-$(3).o \
		$(KERNEL_OUT)/32/boot32.o $(KERNEL_OUT)/32/$(2).o
	$$(Q)$$(GUEST32_LD) -T $$< $$(LINK) -o $$@ $$(filter %.o,$$^)
endef
# $(call kernel64,KERNEL,SOURCE,SCRIPT): likewise, of the native protocol.
define kernel64
OTHER_KERNELS += $(KERNEL_OUT)/$(1).elf
$(KERNEL_OUT)/$(1).elf: tests/kernels/$(3) $(KERNEL_OUT)/boot64.o $(KERNEL_OUT)/$(2).o
	$$(Q)$$(GUEST_LD) -T $$< $$(LINK) -o $$@ $$(filter %.o,$$^)
endef
$(addprefix $(KERNEL_OUT)/,boot64.o low.o map.o modules.o packed.o video.o): $(GUEST_HEADERS)

OTHER_KERNELS :=
$(foreach p,mb1 mb2 pvh pvh8 plain all mb1-text mb2-text,$(eval $(call kernel32,state32-$p,state32,$p,boot32.ld)))
$(foreach p,mb1 mb2 pvh,$(eval $(call kernel32,unordered-$p,unordered,$p,unordered.ld)))
$(foreach k,map modules,$(foreach p,mb1 mb2 pvh plain,$(eval $(call kernel32,$k-$p,$k,$p,boot32.ld))) \
	$(eval $(call kernel64,$k-native,$k,boot32.ld)))
$(foreach p,mb1 mb2,$(eval $(call kernel32,video-$p,video,$p-video,boot32.ld)))
$(eval $(call kernel32,video-plain,video,plain,boot32.ld))
$(eval $(call kernel64,video-native,video,boot32.ld))

# A kernel of each that compresses.
$(KERNEL_OUT)/packed.bin: tests/kernels/makepacked.c tests/kernels/packed_bytes.h
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -o $(KERNEL_OUT)/makepacked $<
	$(Q)$(KERNEL_OUT)/makepacked > $@
$(foreach p,mb1 mb2 pvh plain,$(eval $(call kernel32,packed-$p,packed,$p,boot32.ld)) \
	$(eval $(KERNEL_OUT)/packed-$p.elf: $(KERNEL_OUT)/32/packed-asm.o))
$(eval $(call kernel64,packed-native,packed,boot32.ld))
$(KERNEL_OUT)/packed-native.elf: $(KERNEL_OUT)/packed-asm.o
$(KERNEL_OUT)/packed-asm.o $(KERNEL_OUT)/32/packed-asm.o: $(KERNEL_OUT)/packed.bin
$(KERNEL_OUT)/32/packed-asm.o: tests/kernels/packed.asm
	@mkdir -p $(@D)
	$(Q)$(NASM) -w+all -f elf32 -I$(KERNEL_OUT)/ -o $@ $<
$(KERNEL_OUT)/packed.o $(KERNEL_OUT)/32/packed.o: tests/kernels/packed_bytes.h tests/kernels/cksum.h
$(KERNEL_OUT)/modules.o $(KERNEL_OUT)/32/modules.o: tests/kernels/cksum.h

# The same code in an ELF64 file.
OTHER_KERNELS += $(addprefix $(KERNEL_OUT)/,$(patsubst %,state32-%-64.elf,mb1 mb2 pvh pvh8 all))
$(KERNEL_OUT)/%-64.elf: $(KERNEL_OUT)/%.elf
	$(Q)objcopy -I elf32-i386 -O elf64-x86-64 $< $@

# Kernels with a part at low addresses: some KiB at 0x8000, and all that may be.
$(foreach k,low lowest,$(foreach p,mb1 mb2 pvh plain,$(eval $(call kernel32,$k-$p,low,$p,low.ld))) \
	$(eval $(call kernel64,$k-native,low,low.ld)))
LOW_PART_low := -DDATA=5000 -DCLEAR=3000
LOW_PART_lowest := -DDATA=0x42000 -DCLEAR=0x3cf00
$(KERNEL_OUT)/low-%.elf: LINK := --defsym LOW=0x8000
$(KERNEL_OUT)/lowest-%.elf: LINK := --defsym LOW=0x1000
define low_part
$(patsubst %,$(KERNEL_OUT)/$(1)-%.elf,mb1 mb2 pvh plain): $(KERNEL_OUT)/32/$(1)-part.o
$(KERNEL_OUT)/$(1)-native.elf: $(KERNEL_OUT)/$(1)-part.o
$(KERNEL_OUT)/32/$(1)-part.o: tests/kernels/low.asm tests/tests.mk
	@mkdir -p $$(@D)
	$$(Q)$$(NASM) -w+all -f elf32 $$(LOW_PART_$(1)) -o $$@ $$<
$(KERNEL_OUT)/$(1)-part.o: tests/kernels/low.asm tests/tests.mk
	@mkdir -p $$(@D)
	$$(Q)$$(NASM) -w+all -f elf64 $$(LOW_PART_$(1)) -o $$@ $$<
endef
$(foreach k,low lowest,$(eval $(call low_part,$k)))

# Kernels in assembly, each with a header of its own; flat ones, too.
OTHER_KERNELS += $(addprefix $(KERNEL_OUT)/,smallest1.elf \
	kludge-mb1.elf kludge-mb2.elf kludge-mb1.bin kludge-mb2.bin \
	high-mb1.elf high-mb2.elf high-pvh.elf high-mb1-physical.elf high-mb2-physical.elf \
	reloc-0.elf reloc-1.elf reloc-2.elf)

$(KERNEL_OUT)/smallest1.elf: tests/kernels/smallest1.asm
	@mkdir -p $(KERNEL_OUT)/32
	$(Q)$(NASM) -w+all -f elf32 -o $(KERNEL_OUT)/32/smallest1.o $<
	$(Q)$(GUEST32_LD) -N -Ttext=0x800000 -o $@ $(KERNEL_OUT)/32/smallest1.o

$(KERNEL_OUT)/kludge-%.elf: tests/kernels/kludge.asm tests/kernels/kludge.ld
	@mkdir -p $(@D)
	$(Q)$(NASM) -w+all -f elf64 $(BOOT32_$*) -o $(@:.elf=.o) $<
	$(Q)$(GUEST_LD) -T tests/kernels/kludge.ld -o $@ $(@:.elf=.o)
$(KERNEL_OUT)/%.bin: $(KERNEL_OUT)/%.elf
	$(Q)objcopy -O binary $< $@

$(KERNEL_OUT)/32/high-%.o: tests/kernels/high.asm tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(NASM) -w+all -f elf32 $(BOOT32_$*) -o $@ $<
$(KERNEL_OUT)/high-%.elf: $(KERNEL_OUT)/32/high-%.o tests/kernels/high.ld
	$(Q)$(GUEST32_LD) -T tests/kernels/high.ld -e _start -o $@ $<
.PRECIOUS: $(KERNEL_OUT)/32/high-%.o
$(KERNEL_OUT)/high-%-physical.elf: $(KERNEL_OUT)/32/high-%.o tests/kernels/high.ld
	$(Q)$(GUEST32_LD) -T tests/kernels/high.ld -e start_physical -o $@ $<

$(KERNEL_OUT)/reloc-%.elf: tests/kernels/reloc.asm tests/tests.mk
	@mkdir -p $(KERNEL_OUT)/32
	$(Q)$(NASM) -w+all -f elf32 -DPREFERENCE=$* -o $(KERNEL_OUT)/32/reloc-$*.o $<
	$(Q)$(GUEST32_LD) -N -Ttext=0x200000 -o $@ $(KERNEL_OUT)/32/reloc-$*.o

# Position-independent ones, their relocations in either form, of either linker.
OTHER_KERNELS += $(addprefix $(KERNEL_OUT)/,pie-rela.elf pie-relr.elf pie-lld-rela.elf pie-lld-relr.elf)
PIE_FLAGS := -nostdlib -pie --no-dynamic-linker -z text

$(KERNEL_OUT)/pie.o: tests/kernels/pie.c tests/kernels/guest.h include/mkbootimg.h tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(filter-out -fno-pic -mcmodel=large,$(GUEST_CFLAGS)) -fpie -c -o $@ $<
$(KERNEL_OUT)/pie-rela.elf: $(KERNEL_OUT)/pie.o
	$(Q)ld $(PIE_FLAGS) -o $@ $<
$(KERNEL_OUT)/pie-relr.elf: $(KERNEL_OUT)/pie.o
	$(Q)ld $(PIE_FLAGS) -z pack-relative-relocs -o $@ $<
$(KERNEL_OUT)/pie-lld-rela.elf: $(KERNEL_OUT)/pie.o
	$(Q)ld.lld $(PIE_FLAGS) -o $@ $<
$(KERNEL_OUT)/pie-lld-relr.elf: $(KERNEL_OUT)/pie.o
	$(Q)ld.lld $(PIE_FLAGS) --pack-dyn-relocs=relr -o $@ $<

OTHER_KERNELS += $(KERNEL_OUT)/faults.elf $(KERNEL_OUT)/faults-high.elf
$(KERNEL_OUT)/faults-high.elf: $(KERNEL_OUT)/faults.o
	$(Q)$(GUEST_LD) -Ttext=0xffffffff80400000 -o $@ $<
$(KERNEL_OUT)/faults.elf: $(KERNEL_OUT)/faults.o
	$(Q)$(GUEST_LD) -Ttext=0x400000 -o $@ $<

# Crashes, explained: with symbols and lines, position independent, 32-bit, and
# without symbols.
$(foreach p,mb1 plain,$(eval $(call kernel32,crash-$p,crash,$p,boot32.ld)))
$(eval $(call kernel64,crash-native,crash,boot32.ld))
$(KERNEL_OUT)/crash.o $(KERNEL_OUT)/pie/crash.o: $(GUEST_HEADERS)
# Their stack frames are described in .debug_frame.
$(KERNEL_OUT)/crash.o $(KERNEL_OUT)/32/crash.o: GUEST_CFLAGS += -fno-asynchronous-unwind-tables
$(KERNEL_OUT)/32/crash.o: GUEST32_CFLAGS += -fno-asynchronous-unwind-tables
OTHER_KERNELS += $(KERNEL_OUT)/crash-pie.elf $(KERNEL_OUT)/crash-stripped.elf
$(KERNEL_OUT)/pie/%.o: tests/kernels/%.c tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(filter-out -fno-pic -mcmodel=large,$(GUEST_CFLAGS)) -fpie -c -o $@ $<
$(KERNEL_OUT)/crash-pie.elf: $(KERNEL_OUT)/pie/boot64.o $(KERNEL_OUT)/pie/crash.o
	$(Q)ld -nostdlib -static -pie --no-dynamic-linker -z max-page-size=4096 -o $@ $^
$(KERNEL_OUT)/crash-stripped.elf: $(KERNEL_OUT)/crash-native.elf
	$(Q)strip -s -o $@ $<

# ---- Kernels of the Rust crate bootloader 0.9 ----------------------------------

# One source for each set of the crate's features: bl09-m has map_physical_memory,
# r recursive_page_table, s sse, v vga_320x200; bl09-none has none.  Those with sse
# also have a TLS template, which has nothing to do with it.
BL09_SETS := none m r s v mr ms mv rs rv sv mrs mrv msv rsv mrsv
# They are linked at 0x200000, and lie there; others elsewhere in the address space.
BL09_KERNELS := $(BL09_SETS:%=$(KERNEL_OUT)/bl09-%.elf) \
	$(foreach set,m r mr,$(KERNEL_OUT)/bl09-high-$(set).elf) $(KERNEL_OUT)/bl09-slot1-mr.elf \
	$(KERNEL_OUT)/bl09-pie-ms.elf $(KERNEL_OUT)/bl09heap.elf
BL09_HEADERS := $(GUEST_HEADERS) $(addprefix tests/kernels/,bootinfo.h tables.h words.h)
# SSE is off but for those that ask for it.
BL09_CFLAGS := $(GUEST_CFLAGS) -mgeneral-regs-only
# $(call bl09_has,SET,LETTER), $(call bl09_flags,SET)
bl09_has = $(if $(and $(filter-out none,$(1)),$(findstring $(2),$(1))),1,0)
bl09_flags = -DFEATURE_MAP=$(call bl09_has,$(1),m) -DFEATURE_RECURSIVE=$(call bl09_has,$(1),r) \
	-DFEATURE_SSE=$(call bl09_has,$(1),s) -DFEATURE_VGA=$(call bl09_has,$(1),v) \
	$(if $(filter 1,$(call bl09_has,$(1),s)),-DTLS)

# What the linker script is without.
BL09_LEFT_OUT_plain := tls dynamic
BL09_LEFT_OUT_tls := dynamic
$(KERNEL_OUT)/bl09/%.ld: tests/kernels/bootloader09.ld tests/tests.mk
	@mkdir -p $(@D)
	$(Q)sed -e '' $(foreach word,$(BL09_LEFT_OUT_$*),-e /$(word)/d) $< > $@
$(KERNEL_OUT)/bl09/plain.o: tests/kernels/bootloader09.asm tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(NASM) -w+all -f elf64 -o $@ $<
$(KERNEL_OUT)/bl09/tls.o: tests/kernels/bootloader09.asm tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(NASM) -w+all -f elf64 -DTLS -o $@ $<
$(KERNEL_OUT)/bl09/low-%.o: tests/kernels/bootloader09.c $(BL09_HEADERS) tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(BL09_CFLAGS) $(call bl09_flags,$*) -DPHYSICAL -c -o $@ $<
$(KERNEL_OUT)/bl09/%.o: tests/kernels/bootloader09.c $(BL09_HEADERS) tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(BL09_CFLAGS) $(call bl09_flags,$*) -c -o $@ $<
$(KERNEL_OUT)/bl09/pie-%.o: tests/kernels/bootloader09.c $(BL09_HEADERS) tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(filter-out -fno-pic -mcmodel=large,$(BL09_CFLAGS)) -fpie $(call bl09_flags,$*) -c -o $@ $<

# $(call bl09_kernel,KERNEL,OBJECT,SCRIPT,BASE,GAP)
define bl09_kernel
$(KERNEL_OUT)/bl09-$(1).elf: $(KERNEL_OUT)/bl09/$(if $(filter plain,$(3)),plain,tls).o $(KERNEL_OUT)/bl09/$(2).o \
		$(KERNEL_OUT)/bl09/$(3).ld
	$$(Q)$$(GUEST_LD) -T $$(filter %.ld,$$^) --defsym BASE=$(4) --defsym GAP=$(5) $$(LINK) -o $$@ $$(filter %.o,$$^)
endef
$(foreach set,$(BL09_SETS),$(eval $(call bl09_kernel,$(set),low-$(set),$(if $(findstring s,$(set)),tls,plain),0x200000,0)))
$(foreach set,m r mr,$(eval $(call bl09_kernel,high-$(set),$(set),plain,0xffffffff80200000,0x40000)))
$(eval $(call bl09_kernel,slot1-mr,mr,plain,0x8000100000,0x40000))
$(eval $(call bl09_kernel,pie-ms,pie-ms,pie,0,0))
$(KERNEL_OUT)/bl09-pie-ms.elf: LINK := -pie --no-dynamic-linker -z text

$(KERNEL_OUT)/bl09heap.o: tests/kernels/bl09heap.c $(BL09_HEADERS) tests/tests.mk
	@mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(BL09_CFLAGS) -c -o $@ $<
$(KERNEL_OUT)/bl09heap.elf: $(KERNEL_OUT)/bl09heap.o
	$(Q)$(GUEST_LD) -Ttext=0x400000 -o $@ $<

TEST_KERNELS += $(OTHER_KERNELS) $(BL09_KERNELS)
test-kernels: $(OTHER_KERNELS) $(BL09_KERNELS)

# ---- Unit tests --------------------------------------------------------------

LZ4_GUARDED := $(OUT)/tests/unit/lz4_guarded.o $(OUT)/tests/unit/lz4_guarded-asm.o
UNIT_HELPERS := $(patsubst %,$(OUT)/tests/unit/%.o,elf_maker fake_loader kernel_maker plan_check) $(LZ4_GUARDED)
UNIT_TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit/test_*.c))

# The loader's decoder, as code of the host's.
$(OUT)/tests/unit/%-asm.o: tests/unit/%.asm bootloader/lz4.inc
	@mkdir -p $(@D)
	$(Q)$(NASM) -w+all -f elf64 -Ibootloader/ -o $@ $<

$(UNIT_TESTS): %: %.o $(UNIT_HELPERS) $(OBJECTS)
	$(say) "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(OUR_LIBS) -lcmocka

-include $(UNIT_TESTS:=.d) $(filter-out %-asm.d,$(UNIT_HELPERS:.o=.d))

# ---- Programs of the scripts' --------------------------------------------------

$(OUT)/tests/reseal: %: %.o $(OBJECTS)
	$(say) "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(OUR_LIBS)

-include $(OUT)/tests/reseal.d

# ---- Fuzz targets ------------------------------------------------------------

# Each is linked with what replays its corpus, which is a test; for "make fuzz" with
# libFuzzer instead.
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_REPLAYS := $(FUZZ_SOURCES:%.c=$(OUT)/%)
FUZZ_PROGRAMS := $(FUZZ_SOURCES:%.c=$(OUT)/%.libfuzzer)
FUZZ_HELPERS := $(OUT)/tests/fuzz/fuzz.o $(OUT)/tests/unit/plan_check.o $(LZ4_GUARDED)
FUZZ_SECONDS ?= 600

# What these read is made of words, not of text.
$(patsubst %,$(OUT)/tests/fuzz/fuzz_%.libfuzzer,image kernel symbols): $(OUT)/tests/fuzz/words.o

$(FUZZ_SOURCES:%.c=$(OUT)/%.o) $(patsubst %,$(OUT)/tests/fuzz/%.o,fuzz replay words): OUR_CFLAGS += -Itests/unit

$(FUZZ_REPLAYS): %: %.o $(OUT)/tests/fuzz/replay.o $(FUZZ_HELPERS) $(OBJECTS)
	$(say) "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(OUR_LIBS) -lcmocka

$(FUZZ_PROGRAMS): %.libfuzzer: %.o $(FUZZ_HELPERS) $(OBJECTS)
	$(say) "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(OUR_LIBS) -lcmocka

-include $(FUZZ_REPLAYS:=.d) $(patsubst %,$(OUT)/tests/fuzz/%.d,fuzz replay words)

.PHONY: fuzz fuzz-programs
fuzz:
	@scripts/deps fuzz
	@$(MAKE) --no-print-directory FUZZER=1 CC=clang CFLAGS="-O1 -g" fuzz-programs
	@for target in $(basename $(notdir $(FUZZ_SOURCES))); do \
		FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz $${target#fuzz_} || exit; done

fuzz-programs: $(FUZZ_PROGRAMS)

# ---- Sharp tools -------------------------------------------------------------

# gcc's analyzer goes through the tool's sources, each once.
ANALYZER_CC ?= gcc
ANALYZED := $(MAIN_OBJECT:$(OUT)/%=$(OUT)/analyze/%) $(OBJECTS:$(OUT)/%=$(OUT)/analyze/%)

$(ANALYZED): $(OUT)/analyze/%.o: %.c Makefile
	$(say) "  ANALYZE $<"
	@mkdir -p $(@D)
	$(Q)$(ANALYZER_CC) $(OUR_CFLAGS) -O2 -fanalyzer $(ANALYZER_FLAGS) -c -o $@ $<

# Of a structure that it was given by its address it sometimes loses sight, and then
# says that what a member of it points to leaks; valgrind does not.
$(OUT)/analyze/tool/image/image_read.o $(OUT)/analyze/tool/suite/suite.o: ANALYZER_FLAGS := -Wno-analyzer-malloc-leak

-include $(ANALYZED:.o=.d)

.PHONY: analyze
analyze: $(ANALYZED)

# Everything that calls the tool's functions, and the program where it is run for
# itself, not for what it starts; of the scripts, those that need not its own path.
VALGRIND := valgrind --quiet --vgdb=no --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
	--errors-for-leak-kinds=definite
VALGRIND_TESTS ?= $(patsubst %,tests/cli/%.sh,build config dependency golden headers inspect refuse) \
	tests/boot/verdicts.sh tests/boot/faults.sh

$(OUT)/tests/valgrind/mkbootimg: tests/tests.mk
	@mkdir -p $(@D)
	$(Q)printf '#!/bin/sh\nexec $(VALGRIND) $(abspath $(TOOL)) "$$@"\n' > $@ && chmod +x $@

.PHONY: valgrind run-valgrind
valgrind:
	@scripts/deps valgrind
	@$(MAKE) --no-print-directory run-valgrind

run-valgrind: all $(TEST_KERNELS) $(UNIT_TESTS) $(FUZZ_REPLAYS) $(OUT)/tests/valgrind/mkbootimg
	OUT=$(OUT) prove -j$(JOBS) --exec '$(VALGRIND)' $(UNIT_TESTS) $(FUZZ_REPLAYS)
	OUT=$(OUT) MKBOOTIMG=$(abspath $(OUT))/tests/valgrind/mkbootimg prove -j$(JOBS) --exec '' $(VALGRIND_TESTS)

# ---- Running them ------------------------------------------------------------

# LONG=1: with what takes minutes.
export LONG
TESTS ?= $(UNIT_TESTS) $(FUZZ_REPLAYS) $(sort $(wildcard tests/cli/*.sh)) $(sort $(wildcard tests/boot/*.sh))
JOBS ?= 2

# A sanitizer's report must not pass for a refusal.
export ASAN_OPTIONS := exitcode=99
export UBSAN_OPTIONS := exitcode=99:print_stacktrace=1

.PHONY: run-tests
run-tests: all example $(TEST_KERNELS) $(UNIT_TESTS) $(FUZZ_REPLAYS) $(OUT)/tests/reseal
	OUT=$(OUT) prove -j$(JOBS) --exec '' $(TESTS)

# What of tool/ the tests run, as a table.  Less than COVERAGE_MIN percent of all lines is
# a failure.  (Some tests run the tool where it may not write, or look at its stderr.)
COVERAGE_MIN := 90
ifeq ($(COVERAGE),1)
$(TOOL) $(UNIT_TESTS) $(FUZZ_REPLAYS) $(OUT)/tests/reseal: $(OUT)/tests/coverage/dump.o
endif

.PHONY: coverage
coverage:
	@scripts/deps coverage
	@rm -rf build/coverage
	@GCOV_ERROR_FILE=/dev/null $(MAKE) --no-print-directory COVERAGE=1 CC=gcc CFLAGS="-O0 -g" run-tests
	@gcovr --root . --filter tool/ --sort-percentage --fail-under-line $(COVERAGE_MIN) build/coverage

# The matrix of machines, as a table.
.PHONY: run-matrix
run-matrix: all $(TEST_KERNELS)
	@OUT=$(OUT) LONG=1 TABLE=1 tests/boot/matrix.sh

# What the loader makes of bad firmware, as a table.
.PHONY: firmware
firmware: all $(TEST_KERNELS)
	@TABLE=1 OUT=$(OUT) tests/boot/firmware.sh

# The hexdumps in tests/golden/, when they are meant to change.
.PHONY: rebase-golden
rebase-golden: all
	REBASE=1 OUT=$(OUT) tests/cli/golden.sh
