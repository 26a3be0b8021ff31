#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mkbootimg.inc and mkbootimg.rs say what mkbootimg.h says: every structure, member and
# constant, with its place, size and value.
. "$(dirname "$0")/../lib.sh"

# same NAME HERE THERE: "<" is only in mkbootimg.h, ">" only in the other one.
same() {
	if diff "$2" "$3" >differences && [ -s "$2" ]; then pass "$1"; else fail "$1" differences; fi
}

# "STRUCTURE MEMBER" and "CONSTANT", from the header without comments.
gcc -E -P -x c "$ROOT/include/mkbootimg.h" >header
awk '
$1 == "struct" && $3 == "{" { type = $2; next }
$1 == "};" { type = "" }
type != "" && /;$/ { member = $NF; gsub(/[*;]/, "", member); print type, member }
' header >members
cut -d' ' -f1 members | uniq >structures
{ cat header; gcc -E -dM -x c "$ROOT/include/mkbootimg.h"; } |
	grep -owE 'MKBOOTIMG_[A-Z0-9_]+' | grep -vx MKBOOTIMG_H | sort -u >constants
check "mkbootimg.h is read" test "$(wc -l <members)" -ge 50 -a "$(wc -l <structures)" -eq 5 -a "$(wc -l <constants)" -ge 15

# Their values: "NAME VALUE", and of a member "STRUCTURE MEMBER OFFSET SIZE".
{
	echo '#include <mkbootimg.h>'
	echo '#include <stddef.h>'
	echo '#include <stdio.h>'
	echo 'int main(void) {'
	while read -r name; do
		echo "printf(\"$name %llu\\n\", (unsigned long long)$name);"
	done <constants
	while read -r type; do echo "printf(\"$type %zu\\n\", sizeof(struct $type));"; done <structures
	while read -r type member; do
		echo "printf(\"$type $member %zu %zu\\n\", offsetof(struct $type, $member), sizeof(((struct $type *)0)->$member));"
	done <members
	echo '}'
} >values.c
check "mkbootimg.h compiles" gcc -I"$ROOT/include" -o values values.c
./values >c.values

# ---- NASM ----------------------------------------------------------------------

# (It has no sizes of members; these follow from the next one's offset.)
{
	cat constants
	sed 's/$/_size/' structures
	tr ' ' . <members
} >nasm.names
{
	echo '%include "mkbootimg.inc"'
	echo '%include "mkbootimg.inc"'
	sed 's/^/dq /' nasm.names
} >values.asm
check "mkbootimg.inc assembles" nasm -w+all -Werror -f bin -I"$ROOT/include/" -o values.bin values.asm
od -An -v -t u8 -w8 values.bin | tr -d ' ' | paste -d' ' nasm.names - >nasm.values
awk 'NF == 2 { print $1 ($1 ~ /^mk/ ? "_size" : ""), $2 } NF == 4 { print $1 "." $2, $3 }' c.values >c.nasm
same "mkbootimg.inc: all offsets and values" c.nasm nasm.values
awk '$1 == "struc" { type = $2 } $1 == "endstruc" { type = "" }
	type != "" && $1 ~ /^\..*:$/ { sub(":", "", $1); print type $1 }
	$1 == "%define" && $2 != "MKBOOTIMG_INC" { print $2 }' "$ROOT/include/mkbootimg.inc" | sort >nasm.has
{ cat constants; tr ' ' . <members; } | sort >c.has
same "mkbootimg.inc: nothing else" c.has nasm.has

# ---- Rust ----------------------------------------------------------------------

if ! command -v rustc >/dev/null; then
	skip "mkbootimg.rs" "rustc is not installed"
	done_testing
fi

# rust_type STRUCTURE: mkbootimg_memory_region is MemoryRegion.
rust_type() { sed -E 's/^mkbootimg//; s/_([a-z])/\U\1/g' <<<"$1"; }
{
	cat <<-'END'
		#![allow(dead_code)]
		include!("mkbootimg.rs");

		use std::mem::{size_of, MaybeUninit};
		use std::ptr::addr_of;

		fn size_behind<T>(_: *const T) -> usize {
		    size_of::<T>()
		}

		fn main() {
		    accessors();
	END
	while read -r name; do
		case $name in
		MKBOOTIMG_MEMORY_*) value="MemoryKind::${name#MKBOOTIMG_MEMORY_}.0" ;;
		MKBOOTIMG_FRAMEBUFFER_*) value="FramebufferKind::${name#MKBOOTIMG_FRAMEBUFFER_}.0" ;;
		*) value=${name#MKBOOTIMG_} ;;
		esac
		echo "println!(\"$name {}\", $value);"
	done <constants
	while read -r type; do echo "println!(\"$type {}\", size_of::<$(rust_type "$type")>());"; done <structures
	while read -r type member; do
		echo "{ let whole = MaybeUninit::<$(rust_type "$type")>::uninit();"
		echo "let part = unsafe { addr_of!((*whole.as_ptr()).$member) };"
		echo "println!(\"$type $member {} {}\", part as usize - whole.as_ptr() as usize, size_behind(part)); }"
	done <members
	cat <<-'END'
		}

		fn accessors() {
		    let mut info: Info = unsafe { MaybeUninit::zeroed().assume_init() };
		    assert!(!info.is_valid());
		    info.magic = INFO_MAGIC;
		    assert!(info.is_valid());
		    assert!(info.modules().is_empty() && info.memory_map().is_empty());
		    assert!(info.command_line().is_empty() && info.kernel_segments().is_empty());

		    let modules = [
		        Module { start: b"abc".as_ptr(), physical_start: 0, size: 3, name: b"first\0".as_ptr() },
		        Module { start: std::ptr::null(), physical_start: 0, size: 0, name: b"\0".as_ptr() },
		    ];
		    info.modules = modules.as_ptr();
		    info.module_count = 2;
		    assert!(info.modules().len() == 2);
		    assert!(info.modules()[0].bytes() == b"abc" && info.modules()[0].name() == b"first");
		    assert!(info.modules()[1].bytes() == b"" && info.modules()[1].name() == b"");

		    let line = b"one two\0";
		    info.command_line = line.as_ptr();
		    info.command_line_length = 7;
		    assert!(info.command_line() == b"one two");
		    let regions = [MemoryRegion { start: 1, size: 2, kind: MemoryKind::USABLE, reserved: 0 }; 3];
		    info.memory_map = regions.as_ptr();
		    info.memory_map_count = 3;
		    assert!(info.memory_map().len() == 3 && info.memory_map()[2].kind == MemoryKind::USABLE);
		    let segments = [Segment { virtual_start: 7, physical_start: 0, size: 0, flags: SEGMENT_READ, reserved: 0 }];
		    info.kernel_segments = segments.as_ptr();
		    info.kernel_segment_count = 1;
		    assert!(info.kernel_segments()[0].virtual_start == 7);
		}
	END
} >values.rs
cp "$ROOT/include/mkbootimg.rs" .
check "mkbootimg.rs compiles" rustc --edition 2021 -o rust-values values.rs
try "mkbootimg.rs: what it reads" 0 ./rust-values
same "mkbootimg.rs: all offsets, sizes and values" c.values out

done_testing
