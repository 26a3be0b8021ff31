# SPDX-License-Identifier: MIT
#
# make		build the tool (build/mkbootimg) and its loader
# make help	everything else

VERSION := 0.1.0
OUT := build

# ---- Knobs -----------------------------------------------------------------

CC ?= gcc
NASM ?= nasm
CFLAGS ?= -O2 -g
# SANITIZE=1: AddressSanitizer and UndefinedBehaviorSanitizer
# WERROR=0: warnings are not errors
# V=1: show the commands
# DEPS=no: make run, check, check-long, coverage, matrix and bench install and download nothing

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @echo
endif

# ---- Flags that are ours ---------------------------------------------------

LIBRARIES := libelf libdw zlib liblz4 jansson inih blkid
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings
OUR_CFLAGS := -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-DMKBOOTIMG_VERSION='"$(VERSION)"' -Iinclude -Itool $(WARNINGS) -MMD -MP
OUR_CFLAGS += $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
OUR_LIBS := $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null || echo -lelf -ldw -lz -llz4 -ljansson -linih -lblkid)
ifneq ($(WERROR),0)
OUR_CFLAGS += -Werror
endif
ifeq ($(SANITIZE),1)
OUT := build/sanitize
OUR_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OUR_LIBS += -fsanitize=address,undefined
endif
# FUZZER=1, for "make fuzz" only: the same, and what guides libFuzzer
ifeq ($(FUZZER),1)
OUT := build/fuzz
OUR_CFLAGS += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OUR_LIBS += -fsanitize=address,undefined
endif
# COVERAGE=1, for "make coverage" only: what has run is counted.  gcc saves the counts
# before fork() and exec() where it knows these for what they are, in GNU C.
ifeq ($(COVERAGE),1)
OUT := build/coverage
OUR_CFLAGS += -std=gnu17 --coverage
OUR_LIBS += --coverage -Wl,--wrap=_exit,--wrap=raise
endif

# ---- The tool --------------------------------------------------------------

TOOL := $(OUT)/mkbootimg
SOURCES := $(filter-out tool/main.c,$(wildcard tool/*.c tool/*/*.c))
OBJECTS := $(SOURCES:%.c=$(OUT)/%.o)
MAIN_OBJECT := $(OUT)/tool/main.o

