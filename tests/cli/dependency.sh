#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# As a cargo runner: what follows from a package's dependency on the bootloader crate.
# Cargo is a script here; tests/boot/cargo-bootloader.sh has the real one.
. "$(dirname "$0")/../lib.sh"

mkdir -p package debug
cp "$KERNELS/state-low.elf" debug/k.elf
cp "$KERNELS/state32-mb1.elf" debug/multiboot.elf
# What it answers depends on the question: all dependencies, those for one platform,
# or what the manifest declares.  Without an answer it fails.
cat >cargo <<'END'
#!/bin/sh
echo "$*" >>"$0.args"
case " $* " in
*" --no-deps "*) answer=declared ;;
*" --filter-platform x86_64-unknown-none "*) answer=filtered ;;
*) answer=resolved ;;
esac
[ -s "$0.$answer" ] && exec cat "$0.$answer"
echo "error: no $answer answer" >&2
exit 101
END
chmod +x cargo
export CARGO=$PWD/cargo CARGO_MANIFEST_DIR=$PWD/package

# own DEPENDENCIES METADATA: the package itself.
own() {
	printf '{"name":"my_os","id":"my_os 0","manifest_path":"%s/package/Cargo.toml","dependencies":[%s],"metadata":%s}' \
		"$PWD" "$1" "$2"
}
# resolved VERSION FEATURES [METADATA]: it depends on bootloader.
resolved() {
	printf '{"packages":[{"name":"bootloader","id":"b","version":"%s","manifest_path":"/b/Cargo.toml"},%s],"resolve":{"nodes":[%s,%s]}}' \
		"$1" "$(own "" "${3:-null}")" \
		'{"id":"my_os 0","features":[],"deps":[{"pkg":"b","dep_kinds":[{"kind":null}]}]}' \
		"{\"id\":\"b\",\"features\":[$2],\"deps\":[]}"
}
# declared REQUIREMENT FEATURES [METADATA]: likewise, but it is not resolved.
declared() {
	printf '{"packages":[%s],"resolve":null}' \
		"$(own "{\"name\":\"bootloader\",\"req\":\"$1\",\"kind\":null,\"features\":[$2]}" "${3:-null}")"
}
# package RESOLVED [FILTERED [DECLARED]]: what cargo answers.
package() {
	echo '# bootloader' >package/Cargo.toml
	printf '%s' "$1" >cargo.resolved
	printf '%s' "${2:-}" >cargo.filtered
	printf '%s' "${3:-}" >cargo.declared
	: >cargo.args
}
# asked NAME N: cargo was asked N times.
asked() { check "$1: cargo is asked $2 times" test "$(wc -l <cargo.args)" -eq "$2"; }
dry() { "$MKBOOTIMG" "${BEFORE[@]}" run --headless --dry-run "$@"; }
BEFORE=()
# plans NAME [OPTION...]: what is on the image is in ./plan.
plans() {
	local name=$1
	shift
	try "$name" 0 dry "$@" debug/k.elf
	"$MKBOOTIMG" inspect debug/k.img >plan
}

package "$(resolved 0.9.33 '"map_physical_memory","sse","binary"')"
plans "a dependency on 0.9"
empty "a dependency on 0.9: silently" err
has "its protocol" plan "protocol bootloader-0.9"
has "its features: the physical map" plan "physical memory mapped at 0x18000000000"
has "its features: SSE" plan "SSE switched on"
has_not "and no others" plan "page tables mapped"
has "its stack" plan "stack 2048 KiB"
asked "a dependency on 0.9" 1
has "no network, and Cargo.lock stays" cargo.args " --frozen"
has "which manifest" cargo.args " --manifest-path $PWD/package/Cargo.toml"

# ---- What counts more ----------------------------------------------------------

package "$(resolved 0.9.33 '"recursive_page_table"' \
	'{"bootloader":{"kernel-stack-address":"0x20000000000","kernel-stack-size":10,"boot-info-address":"0x30000000000"}}')"
plans "[package.metadata.bootloader]"
has "the features" plan "page tables mapped at entry 1"
has "kernel-stack-address" plan "guard page at 0x20000000000"
has "kernel-stack-size" plan "stack 40 KiB"
has "boot-info-address" plan "BootInfo at 0x30000000000"
plans "options" --features map_physical_memory --kernel-stack-size 20 --boot-info-address 0x40000000000
has "the user's features" plan "physical memory mapped"
has_not "instead of the package's" plan "page tables mapped"
has "the user's stack" plan "stack 80 KiB"
has "the user's address" plan "BootInfo at 0x40000000000"
has "what the user did not say" plan "guard page at 0x20000000000"
plans "--protocol bootloader-0.9" --protocol bootloader-0.9
has "--protocol bootloader-0.9: the package counts" plan "stack 40 KiB"
plans "--protocol auto" --protocol auto
has "--protocol auto is no other protocol" plan "protocol bootloader-0.9"
printf '[build]\nstack-size = 32K\n' >mkbootimg.conf
plans "mkbootimg.conf"
has "mkbootimg.conf counts more" plan "stack 32 KiB"
rm mkbootimg.conf
try "an image" 0 dry debug/k.img

