# SPDX-License-Identifier: MIT
#
# For a kernel's Makefile: the targets image, run, test and debug.
#
#	MKBOOTIMG_KERNEL := build/kernel.elf
#	include $(shell pkg-config --variable=makefile mkbootimg)
#
#	image	make MKBOOTIMG_IMAGE, if what it is made of, or an option, has changed
#	run	boot the kernel in QEMU
#	test	boot each kernel of MKBOOTIMG_TESTS (MKBOOTIMG_KERNEL), and judge it
#	debug	boot the kernel under GDB
#
# How a kernel is linked remains the Makefile's, which sets before the include what it
# wants; all but the first have defaults:
#
#	MKBOOTIMG_KERNEL	the kernel's file
#	MKBOOTIMG_IMAGE		the image's (the kernel's, .elf replaced by .img)
#	MKBOOTIMG_CMDLINE	the kernel's command line
#	MKBOOTIMG_MODULES	files to load along, FILE or FILE=NAME
#	MKBOOTIMG_OPTIONS	other options of build, for all
#	MKBOOTIMG_RUN_OPTIONS, MKBOOTIMG_TEST_OPTIONS, MKBOOTIMG_DEBUG_OPTIONS
#	MKBOOTIMG_QEMU_ARGS	for QEMU, under run and debug
#	MKBOOTIMG_TESTS		kernels that are tests
#	MKBOOTIMG		the program (the one beside this file, else in PATH)
#
# Needs GNU make 4.2.

ifeq ($(MKBOOTIMG_KERNEL),)
$(error set MKBOOTIMG_KERNEL to the kernel's file before mkbootimg.mk is included)
endif

# Seen from share/mkbootimg/, and now: this is the last file read only while it is.
mkbootimg-beside := $(firstword $(wildcard $(abspath $(dir $(lastword $(MAKEFILE_LIST)))../../bin/mkbootimg)) mkbootimg)
MKBOOTIMG ?= $(mkbootimg-beside)
MKBOOTIMG_IMAGE ?= $(MKBOOTIMG_KERNEL:.elf=).img
MKBOOTIMG_TESTS ?= $(MKBOOTIMG_KERNEL)

mkbootimg-quote = '$(subst ','\'',$(1))'
mkbootimg-plan = $(if $(MKBOOTIMG_CMDLINE),--cmdline $(call mkbootimg-quote,$(MKBOOTIMG_CMDLINE))) \
	$(addprefix --module ,$(MKBOOTIMG_MODULES)) $(MKBOOTIMG_OPTIONS)

# FILE of FILE=NAME.
mkbootimg-modules = $(foreach module,$(MKBOOTIMG_MODULES),$(firstword $(subst =, ,$(module))))

# How the image was made; if that is no longer how it would be made, this is out of
# date.  A mkbootimg.conf that comes or goes counts, too.
mkbootimg-stamp := $(MKBOOTIMG_IMAGE).how
mkbootimg-how = $(strip $(MKBOOTIMG) $(mkbootimg-plan) \
	$(wildcard mkbootimg.conf ../mkbootimg.conf ../../mkbootimg.conf ../../../mkbootimg.conf))

.PHONY: image run test debug mkbootimg-changed

image: $(MKBOOTIMG_IMAGE)

$(MKBOOTIMG_IMAGE): $(MKBOOTIMG_KERNEL) $(mkbootimg-modules) $(mkbootimg-stamp) $(wildcard $(MKBOOTIMG))
	$(MKBOOTIMG) build --quiet $(mkbootimg-plan) --depfile $@.d -o $@ $(MKBOOTIMG_KERNEL)

ifneq ($(file <$(mkbootimg-stamp)),$(mkbootimg-how))
$(mkbootimg-stamp): mkbootimg-changed
endif
$(mkbootimg-stamp):
	@mkdir -p $(@D)
	@printf '%s\n' $(call mkbootimg-quote,$(mkbootimg-how)) >$@

run: $(MKBOOTIMG_KERNEL) $(mkbootimg-modules)
	$(MKBOOTIMG) run $(mkbootimg-plan) $(MKBOOTIMG_RUN_OPTIONS) $< $(MKBOOTIMG_QEMU_ARGS)

test: $(MKBOOTIMG_TESTS) $(mkbootimg-modules)
	$(MKBOOTIMG) test $(mkbootimg-plan) $(MKBOOTIMG_TEST_OPTIONS) $(MKBOOTIMG_TESTS)

debug: $(MKBOOTIMG_KERNEL) $(mkbootimg-modules)
	$(MKBOOTIMG) debug $(mkbootimg-plan) $(MKBOOTIMG_DEBUG_OPTIONS) $< $(MKBOOTIMG_QEMU_ARGS)

# The modules, and the mkbootimg.conf that was read with what it names.
-include $(MKBOOTIMG_IMAGE).d
# That may go again.
mkbootimg.conf ../mkbootimg.conf ../../mkbootimg.conf ../../../mkbootimg.conf:
