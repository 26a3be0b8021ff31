#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What "mkbootimg new" makes, as its user finds it: make run, make test, make debug
# (cargo run, cargo test), and the editor's way to debug; in the tree and installed.
. "$(dirname "$0")/../lib.sh"

unset CFLAGS CPPFLAGS LDFLAGS RUSTFLAGS CARGO_TARGET_DIR CARGO_BUILD_TARGET MKBOOTIMG_CONFIG
unset RUN_OPTIONS TEST_OPTIONS DEBUG_OPTIONS PKG_CONFIG_PATH
export CARGO_NET_OFFLINE=true CARGO_TERM_COLOR=never
mkdir tmp && export TMPDIR=$PWD/tmp
LONGER=300	# seconds, with a compiler

languages=(c asm)
host=$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')
if ! command -v cargo >/dev/null || ! cargo --version >/dev/null 2>&1; then
	skip "rust" "cargo is not installed"
elif [ "$host" != x86_64-unknown-linux-gnu ]; then
	skip "rust" "rustc's own target is '$host'"
else
	languages+=(rust)
fi
if ! command -v gdb >/dev/null; then
	skip "make debug" "gdb is not installed"
fi

# within COMMAND...: in the project $project.
within() { timeout -s KILL "$LONGER" env -C "$project" "$@"; }

# build NAME STATUS COMMAND...: likewise, as "try"; ./both is all that was said.
build() {
	local name=$1 status=$2
	shift 2
	try "$name" "$status" within "$@"
	cat out err >both
}

# fails NAME COMMAND...: which status depends on make and cargo.
fails() {
	local name=$1
	shift
	if within "$@" >out 2>err </dev/null; then fail "$name" out err; else pass "$name"; fi
	cat out err >both
}

# no_warnings NAME: neither the compiler nor the linker has any.
no_warnings() {
	grep -i warning both >warnings
	empty "$1: no warning" warnings
}

# boots_all NAME LANGUAGE: the three commands.
boots_all() {
	local name=$1 main=kernel_main
	build "$name: make" 0 make
	no_warnings "$name: make"
	build "$name: make run" 0 make run
	has "$name: make run: says Hello World" out "Hello World!"
	has "$name: make run: knows its memory" out " KiB of memory are free."
	build "$name: make test" 0 make test
	no_warnings "$name: make test"
	has "$name: make test: console" both "tests/console"
	has "$name: make test: memory" both "tests/memory"
	if command -v gdb >/dev/null; then
		[ "$2" = rust ] && main=kernel::main
		printf '%s\n' "break $main" continue backtrace continue >commands
		within make debug DEBUG_OPTIONS="--headless -c exit" >out 2>err <commands
		has "$name: make debug: stops at the first instruction" out "Breakpoint 1, "
		has "$name: make debug: stops where it was told to" out "Breakpoint 2, $main"
		has "$name: make debug: knows the caller" out "_start"
		has "$name: make debug: goes on" out "Hello World!"
	fi
}

# edits_debug NAME: as VS Code does: the task of tasks.json, until it says that it is ready;
# then GDB on the program of launch.json, at its address.
edits_debug() {
	local name=$1 port=$((20000 + $$ % 10000)) program ready pid
	sed -i "s/1234/$port/" "$project"/.vscode/*.json
	cat >settings.py <<-'END'
		import json, re, sys
		def read(name):
		    return json.loads(re.sub(r"(?m)^\s*//.*$", "", open(sys.argv[1] + "/.vscode/" + name).read()))
		launch = read("launch.json")["configurations"][0]
		task = [t for t in read("tasks.json")["tasks"] if t["label"] == launch["preLaunchTask"]][0]
		for text in (task["command"], task["problemMatcher"]["background"]["endsPattern"],
		             launch["program"].replace("${workspaceFolder}/", ""), launch["miDebuggerServerAddress"]):
		    print(text)
	END
	try "$name: its files are JSON" 0 python3 settings.py "$project"
	{ read -r command; read -r ready; read -r program; read -r address; } <out
	(cd "$project" && exec timeout "$SECONDS_MAX" bash -c "$command") >task.out 2>&1 </dev/null &
	pid=$!
	for _ in $(seq $((10 * SECONDS_MAX))); do
		grep -q "$ready" task.out || ! kill -0 $pid 2>/dev/null && break
		sleep 0.1
	done
	check "$name: the task is ready" grep -q "$ready" task.out
	within gdb -nx -batch -ex "file $program" -ex "target remote $address" -ex "break $2" -ex continue \
		-ex backtrace -ex kill >out 2>err </dev/null
	wait $pid
	has "$name: GDB stops at $2" out "Breakpoint 1, $2"
	has "$name: and knows the source" out "src/main."
}

# ---- Each language -----------------------------------------------------------

# Not all of what is built: a directory there may have a compiler's name.
mkdir -p bin
ln -s "$OUT/mkbootimg" bin/
PATH=$PWD/bin:$PATH
for language in "${languages[@]}"; do
	project=$PWD/my-$language
	try "$language: new" 0 mkbootimg new "my-$language" --lang "$language"
	boots_all "$language" "$language"

	kernel=build/kernel.elf image=build/kernel.img main=kernel_main extension=$language
	[ "$language" = rust ] &&
		kernel=target/x86_64-unknown-linux-gnu/debug/kernel image=target/kernel.img main=kernel::main extension=rs
	build "$language: make image" 0 make image
	try "$language: boots in a window, too, and stays" 120 mkbootimg run --headless --timeout 30 "$project/$image"
	has "$language: says Hello World" out "Hello World!"
	try "$language: on the screen" 0 mkbootimg run --headless --screen -c exit "$project/$kernel"
	has "$language: Hello World is to be seen" err "Hello World!"
	build "$language: where there is a display" 0 make -n run DISPLAY=:0
	has_not "$language: it is used" out headless
	try "$language: what the kernel is to be built of" 0 mkbootimg inspect "$project/$kernel"
	has_not "$language: no segment is both writable and executable" out "rwx"

	# Nothing is built twice, and what changes is built again.
	build "$language: make, again" 0 make
	has_not "$language: nothing is built" both "kernel.elf"
	has_not "$language: nothing is compiled" both "Compiling"
	sed -i 's/Hello World!/Good morning!/' "$project/src/main.$extension"
	build "$language: make run, of a change" 0 make run
	has "$language: is of the change" out "Good morning!"
	sed -i 's/80200000/80400000/' "$project/kernel.ld"
	build "$language: make, of another kernel.ld" 0 make
	try "$language: another kernel.ld" 0 mkbootimg inspect "$project/$kernel"
	has "$language: the kernel lies there" out "0xffffffff80400000"

	# Tests that fail do.
	case $language in
	c | rust) sed -i 's/usable >= 1024/usable < 1024/' "$project/tests/memory.$extension" && where="tests/memory.$extension:" ;;
	asm) sed -i 's/check ae, "a m/check b, "a m/' "$project/tests/memory.asm" && where="not so: a megabyte is usable" ;;
	esac
	fails "$language: a test that fails: make test fails" make test
	has "$language: a test that fails: where" both "$where"
	has "$language: a test that fails: the other one was run" both "tests/console"

	# (It is kept what a test said that failed.)
	rm -rf tmp/mkbootimg-logs.*

	if command -v gdb >/dev/null && command -v python3 >/dev/null; then
		edits_debug "$language: the editor" "$main"
	else
		skip "$language: the editor" "gdb or python3 is not installed"
	fi
	build "$language: make clean" 0 make clean
	check "$language: make clean: nothing is left" test ! -e "$project/build" -a ! -e "$project/target"
	check "$language: nothing is left in TMPDIR" test -z "$(ls -A tmp)"
done

# ---- Other compilers, and cargo ----------------------------------------------

project=$PWD/my-c
sed -i 's/usable < 1024/usable >= 1024/' my-c/tests/memory.c
if command -v clang >/dev/null && command -v ld.lld >/dev/null; then
	build "c: clang and lld" 0 make run CC=clang LD=ld.lld
	has "c: clang and lld: boots" out "Good morning!"
	no_warnings "c: clang and lld"
	build "c: clang and lld: make test" 0 make test CC=clang LD=ld.lld
	build "c: make clean" 0 make clean
else
	skip "c: clang and lld" "one of them is not installed"
fi
for level in -O0 -O3 -Os; do
	build "c: $level" 0 make run test CFLAGS="$level -Wall -Wextra -Werror"
	build "c: make clean" 0 make clean
done

# What the compiler calls by itself.
cat >my-c/tests/string.c <<'END'
#include "check.h"

void *memcpy(void *to, const void *from, unsigned long count);
void *memmove(void *to, const void *from, unsigned long count);
void *memset(void *to, int value, unsigned long count);
int memcmp(const void *left, const void *right, unsigned long count);

static char a[] = "0123456789", b[11];

void kernel_main(const struct mkbootimg_info *info)
{
	(void)info;
	CHECK(memcpy(b, a, 11) == b && memcmp(a, b, 11) == 0);
	CHECK(memmove(a + 2, a, 5) == a + 2 && memcmp(a, "0101234789", 11) == 0);
	CHECK(memmove(b, b + 2, 5) == b && memcmp(b, "2345656789", 11) == 0);
	CHECK(memset(a, 'x', 3) == a && memcmp(a, "xxx1234789", 11) == 0);
	CHECK(memmove(a, a, 0) == a && memcmp(a, b, 0) == 0);
	CHECK(memcmp("a", "b", 1) < 0 && memcmp("\xff", "b", 1) > 0);
	finish(true);
}
END
build "c: what the compiler calls" 0 make test CFLAGS="-O2 -g -fno-builtin"
has "c: what the compiler calls: tested" out "tests/string.elf"

if [[ " ${languages[*]} " == *" rust "* ]]; then
	project=$PWD/my-rust
	# Where no option can be given, mkbootimg.conf has them.
	printf '[build]\ncmdline = exit\n' >my-rust/mkbootimg.conf
	sed -i 's/usable < 1024/usable >= 1024/' my-rust/tests/memory.rs
	build "rust: cargo run" 0 cargo run
	has "rust: cargo run: boots" out "Good morning!"
	build "rust: cargo run --release" 0 cargo run --release
	has "rust: cargo run --release: boots" out "Good morning!"
	build "rust: cargo test" 0 cargo test
	build "rust: cargo test --release" 0 cargo test --release
	sed 's/^fn main.*/&\n    assert!(_info.boot_drive == 1, "of a purpose");/' my-rust/tests/console.rs >changed.rs
	mv changed.rs my-rust/tests/console.rs
	fails "rust: a panic" cargo test --test console
	has "rust: a panic: says so" out "of a purpose"
	if command -v cargo-fmt >/dev/null && within cargo fmt --version >out 2>&1; then
		mkbootimg new formatted --lang rust && project=$PWD/formatted
		build "rust: cargo fmt has nothing to do" 0 cargo fmt --check
	fi

	# What the compiler calls by itself.
	project=$PWD/my-rust
	cat >my-rust/tests/console.rs <<-'END'
		#![no_std]
		#![no_main]
		use kernel::machine::{finish, Verdict};

		kernel::entry!(main);

		/// The same, but the compiler does not know.
		fn black_box<T: Copy>(value: T) -> T {
		    unsafe { (&value as *const T).read_volatile() }
		}

		fn main(_info: &'static kernel::mkbootimg::Info) {
		    let mut a = *b"0123456789";
		    let n = black_box(5);
		    a.copy_within(0..n, 2);
		    assert_eq!(&a, b"0101234789");
		    a.copy_within(2..2 + n, 0);
		    assert_eq!(&a, b"0123434789");
		    a[..black_box(3)].fill(b'x');
		    assert_eq!(&a, b"xxx3434789");
		    assert!(a[..n] > b"xxx2z"[..n] && a[..n] < b"xxx4a"[..n]);
		    let large = black_box([7u64; 1000]);
		    let copy = black_box(large);
		    assert!(copy.iter().sum::<u64>() == 7000);
		    finish(Verdict::Success)
		}
	END
	for profile in --profile=dev --release; do
		build "rust: what the compiler calls, $profile" 0 cargo test --test console $profile
	done
fi

# ---- Installed ---------------------------------------------------------------

# In a home directory, from a copy of the tree, without anything that finds it but PATH.
mkdir -p src/build home
for entry in "$ROOT"/*; do
	[ "${entry##*/}" = build ] || cp -a "$entry" src/
done
cp -a "$OUT/mkbootimg" "$OUT/share" "$OUT/tool" src/build/
try "make install" 0 make -C src install PREFIX="$PWD/home/.local"
rm -rf src
PATH=$PWD/home/.local/bin:${PATH#*:}
check "the installed one is called" test "$(command -v mkbootimg)" = "$PWD/home/.local/bin/mkbootimg"
for language in "${languages[@]}"; do
	project=$PWD/home/k-$language
	try "installed, $language: new" 0 env -C home mkbootimg new "k-$language" --lang "$language"
	boots_all "installed, $language" "$language"
done

done_testing
