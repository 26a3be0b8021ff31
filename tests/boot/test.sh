#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mkbootimg test: many kernels at a time, each judged, told as TAP and JUnit.
. "$(dirname "$0")/../lib.sh"

# Twelve: eight pass, one fails, one crashes, one hangs, one never boots.
for i in 1 2 3 4 5 6 7 8; do cp "$KERNELS/ends.elf" good$i.elf; done
"$MKBOOTIMG" build -q -c success -o good.img "$KERNELS/ends.elf"
for i in 1 2 3 4 5 6 7 8; do mv good$i.elf g; "$MKBOOTIMG" build -q -c success -o good$i.img g; done
"$MKBOOTIMG" build -q -c "code 11" -o fails.img "$KERNELS/ends.elf"
"$MKBOOTIMG" build -q -c "empty pointer" -o crashes.img "$KERNELS/crash-native.elf"
cp "$KERNELS/crash-native.elf" crashes.elf
"$MKBOOTIMG" build -q -c hang -o hangs.img "$KERNELS/ends.elf"
cp --sparse=always good.img never.img
printf x | dd of=never.img bs=1 seek=$((2048 * 512 + 700)) conv=notrunc status=none
suite=(good1.img good2.img fails.img good3.img crashes.img good4.img good5.img hangs.img good6.img never.img good7.img good8.img)

try "twelve: not all pass" 1 "$MKBOOTIMG" test --timeout 5 -j 4 --junit junit.xml --logs logs "${suite[@]}"
cp out tap
has "twelve: version" tap "TAP version 13"
has "twelve: plan" tap "1..12"
check "twelve: four are not ok" test "$(grep -c '^not ok' tap)" -eq 4
check "twelve: eight are" test "$(grep -c '^ok' tap)" -eq 8
for name in fails crashes hangs never; do
	check "twelve: $name is not" grep -q "^not ok [0-9]* - $name.img" tap
done
# Strictly: numbers ascend, each test point is one line, YAML lies between "---"
# and "...", indented, and nothing else is there but comments.
check "twelve: TAP, strictly" awk '
	NR == 1 { if ($0 != "TAP version 13") exit 1; next }
	NR == 2 { if ($0 != "1..12") exit 1; next }
	yaml { if ($0 == "  ...") yaml = 0; else if ($0 !~ /^  /) exit 1; next }
	$0 == "  ---" { if (!point) exit 1; yaml = 1; point = 0; next }
	/^(not )?ok [0-9]+ - / { n = $1 == "not" ? $3 : $2; if (n != ++want) exit 1; point = 1; next }
	/^#/ { next }
	{ exit 1 }
	END { if (want != 12 || yaml) exit 1 }' tap
check "twelve: prove takes it" bash -c "prove -e cat tap 2>&1 | grep -q 'Failed 4/12'"
has "twelve: fails: why" tap 'message: "the kernel ended with status 35'
has "twelve: crashes: why" tap 'message: "the kernel crashed: page fault (vector 14: write, page not present) at 0x12345678000"'
has "twelve: crashes: where" tap '    third+0x'
has "twelve: hangs: why" tap 'message: "timed out after 5 seconds'
has "twelve: never: why" tap "the loader failed: mkbootimg E02"
check "twelve: logs" test "$(find logs -name '*.log' | wc -l)" -eq 12
check "twelve: what it wrote" grep -q "crash: empty pointer" logs/0005-crashes.img.log
check "twelve: JUnit" python3 - <<'EOT'
import xml.etree.ElementTree as ET
root = ET.parse("junit.xml").getroot()
assert root.tag == "testsuites" and len(root) == 1
suite = root[0]
assert suite.tag == "testsuite"
assert set(suite.attrib) == {"name", "tests", "failures", "errors", "time", "timestamp", "hostname", "id", "package"}
assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("12", "3", "1")
assert [child.tag for child in suite] == ["properties"] + ["testcase"] * 12 + ["system-out", "system-err"]
for case in suite.findall("testcase"):
    assert set(case.attrib) == {"name", "classname", "time"} and float(case.get("time")) > 0
    for child in case:
        assert child.tag in ("failure", "error") and set(child.attrib) == {"message", "type"}
assert suite.find("testcase[@name='never.img']/error") is not None
assert "page fault" in suite.find("testcase[@name='crashes.img']/failure").get("message")
EOT

# Names that mean something in TAP or XML.
strange="<a> & #1 \"b\".img"
cp --sparse=always fails.img "$strange"
try "a strange name" 1 "$MKBOOTIMG" test --junit strange.xml "$strange"
has "a strange name: TAP" out 'not ok 1 - <a> & \#1 "b".img'
check "a strange name: JUnit" python3 - "$strange" <<'EOT'
import sys
import xml.etree.ElementTree as ET
assert [case.get("name") for case in ET.parse("strange.xml").getroot().iter("testcase")] == [sys.argv[1]]
EOT

