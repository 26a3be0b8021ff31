#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A cargo package for the crate bootloader 0.9, with "mkbootimg run" as its runner:
# what the crate's users write in Cargo.toml is what their kernel gets.
. "$(dirname "$0")/../lib.sh"

host=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')
if ! command -v cargo >/dev/null || ! cargo --version >/dev/null 2>&1; then
	skip "a package for bootloader 0.9" "cargo is not installed"
	done_testing
elif [ "$host" != x86_64-unknown-linux-gnu ]; then
	skip "a package for bootloader 0.9" "rustc's own target is '$host'"
	done_testing
fi

cp -r "$ROOT/tests/cargo-bootloader" original
unset RUSTFLAGS CARGO_BUILD_TARGET
export CARGO_TARGET_DIR=$PWD/target CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never
PATH=$OUT:$PATH
cp -r original package
cd package || exit 1

# (Each time with a new date, or cargo would not see that a file is the old one.)
restore() {
	cp -r ../original/. .
	find . -type f -exec touch {} +
}

# fails NAME COMMAND...: with which status depends on cargo's version.
fails() {
	local name=$1
	shift
	if "$@" >out 2>err </dev/null; then fail "$name" out err; else pass "$name"; fi
}

# run_by RUNNER COMMAND...: with another runner.
run_by() {
	CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=$1 "${@:2}"
}

# edit FILE SCRIPT: by sed, which must change something.
edit() {
	cp "$1" before
	sed -i "$2" "$1"
	if cmp -s "$1" before; then fail "sed '$2' $1"; fi
}

passed() { has "$1: passed" out "$1: passed"; }

# ---- As it is --------------------------------------------------------------------

try "cargo run" 0 cargo run
has "its feature: the physical map" out "physical_memory_offset: 0x18000000000"
has_not "and no other" out "recursive_page_table_addr"
has "the memory map's first region" out "region_type: FrameZero"
has "the end of BootInfo" out "_non_exhaustive: 0x0"
has_not "silently" err "warning"
try "cargo test" 0 cargo test --no-fail-fast
passed arithmetic
passed "floating point"
passed "memory map"
passed "usable memory"
passed "page tables"
passed should_panic
passed stack_overflow
try "cargo test --test memory" 0 cargo test --test memory
passed "memory map"
has_not "alone" out "should_panic"
try "run -v" 0 run_by "mkbootimg run -v" cargo run
has "says why" out "bootloader-0.9 because it is of package 'tutorial', which depends on bootloader 0.9.33"

# ---- Other features ----------------------------------------------------------------

edit Cargo.toml '/^bootloader = /s/"map_physical_memory", //'
try "without map_physical_memory" 0 cargo run
has_not "without map_physical_memory: BootInfo" out "physical_memory_offset"
has "without map_physical_memory: its end" out "_non_exhaustive: 0x0"
edit Cargo.toml '/^bootloader = /s/"sse"/"sse", "recursive_page_table"/'
try "recursive_page_table" 0 cargo run
has "recursive_page_table: BootInfo" out "recursive_page_table_addr: 0x8040201000"
restore
edit Cargo.toml 's/^default = .*/default = ["recursive"]/'
try "a feature of a feature" 0 cargo run
has "a feature of a feature: BootInfo" out "recursive_page_table_addr: 0x8040201000"
has "beside the dependency's own" out "physical_memory_offset: 0x18000000000"
restore

# The dependency in other words.
edit Cargo.toml '/^\[dependencies\]/s/.*/[target."cfg(target_arch = \\"x86_64\\")".dependencies]/'
try "for a target" 0 cargo run
has "for a target: BootInfo" out "physical_memory_offset: 0x18000000000"
edit Cargo.toml 's/^bootloader = {/boot = { package = "bootloader",/; s,"bootloader/,"boot/,'
edit src/main.rs 's/^use bootloader/use boot/'
try "by another name" 0 cargo run
has "by another name: BootInfo" out "physical_memory_offset: 0x18000000000"
restore

# Cargo.lock is gone when the runner comes: not resolved.
printf '#!/bin/sh\nrm Cargo.lock && exec mkbootimg run "$@"\n' >../unlocked
chmod +x ../unlocked
try "without Cargo.lock" 0 run_by ../unlocked cargo run
has "without Cargo.lock: the dependency's features" out "physical_memory_offset: 0x18000000000"
has "without Cargo.lock: a warning" err "only those that it names at the dependency count"
check "without Cargo.lock: none is made" test ! -e Cargo.lock

# ---- Other keys ----------------------------------------------------------------------

edit Cargo.toml 's/^kernel-stack-size.*/&\nphysical-memory-offset = "0x500000000000"\nboot-info-address = "0x123456789000"/'
try "addresses" 0 cargo run
has "physical-memory-offset" out "physical_memory_offset: 0x500000000000"
edit Cargo.toml '/^kernel-stack-size/s/40/41/'
fails "another stack size" cargo test --test memory
check "is what the kernel sees" grep -q 'left: `\?41' out
edit Cargo.toml 's/^kernel-stack-size/stack-size/'
fails "an unknown key" cargo run
has "which" err "[package.metadata.bootloader]: 'stack-size' is none of its keys"
restore

# ---- Other versions, other protocols ---------------------------------------------------

edit Cargo.toml '/^bootloader = /s/0\.9\.33/0.11.3/'
edit bootloader/Cargo.toml 's/0\.9\.33/0.11.3/'
fails "bootloader 0.11" cargo run
has "says so" err "Cargo.toml': the package depends on bootloader 0.11.3, whose protocol is not supported"
try "--protocol" 0 run_by "mkbootimg run --protocol native" cargo test --test basic_boot
passed arithmetic
restore

# ---- Tests that fail -------------------------------------------------------------------

edit tests/basic_boot.rs 's/, 42/, 43/'
fails "a test that panics" cargo test --no-fail-fast
has "says why" out "a panic: "
has "which one" err "\`--test basic_boot\`"
has "its status" err "the kernel ended with status 35"
passed should_panic
edit tests/should_panic.rs '/assert_eq/d'
fails "one that does not, but should" cargo test --test should_panic
has "says so" out "it did not panic"
edit tests/memory.rs 's/^    check_map(.*/    unsafe { asm!("ud2") };/'
fails "an exception" cargo test --test memory
has "ends the run" err "the kernel crashed"
restore

# ---- Under GDB ---------------------------------------------------------------------------

if command -v gdb >/dev/null; then
	printf '#!/bin/sh\nexec gdb -nx -batch "$@" -ex "info registers cr0" -ex "print/x \\$rsp"\n' >../gdb
	chmod +x ../gdb
	try "debug" 0 run_by "mkbootimg debug --headless --gdb $WORK/gdb" timeout 60 cargo run
	has "debug: SSE is on" out "0x80010013"
	has "debug: the stack is where it was put" out "0x700000028ff8"
else
	skip "debug" "gdb is not installed"
fi

cd ..
done_testing