: >cargo.args
plans "--protocol native" --protocol native
has "--protocol native: nothing of the package" plan "protocol native"
asked "--protocol native" 0
BEFORE=(--no-config)
plans "--no-config"
has "--no-config: nothing of the package" plan "protocol native"
asked "--no-config" 0
BEFORE=()
try "build" 0 "$MKBOOTIMG" build -v -o b.img debug/k.elf
has "build is no runner" out "debug/k.elf: native because"

# ---- Where it cannot be resolved -----------------------------------------------

package "" "$(resolved 0.9.20 '"recursive_page_table"')"
plans "not all that is for other platforms is here"
empty "for other platforms: silently" err
has "for other platforms: the features" plan "page tables mapped"
asked "for other platforms" 2

package "" "" "$(declared '^0.9.20' '"sse"' '{"bootloader":{"kernel-stack-size":10}}')"
plans "not resolved"
has "not resolved: the protocol" plan "protocol bootloader-0.9"
has "not resolved: the declared features" plan "SSE switched on"
has "not resolved: the keys" plan "stack 40 KiB"
has "not resolved: which is said" err \
	"warning: '$PWD/package/Cargo.toml': 'cargo metadata' failed: no resolved answer: of bootloader's features, only those that it names at the dependency count"
check "not resolved: in one line" test "$(wc -l <err)" -eq 1
asked "not resolved" 3
plans "not resolved, -q" -q
empty "not resolved, -q: silently" err
plans "not resolved, --features" --features map_physical_memory
empty "not resolved, --features: they are known" err

package "" "" "$(declared '*' '')"
try "any version" 126 dry debug/k.elf
has "any version: says so" err "which version of bootloader the package depends on is not known: 'cargo metadata' failed: no resolved answer"
plans "any version, --protocol bootloader-0.9" --protocol bootloader-0.9
package ""
try "no answer at all" 126 dry debug/k.elf
has "no answer at all: the last reason" err "mkbootimg: run: 'cargo metadata' failed: no declared answer"

# ---- Other versions --------------------------------------------------------------

package "$(resolved 0.11.3 '"sse"' '{"bootloader":{"x":1}}')"
try "0.11" 126 dry debug/k.elf
has "0.11: says so" err "package/Cargo.toml': the package depends on bootloader 0.11.3, whose protocol is not supported"
has "0.11: what to do" err "use bootloader 0.9, name another --protocol, or boot an image"
try "0.11, debug" 126 "$MKBOOTIMG" debug --headless debug/k.elf
has "0.11, debug: says so" err "mkbootimg: debug: '$PWD/package/Cargo.toml': the package depends on bootloader 0.11.3"
plans "0.11, --protocol native" --protocol native
try "0.11, a kernel with a header" 0 dry debug/multiboot.elf
try "0.11, an image" 0 dry debug/k.img

# ---- What is wrong is said, and where ----------------------------------------------

# bad NAME FEATURES TABLE SENTENCE
bad() {
	package "$(resolved 0.9.33 "$2" "{\"bootloader\":$3}")"
	try "$1" 2 dry debug/k.elf
	has "$1: why" err "package/Cargo.toml': $4"
}
table="[package.metadata.bootloader]"
bad "an unknown key" '' '{"stack-size":3}' "$table: 'stack-size' is none of its keys"
has "an unknown key: the valid ones" err \
	"they are kernel-stack-address, kernel-stack-size, boot-info-address, physical-memory-offset"
bad "no string" '' '{"kernel-stack-address":2199023255552}' "$table: 'kernel-stack-address' is not a string"
has "no string: what to write" err 'write "0x20000000000"'
bad "no page" '' '{"boot-info-address":"0x10"}' "$table: 'boot-info-address' is not an address on a page boundary"
bad "no stack" '' '{"kernel-stack-size":0}' "$table: 'kernel-stack-size' is not a number of pages from 1 to 65536"
bad "an offset of nothing" '"sse"' '{"physical-memory-offset":"0x10000000000"}' \
	"$table: 'physical-memory-offset' is for the feature map_physical_memory"
try "debug" 2 "$MKBOOTIMG" debug --headless debug/k.elf
has "debug: why" err "mkbootimg: debug: '$PWD/package/Cargo.toml': $table: "
bad "no table" '' '[]' "package.metadata.bootloader is not a table"
package "$(resolved 0.9.33 '' '{"bootimage":{"x":1}}')"
try "bootimage's table" 2 dry debug/k.elf

# Packages that have nothing for us are not asked.
package ""
echo '[package]' >package/Cargo.toml
plans "nothing about bootloader"
has "nothing about bootloader: automatic" plan "protocol native"
asked "nothing about bootloader" 0
echo '# bootimage' >package/Cargo.toml
printf '%s' "$(declared '^0.9' '"sse"')" >cargo.declared
plans "nothing but bootimage"
asked "nothing but bootimage" 1

done_testing