# On a terminal it is told how far it is; in the end nothing of that is left.
if command -v script >/dev/null; then
	try "a terminal" 1 script -qec "'$MKBOOTIMG' test --timeout 2 hangs.img" /dev/null
	has "a terminal: how far it is" out "0 of 1, 0 failed  hangs.img"
	check "a terminal: it goes again" grep -q "$(printf '\r\033\[Knot ok 1 - hangs.img')" out
else
	skip "a terminal" "script is not installed"
fi

# Parts of a suite: each test in exactly one.
for i in 1 2 3; do "$MKBOOTIMG" test -j 4 --shard $i/3 good?.img good.img; done >shards
check "shards: nine, each once" test "$(sed -n 's/^ok [0-9]* - //p' shards | sort | uniq -c | awk '$1 == 1' | wc -l)" -eq 9
try "a shard without tests" 0 "$MKBOOTIMG" test --shard 2/2 good.img
has "a shard without tests: plan" out "1..0"
try "repeated" 0 "$MKBOOTIMG" test --repeat 3 good.img
has "repeated: the last" out "ok 3 - good.img (3 of 3)"

# More at a time than there may be files: fewer run, and that is all.
few_files() { (ulimit -n 28 && exec timeout 100 "$MKBOOTIMG" test -j 100 --repeat 12 good.img); }
try "few files" 0 few_files
check "few files: all pass" test "$(grep -c '^ok' out)" -eq 12
empty "few files: nothing is said" err

# Other ways to pass.
try "a text" 0 "$MKBOOTIMG" test --timeout 30 --expect "the low segment is there" "$KERNELS/low-mb1.elf"
try "a text that does not come" 1 "$MKBOOTIMG" test --timeout 30 --expect "no such text" "$KERNELS/low-mb1.elf"
has "a text that does not come: why" out "'no such text' was not written"
start=$(date +%s)
try "a text ends the machine at once" 0 "$MKBOOTIMG" test --timeout 50 -c "loop" --expect "crash: loop" "$KERNELS/crash-native.elf"
check "a text ends the machine at once: so it does" test $(($(date +%s) - start)) -lt 40
try "a text on the screen" 0 "$MKBOOTIMG" test --timeout 2 --expect "Hello World!" "$KERNELS/smallest.elf"
try "a crash" 0 "$MKBOOTIMG" test --expect-crash 14 -c "pointer" "$KERNELS/crash-native.elf"
try "another crash" 1 "$MKBOOTIMG" test --expect-crash 6 -c "pointer" "$KERNELS/crash-native.elf"
has "another crash: why" out "exception 6 was expected: the kernel crashed: page fault"
try "no crash" 1 "$MKBOOTIMG" test --expect-crash 6 -c "success" "$KERNELS/ends.elf"
try "switched off is no success" 1 "$MKBOOTIMG" test "$KERNELS/smallest1.elf"
has "switched off is no success: why" out "does not say success"
try "unless it is asked for" 0 "$MKBOOTIMG" test --success-code 0 "$KERNELS/smallest1.elf"
try "options for all" 0 "$MKBOOTIMG" test --memory 64M -c "ram=64" "$KERNELS/state-high.elf" "$KERNELS/state-low.elf"

# From a file: [build] and [test], but not [run].
printf '[build]\ncmdline = ram=64\n[run]\nmemory = 96M\n[test]\nmemory = 64M\njobs = 1\n' >mkbootimg.conf
try "options of a file" 0 "$MKBOOTIMG" test "$KERNELS/state-high.elf"
try "flags beat them" 1 "$MKBOOTIMG" test --memory 32M "$KERNELS/state-high.elf"
rm mkbootimg.conf

# What cannot be.
try "none" 2 "$MKBOOTIMG" test
has "none: says so" err "no kernel given"
try "a kernel that is not there" 1 "$MKBOOTIMG" test nowhere.elf good.img
has "a kernel that is not there: why" out "cannot open 'nowhere.elf'"
try "no directory for logs" 126 "$MKBOOTIMG" test --logs no/such/dir good.img
try "no directory for temporary ones" 126 env TMPDIR="$PWD/nowhere" "$MKBOOTIMG" test good.img
has "no directory for temporary ones: says so" err "cannot make the directory '$PWD/nowhere/mkbootimg-logs."
try "no text" 2 "$MKBOOTIMG" test --expect "" good.img
has "no text: says so" err "--expect: the text is empty"
for option in "--shard 4/3" "--shard 0/3" "--shard x" "--repeat 0" "-j 0" "--expect-crash 32"; do
	# shellcheck disable=SC2086
	try "usage: $option" 2 "$MKBOOTIMG" test $option good.img
done

# Ended by a signal, it ends all that it started, and dies of it.
"$MKBOOTIMG" test --timeout 50 -j 2 --logs ended hangs.img hangs.img >out 2>err &
pid=$!
for _ in $(seq 100); do [ -n "$(pgrep -f "file=hangs.img" || true)" ] && break; sleep 0.1; done
kill -TERM $pid
wait $pid
check "SIGTERM: dies of it" test $? -eq 143
sleep 1
check "SIGTERM: no machine is left" test -z "$(pgrep -f "file=hangs.img,format=raw" | grep -v $$ || true)"
has "SIGTERM: TAP says so" out "Bail out!"

done_testing
