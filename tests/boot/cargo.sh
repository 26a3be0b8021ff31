#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A cargo package with "mkbootimg run" as its runner: cargo run and cargo test.
. "$(dirname "$0")/../lib.sh"

host=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')
if ! command -v cargo >/dev/null || ! cargo --version >/dev/null 2>&1; then
	skip "cargo run, cargo test" "cargo is not installed"
	done_testing
elif [ "$host" != x86_64-unknown-linux-gnu ]; then
	skip "cargo run, cargo test" "rustc's own target is '$host'"
	done_testing
fi

cp -r "$ROOT/tests/cargo" package
unset RUSTFLAGS CARGO_BUILD_TARGET
export CARGO_TARGET_DIR=$PWD/target CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never
PATH=$OUT:$PATH
cd package || exit 1

# passed TEST: it has run, and says so.
passed() { has "$1: passed" out "$1: passed"; }

try "cargo run" 0 cargo run
has "the kernel runs" out "the kernel runs"
try "cargo run -- ARGS" 0 cargo run -- -serial file:serial.txt
has "arguments go to QEMU" serial.txt "the kernel runs"

# fails NAME COMMAND...: with which status depends on cargo's version.
fails() {
	local name=$1
	shift
	if "$@" >out 2>err </dev/null; then fail "$name" out err; else pass "$name"; fi
}

# All succeed, by the status that the package names.
try "cargo test" 0 cargo test --no-fail-fast
passed arithmetic
passed memory
passed strings

sed -i 's/== 10/== 11/' tests/memory.rs
check "a test was broken" grep -q '== 11' tests/memory.rs
fails "a broken test: cargo test fails" cargo test --no-fail-fast
passed arithmetic
has "it panics" out "a panic"
has_not "it does not pass" out "memory: passed"
passed strings
has "which one" err "\`--test memory\`"
has "why" err "the kernel ended with status 65"

# Ends that must not pass for success.
sed -i '/assert/s/.*/    unsafe { core::arch::asm!("lidt [{}]", "ud2", in(reg) \&[0u64; 2]) };/' tests/memory.rs
fails "a triple fault: cargo test fails" cargo test --test memory
has "says so" err "the kernel crashed"
sed -i '/asm!/s/.*/    loop {}/' tests/memory.rs
sed -i 's/^test-timeout.*/test-timeout = 3/' Cargo.toml
fails "no end: cargo test fails" cargo test --test memory
has "after test-timeout" err "timed out after 3 seconds"

# The package is wrong.
sed -i 's/^test-timeout.*/test-timout = 3/' Cargo.toml
fails "an unknown key: cargo run fails" cargo run
has "which" err "'test-timout' is none of its keys"
has "where" err "Cargo.toml"

cd ..
done_testing