# The loader lies beside the tool as it will when installed: its sources, and
# a variant for each protocol for machines without NASM.
SHARE := $(OUT)/share/mkbootimg/bootloader
LOADER_SOURCES := $(wildcard bootloader/*.asm bootloader/*.inc)
LOADER_COPIES := $(LOADER_SOURCES:bootloader/%=$(SHARE)/%) $(SHARE)/bootabi.inc
LOADER_VARIANTS := $(foreach protocol,NATIVE MULTIBOOT1 MULTIBOOT2 PVH BOOTLOADER_09,$(SHARE)/PROTOCOL_$(protocol).bin)

# What "mkbootimg new" copies, in links, too, which lead to what templates share.
TEMPLATES := $(shell find -L templates -type f | sort)
TEMPLATE_DIRS := $(sort $(patsubst %/,%,$(dir $(TEMPLATES))))
TEMPLATE_LINK := $(OUT)/share/mkbootimg/templates

# "man mkbootimg-run" is mkbootimg(1), for each command of its SYNOPSIS.
COMMANDS := $(sort $(shell sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/s/^\.Cm //p' man/mkbootimg.1))
MANUAL_ALIASES := $(COMMANDS:%=$(OUT)/man/mkbootimg-%.1)

.DELETE_ON_ERROR:
.PHONY: all run check check-long matrix bench example run-example docs install uninstall dist lint clean help

all: $(TOOL) $(LOADER_COPIES) $(LOADER_VARIANTS) $(TEMPLATE_LINK) $(MANUAL_ALIASES)

$(TOOL): $(MAIN_OBJECT) $(OBJECTS)
	$(say) "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(OUR_LIBS)

$(OUT)/%.o: %.c Makefile
	$(say) "  CC      $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<

$(SHARE)/%: bootloader/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

# "#define NAME value" becomes "%define NAME value"; all else is comment.
$(SHARE)/bootabi.inc: include/bootabi.h
	@mkdir -p $(@D)
	$(Q)sed -n 's,/\*.*,,; s/^#define \([A-Z0-9_]*\)[[:space:]][[:space:]]*\([^[:space:]]\)/%define \1 \2/p' $< > $@

# A variant ends with its CRC-32, as the tool's cache has it: gzip's trailer
# begins with that.
$(SHARE)/%.bin: $(LOADER_COPIES)
	$(say) "  NASM    $@"
	$(Q)$(NASM) -w+all -f bin -I$(SHARE)/ -D$* -o $@ $(SHARE)/loader.asm
	$(Q)gzip -c $@ | tail -c 8 | head -c 4 >> $@

$(TEMPLATE_LINK):
	@mkdir -p $(@D)
	$(Q)ln -srfn templates $@

$(MANUAL_ALIASES): $(OUT)/man/mkbootimg-%.1:
	@mkdir -p $(@D)
	@echo ".so man1/mkbootimg.1" > $@

-include $(OBJECTS:.o=.d) $(MAIN_OBJECT:.o=.d)

# ---- What users and developers call ----------------------------------------

# Both install what is missing first, and so see the libraries only in a make
# of their own.
run:
	@scripts/deps run
	@$(MAKE) --no-print-directory run-example

check check-long:
	@$(if $(filter check-long,$@),LONG=1) scripts/deps check
	$(if $(filter %/real.sh,$(TESTS)),@scripts/real-kernels || :)
	@$(MAKE) --no-print-directory run-tests $(if $(filter check-long,$@),LONG=1)
	$(if $(filter check-long,$@),@$(MAKE) --no-print-directory valgrind)
	$(if $(filter check-long,$@),@$(MAKE) --no-print-directory fuzz)

matrix:
	@scripts/deps check
	@$(MAKE) --no-print-directory run-matrix

# QUICK=1: in two minutes; BENCH="boot build run": these parts; DISKS="ahci ide ...": these disks;
# LIMINE=DIR, BOOTIMAGE=FILE: beside these, too (bench/README.md)
bench:
	@scripts/deps bench
	@$(MAKE) --no-print-directory
	@OUT=$(OUT) bench/bench.py --output $(OUT)/bench $(if $(QUICK),--quick) $(DISKS:%=--disk=%) $(BENCH)

example: all
	@$(MAKE) --no-print-directory -C example-kernel

# In a window it stays until that is closed; without a display it ends itself.
run-example: example
ifneq ($(DISPLAY)$(WAYLAND_DISPLAY),)
	@$(MAKE) --no-print-directory -C example-kernel run
else
	@$(MAKE) --no-print-directory -C example-kernel run CMDLINE=exit RUN_OPTIONS=--headless
endif

# The files in docs that are made, for when the manual, a sentence or what the example
# kernel shows has changed.  It stops for good, which is status 120.
docs: example
	$(Q)$(TOOL) inspect --svg docs/layout.svg example-kernel/kernel.elf
	$(Q)$(TOOL) run --headless --timeout 60 --screenshot docs/hello.png -c "from the command line" \
		example-kernel/kernel.elf >/dev/null 2>&1 || [ $$? -eq 120 ]
	$(Q)PATH="$(abspath $(OUT)):$$PATH" scripts/recording docs/recording.txt > $(OUT)/recording.txt
	$(Q)cp $(OUT)/recording.txt docs/recording.txt
	$(Q)scripts/troubleshooting.py docs/troubleshooting.md > $(OUT)/troubleshooting.md
	$(Q)cp $(OUT)/troubleshooting.md docs/troubleshooting.md

lint:
	cppcheck --std=c11 --enable=warning,performance,portability --error-exitcode=1 --quiet \
		--suppress=missingIncludeSystem --inline-suppr -D_GNU_SOURCE -DMKBOOTIMG_VERSION='""' \
		-Iinclude -Itool tool
	clang-tidy --quiet tool/*.c tool/*/*.c tests/fuzz/*.c -- -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-DMKBOOTIMG_VERSION='""' -Iinclude -Itool -Itests/unit 2>/dev/null
	shellcheck -x -S warning -e SC1091 .ci/run completions/mkbootimg $(filter-out %.py,$(wildcard scripts/*)) tests/lib.sh tests/*/*.sh bench/images/*
	pyflakes3 bench/*.py scripts/*.py tests/*.py
	mandoc -Tlint -W warning man/*

clean:
	rm -rf build
	@$(MAKE) --no-print-directory -C example-kernel clean

help:
	@echo "make            build the tool (build/mkbootimg); installs nothing"
	@echo "make run        boot the example kernel; installs what is missing (DEPS=no: does not)"
	@echo "make check      run all tests; likewise.  TESTS=FILE... some, JOBS=N at a time"
	@echo "make check-long the same, with what takes minutes: all machines, all of Bochs, valgrind, fuzzing"
	@echo "make matrix     boot kernels on a hundred kinds of machine, and print a table"
	@echo "make firmware   boot on bad firmware, one table of it all.  ROWS=PATTERN some of it"
	@echo "make coverage   print what of the tool the tests run, a line per file; installs what is missing"
	@echo "make bench      compare with GRUB, syslinux, qemu -kernel and the least that loading can cost;"
	@echo "                installs these.  QUICK=1 in two minutes, BENCH=\"boot build run\" some of it"
	@echo "make fuzz       fuzz what reads files, each for FUZZ_SECONDS (600); installs what is missing"
	@echo "make valgrind   run what calls the program's code under valgrind; likewise"
	@echo "make install    install it all into PREFIX (/usr/local); DESTDIR=DIR goes before it"
	@echo "make uninstall  remove what make install put there, with the same PREFIX and DESTDIR"
	@echo "make docs       make the files in docs anew that show what the tool says and draws"
	@echo "make dist       pack what is committed into build/mkbootimg-VERSION.tar.gz, the same bytes each time"
	@echo "make lint       static analysis (cppcheck, clang-tidy, shellcheck, mandoc)"
	@echo "make analyze    static analysis by gcc -fanalyzer"
	@echo "make clean      remove what was built"
	@echo
	@echo "CC, CFLAGS, LDFLAGS, NASM as usual; V=1 shows commands, WERROR=0 lets warnings be,"
	@echo "SANITIZE=1 builds into build/sanitize with ASan and UBSan"

# ---- Installing ------------------------------------------------------------

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(DATADIR)/man
PKGCONFIGDIR ?= $(DATADIR)/pkgconfig
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
CMAKEDIR ?= $(DATADIR)/cmake/Mkbootimg
FISHCOMPDIR ?= $(DATADIR)/fish/vendor_completions.d

files_in = $(foreach file,$(TEMPLATES),$(if $(filter $(1)/,$(dir $(file))),$(file)))
define newline


endef

# What goes where: $(call installation,DO) is $(call DO,MODE,DIRECTORY,FILES)
# for all of it.
define installation
$(call $(1),755,$(BINDIR),$(TOOL))
$(call $(1),644,$(DATADIR)/mkbootimg/bootloader,$(LOADER_COPIES) $(LOADER_VARIANTS))
$(call $(1),644,$(DATADIR)/doc/mkbootimg,LICENSE)
$(foreach directory,$(TEMPLATE_DIRS),$(call $(1),644,$(DATADIR)/mkbootimg/$(directory),$(call files_in,$(directory)))$(newline))
$(call $(1),644,$(INCLUDEDIR),include/mkbootimg.h include/mkbootimg.inc include/mkbootimg.rs)
$(call $(1),644,$(PKGCONFIGDIR),mkbootimg.pc.in)
$(call $(1),644,$(DATADIR)/mkbootimg,integration/mkbootimg.mk)
$(call $(1),644,$(CMAKEDIR),integration/MkbootimgConfig.cmake integration/MkbootimgConfigVersion.cmake.in)
$(call $(1),644,$(BASHCOMPDIR),completions/mkbootimg)
$(call $(1),644,$(ZSHCOMPDIR),completions/_mkbootimg)
$(call $(1),644,$(FISHCOMPDIR),completions/mkbootimg.fish)
$(call $(1),644,$(MANDIR)/man1,$(wildcard man/*.1) $(MANUAL_ALIASES))
$(call $(1),644,$(MANDIR)/man5,$(wildcard man/*.5))
$(call $(1),644,$(MANDIR)/man7,$(wildcard man/*.7))
endef

put = $(if $(3),$(Q)install -D -m $(1) -t "$(DESTDIR)$(2)" $(3))
take = $(if $(3),$(Q)rm -f $(foreach file,$(notdir $(3:.in=)),"$(DESTDIR)$(2)/$(file)"))

# The tool looks for its loader in ../share, seen from its own directory.
install: all
	$(if $(filter-out $(abspath $(DATADIR)),$(abspath $(BINDIR)/../share)),\
		$(error DATADIR must be BINDIR/../share, or the tool would not find its loader))
	$(say) "  INSTALL $(DESTDIR)$(BINDIR)/mkbootimg"
	$(call installation,put)
	$(Q)for file in "$(DESTDIR)$(PKGCONFIGDIR)/mkbootimg.pc" "$(DESTDIR)$(CMAKEDIR)/MkbootimgConfigVersion.cmake"; do \
		mv -f "$$file.in" "$$file" && sed -i -e 's|@PREFIX@|$(PREFIX)|' -e 's|@DATADIR@|$(DATADIR)|' \
			-e 's|@VERSION@|$(VERSION)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|=$(PREFIX)/|=$${prefix}/|' \
			"$$file" || exit; \
	done

# Of directories only those that are mkbootimg's alone go, if nothing else is in
# them.
uninstall:
	$(say) "  REMOVE  $(DESTDIR)$(BINDIR)/mkbootimg"
	$(call installation,take)
	@find "$(DESTDIR)$(DATADIR)/mkbootimg/templates" -type d -empty -delete 2>/dev/null || :
	@rmdir "$(DESTDIR)$(DATADIR)/mkbootimg/bootloader" "$(DESTDIR)$(DATADIR)/mkbootimg" "$(DESTDIR)$(CMAKEDIR)" \
		"$(DESTDIR)$(DATADIR)/doc/mkbootimg" 2>/dev/null || :

# ---- Releases ---------------------------------------------------------------

# What is committed, the same bytes each time: of the commit's time, and nobody's.
DISTDIR ?= build
dist:
	@mkdir -p "$(DISTDIR)"
	$(say) "  DIST    $(DISTDIR)/mkbootimg-$(VERSION).tar.gz"
	$(Q)git -c tar.umask=0022 archive --format=tar --prefix=mkbootimg-$(VERSION)/ HEAD > "$(DISTDIR)/mkbootimg.tar"
	$(Q)gzip -9nc "$(DISTDIR)/mkbootimg.tar" > "$(DISTDIR)/mkbootimg-$(VERSION).tar.gz"
	$(Q)rm "$(DISTDIR)/mkbootimg.tar"

# ---- Tests -----------------------------------------------------------------

include tests/tests.mk
