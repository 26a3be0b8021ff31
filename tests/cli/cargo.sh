#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# As a cargo runner: what is taken from [package.metadata.bootimage], and what
# counts more.  Cargo is a script here; tests/boot/cargo.sh has the real one.
. "$(dirname "$0")/../lib.sh"

mkdir -p package debug/deps rustdoctestAbc
cp "$KERNELS/ends.elf" debug/k.elf
cp "$KERNELS/ends.elf" debug/deps/t.elf
cp "$KERNELS/ends.elf" rustdoctestAbc/rust_out
cat >cargo <<'END'
#!/bin/sh
printf '%s\n' "$@" >"$0.args"
cat "$0.json"
END
chmod +x cargo
export CARGO=$PWD/cargo CARGO_MANIFEST_DIR=$PWD/package

# package JSON: the package says this.
package() {
	echo '# bootimage' >package/Cargo.toml
	printf '{"packages":[{"manifest_path":"/other/Cargo.toml","metadata":{"bootimage":{"x":1}}},{"manifest_path":"%s/package/Cargo.toml","metadata":{"bootimage":%s}}]}' \
		"$PWD" "$1" >cargo.json
}
run() { "$MKBOOTIMG" run "$@"; }
dry() { "$MKBOOTIMG" run --dry-run "$@"; }

package '{"run-args":["-name","running"],"test-args":["-name","testing"]}'
try "a program" 0 dry --headless debug/k.elf
has "run-args" out "-name running"
has "how cargo is asked" cargo.args "--no-deps"
check "which manifest" grep -qxF "$PWD/package/Cargo.toml" cargo.args
try "a test" 0 dry debug/deps/t.elf
has "test-args" out "-name testing"
has "headless" out "-display none"
empty "and silently so" err
try "a documentation test" 0 dry rustdoctestAbc/rust_out
has "is a test" out "-name testing"
try "QEMU's arguments come last" 0 dry --headless debug/k.elf -smp 3
has "behind run-args" out "-name running -smp 3"
try "--no-config" 0 "$MKBOOTIMG" --no-config run --headless --dry-run debug/k.elf
has_not "nothing of the package" out "running"

# Statuses, as bootimage has them.
package '{"test-success-exit-code":35}'
try "test-success-exit-code" 0 run -c "code 11" debug/deps/t.elf
try "another code" 33 run -c success debug/deps/t.elf
try "switched off: a failure" 1 run -c "power off" debug/deps/t.elf
has "which is said" err "switched the machine off, which is not how this test succeeds"
try "of a program: no failure" 0 run --headless -c "power off" debug/k.elf
try "of a program: 33 is success" 0 run --headless -c success debug/k.elf
try "a triple fault" 122 run -c "triple fault" debug/deps/t.elf
try "--success-code counts more" 0 run --success-code 33 -c success debug/deps/t.elf
package '{"test-success-exit-code":0}'
try "success code 0: switched off" 0 run -c "power off" debug/deps/t.elf
try "success code 0: 33 is none" 33 run -c success debug/deps/t.elf
package '{}'
try "no success code: switched off" 0 run -c "power off" debug/deps/t.elf
try "no success code: 33" 0 run -c success debug/deps/t.elf

package '{"test-timeout":2}'
try "test-timeout" 124 run -c hang debug/deps/t.elf
has "test-timeout: says so" err "timed out after 2 seconds"
package '{"test-timeout":200}'
try "--timeout counts more" 124 run --timeout 2 -c hang debug/deps/t.elf
printf '[run]\ntimeout = 1.5\n[build]\ncmdline = hang\n' >mkbootimg.conf
try "so does mkbootimg.conf" 124 run debug/deps/t.elf
has "by its time" err "timed out after 1.5 seconds"
rm mkbootimg.conf
package '{"test-no-reboot":false,"test-timeout":6}'
try "test-no-reboot = false: a reset is no end" 124 run -c "reset port" debug/deps/t.elf
check "the kernel ran again and again" test "$(grep -c "ending by: reset port" out)" -ge 2
try "of a program it is" 122 run --headless -c "reset port" debug/k.elf

# run-command.
package '{"run-command":["qemu-system-x86_64","-drive","format=raw,file={}"]}'
try "bootimage's own command" 0 dry --headless debug/k.elf
has "is ours" out "ide-hd,bus=mkbootimg-bus.0"
package '{"run-command":["qemu-system-x86_64","-drive","format=raw,if=virtio,file={}","-name","mine"],"run-args":["-smp","2"]}'
try "another QEMU command" 0 dry --headless debug/k.elf
has "attaches the image itself" out "-drive format=raw,if=virtio,file=debug/k.img -name mine -smp 2"
has_not "and we do not" out "id=mkbootimg,snapshot"
try "it runs" 0 run --headless -c success debug/k.elf
try "and is judged" 122 run --headless -c "triple fault" debug/k.elf
try "--disk counts more" 0 dry --headless --disk nvme debug/k.elf
has "the image is attached once" out "nvme,serial=boot"
has_not "not as the package says" out "if=virtio"
has "the rest stays" out "-name mine"
package '{"run-command":["./emulator","--disk={}","{}"],"run-args":["more"],"test-success-exit-code":35,"test-timeout":2}'
printf '#!/bin/sh\necho "$@"\nexec sleep "${PAUSE:-0}"\n' >emulator
chmod +x emulator
try "a program that is no QEMU: --dry-run" 0 dry debug/k.elf "the last"
check "is the command" test "$(tail -n 1 out)" = "./emulator --disk=debug/k.img debug/k.img more 'the last'"
try "a program that is no QEMU" 0 run debug/k.elf last
has "gets its arguments" out "--disk=debug/k.img debug/k.img more last"
check "and an image" test -s debug/k.img
try "a test by it: 0 is no success" 1 run debug/deps/t.elf
PAUSE=60 try "it may take test-timeout" 124 run debug/deps/t.elf
printf '#!/bin/sh\nexit 35\n' >emulator
try "a test by it: success" 0 run debug/deps/t.elf
try "a program: its status" 35 run debug/k.elf
printf '#!/bin/sh\nkill -SEGV $$\n' >emulator
try "killed" 126 run debug/k.elf
has "killed: says so" err "was killed by signal 11"
rm emulator
try "not there" 126 run debug/k.elf
has "not there: says so" err "cannot run './emulator': No such file or directory"
try "--qemu counts more" 0 dry --headless --qemu qemu-system-x86_64 debug/k.elf
has_not "the command is not run" out "emulator"

# What is wrong is said, and where.
# bad NAME JSON SENTENCE
bad() {
	package "$2"
	try "$1" 2 run debug/k.elf
	has "$1: why" err "package/Cargo.toml': $3"
}
bad "an unknown key" '{"test-timout":3}' "[package.metadata.bootimage]: 'test-timout' is none of its keys"
has "an unknown key: the valid ones" err "build-command, run-command, run-args, test-args, test-timeout, test-success-exit-code, test-no-reboot"
bad "no list" '{"run-args":"-x"}' "[package.metadata.bootimage]: 'run-args' is not a list of strings"
bad "no strings" '{"test-args":[1]}' "[package.metadata.bootimage]: 'test-args' is not a list of strings"
bad "no number" '{"test-timeout":"3"}' "[package.metadata.bootimage]: 'test-timeout' is not a whole number"
bad "a negative time" '{"test-timeout":-1}' "[package.metadata.bootimage]: 'test-timeout' is not a positive number of seconds"
bad "no status" '{"test-success-exit-code":256}' "[package.metadata.bootimage]: 'test-success-exit-code' is not a number from 0 to 255"
bad "no switch" '{"test-no-reboot":1}' "[package.metadata.bootimage]: 'test-no-reboot' is not true or false"
bad "no program" '{"run-command":[]}' "[package.metadata.bootimage]: 'run-command' is empty"
bad "no table" '[]' "package.metadata.bootimage is not a table"
package '{"build-command":["xbuild"]}'
try "build-command is passed over" 0 dry --headless debug/k.elf

# failing NAME SENTENCE: cargo does not work.
failing() {
	try "$1" 126 run debug/k.elf
	has "$1: says so" err "mkbootimg: run: $2"
	check "$1: in one line" test "$(wc -l <err)" -eq 1
}
echo 'not JSON' >cargo.json
failing "no JSON" "'cargo metadata' does not know '$PWD/package/Cargo.toml'"
printf '#!/bin/sh\necho "warning: x" >&2; echo "error: no such thing" >&2; echo more >&2; exit 101\n' >cargo
failing "cargo fails" "'cargo metadata' failed: no such thing"
printf '#!/bin/sh\nexit 1\n' >cargo
failing "cargo fails silently" "'cargo metadata' failed: it does not say why"
printf '#!/bin/sh\nexec cat /dev/zero\n' >cargo
failing "cargo does not stop" "'cargo metadata' has no end"
CARGO=$PWD/nowhere failing "no cargo" "cannot run '$PWD/nowhere', which CARGO names: No such file or directory"

# Packages that have nothing for us are not asked, nor is cargo if it is not there.
echo '[package]' >package/Cargo.toml
try "nothing about bootimage" 0 env CARGO=/nowhere "$MKBOOTIMG" run --headless --dry-run debug/k.elf
try "a test all the same" 124 run --timeout 2 -c hang debug/deps/t.elf
unset CARGO
echo '# bootimage' >package/Cargo.toml
try "not started by cargo" 0 dry --headless debug/k.elf

done_testing
