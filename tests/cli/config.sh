#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mkbootimg.conf: where it is looked for, what it says to which command, what is
# refused; and files that nobody writes by hand.
. "$(dirname "$0")/../lib.sh"

mkdir -p work/sub/deep
cd work || exit 1
mkdir .git		# nothing above is looked at
cp "$KERNELS/ends.elf" k.elf
dry() { "$MKBOOTIMG" run --headless --dry-run "$@"; }

# conf LINE...: the file has these lines.
conf() { printf '%s\n' "$@" >mkbootimg.conf; }

# ---- What it does ------------------------------------------------------------

conf '# a comment' '; another' '' '[build]' 'cmdline = success' '[run]' 'headless = true' 'timeout=60'
try "a kernel gets what the file says" 0 "$MKBOOTIMG" run k.elf
has "the command line" out "ending by: success"
empty "and is run headless" err
try "a flag beats the file" 35 "$MKBOOTIMG" run -c "code 11" k.elf
try "--no-config" 0 "$MKBOOTIMG" --no-config run --headless --dry-run k.elf
"$MKBOOTIMG" --no-config build -c success -o want.img k.elf
try "build" 0 "$MKBOOTIMG" build -o got.img k.elf
check "is as with the flag" cmp want.img got.img
try "inspect shows what build does" 0 "$MKBOOTIMG" inspect k.elf
has "the command line" out "success"
try "an image: options for kernels are passed over" 0 dry got.img
try "an image: inspect" 0 "$MKBOOTIMG" inspect got.img
try "an image: a flag for kernels is none" 2 dry -c success got.img

# Each spelling of a switch, and its last value.
for word in true yes True YES; do
	conf '[run]' "headless = $word"
	try "headless = $word" 0 "$MKBOOTIMG" run --dry-run k.elf
	empty "headless = $word: on" err
done
for word in false no FALSE; do
	conf '[run]' "headless = $word"
	try "headless = $word" 0 "$MKBOOTIMG" run --dry-run k.elf
	has "headless = $word: off" err "running as with --headless"
done
conf '[run]' 'headless = true' 'headless = false'
try "on, then off" 0 "$MKBOOTIMG" run --dry-run k.elf
has "is off" err "running as with --headless"
conf '[build]' 'quiet = yes' '[run]' 'quiet = no'
try "[run] comes after [build]" 0 "$MKBOOTIMG" run --dry-run k.elf
has "and beats it" err "running as with --headless"
conf '[run]' 'quiet = no' '[build]' 'quiet = yes'
try "wherever it stands" 0 "$MKBOOTIMG" run --dry-run k.elf
has "it beats it" err "running as with --headless"
conf '[run]' 'memory = 200M' 'memory = 300M'
try "a key twice" 0 dry k.elf
has "the last one counts" out "-m 300M"
conf '[build]' 'memory = 1G' '[test]' 'memory = 2G'
try "a key of another section" 2 dry k.elf
has "is none of this one" err "mkbootimg.conf:2: [build] has no key 'memory'"
has "whose it is" err "it is a key of [run]"
conf '[test]' 'memory = 2G'
try "[test]" 0 dry k.elf
has_not "is not for run" out "2048M"

# Modules of the file come first.
echo one >one
echo two >two
conf '[build]' 'module = one=first' 'module = one' '[run]' 'module = one=third'
try "modules" 0 "$MKBOOTIMG" run --headless --dry-run -v -m two k.elf
try "modules: inspect" 0 "$MKBOOTIMG" inspect --json -m two k.elf
try "modules: a kernel is told" 0 "$MKBOOTIMG" run --headless --timeout "$SECONDS_MAX" -m two "$KERNELS/modules-native.elf"
grep -oE '\b(first|one|third|two)\b' out | uniq >names
printf '%s\n' first one third two >wanted
check "in order, the command line's last" diff wanted names

# ---- Where it is -------------------------------------------------------------

conf '[build]' 'cmdline = success' 'module = one' '[run]' 'serial = serial.txt' 'qemu = bin/qemu' 'memory = 222M'
cd sub/deep || exit 1
try "in a directory above" 0 dry ../../k.elf
has "is found" out "-m 222M"
has "its files are beside it" out "file,path=../../serial.txt,"
has "its programs" out "../../bin/qemu -nodefaults"
touch mkbootimg.conf
try "the nearest one counts" 0 dry ../../k.elf
has_not "not the one above" out "222M"
rm mkbootimg.conf
mkdir ../.git
try "not above a git root" 0 dry ../../k.elf
has_not "is not found" out "222M"
echo '[run]' >../mkbootimg.conf
echo 'memory = 333M' >>../mkbootimg.conf
try "in a git root" 0 dry ../../k.elf
has "is found" out "333M"
rm -r ../.git ../mkbootimg.conf
cd ../.. || exit 1
rm mkbootimg.conf
printf '[run]\nmemory = 444M\n' >../mkbootimg.conf
try "above the git root of here" 0 dry k.elf
has_not "is not found" out "444M"
rmdir .git
touch .git		# a worktree's is a file
try "a git worktree" 0 dry k.elf
has_not "is a root, too" out "444M"
rm ../mkbootimg.conf
conf '[run]' 'qemu = my-qemu' 'serial = /dev/null' 'memory = 256M'
try "absolute names, and a program without a slash" 0 dry k.elf
has "a program is looked for in PATH" out "my-qemu -nodefaults"
has "an absolute name stays" out "file,path=/dev/null,"

mv mkbootimg.conf sub/other.conf
try "--config" 0 "$MKBOOTIMG" --config sub/other.conf run --headless --dry-run k.elf
has "is read" out "256M"
try "--config, after it --no-config" 0 "$MKBOOTIMG" --config sub/other.conf --no-config run --headless --dry-run k.elf
has_not "is not read" out "256M"
try "--config of a file that is not there" 2 "$MKBOOTIMG" --config nowhere run k.elf
has "says so" err "cannot open 'nowhere': No such file or directory"

# Somebody else's, above a directory of ours.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mkdir -p shared/mine
	chmod 777 .. . shared
	chown 1234 shared/mine
	printf '[run]\nmemory = 256M\n' >shared/mkbootimg.conf
	chown 4321 shared/mkbootimg.conf
	cp k.elf shared/mine
	chmod 755 shared/mine/k.elf
	try "another user's file" 2 setpriv --reuid 1234 --clear-groups env -C shared/mine "$MKBOOTIMG" \
		run --headless --dry-run k.elf
	has "is not trusted" err "'../mkbootimg.conf' is somebody else's (user 4321)"
	has "what to do" err "say so with --config"
	try "unless it is named" 0 setpriv --reuid 1234 --clear-groups env -C shared/mine \
		XDG_CACHE_HOME="$PWD/shared/mine/cache" "$MKBOOTIMG" --config ../mkbootimg.conf run --headless --dry-run k.elf
	has "is read" out "256M"
	chown 1234 shared/mkbootimg.conf
	try "root, in a user's directory" 0 env -C shared/mine "$MKBOOTIMG" run --headless --dry-run k.elf
	has "reads that user's" out "256M"
	rm -r shared
else
	skip "another user's file" "only root can make one"
fi

# ---- What is refused ---------------------------------------------------------

# bad NAME LINE SENTENCE HINT [TEXT]: the file is TEXT, or has a good line and then
# those that NAME stands for.
bad() {
	try "$1" 2 "$MKBOOTIMG" run --dry-run k.elf
	has "$1: where and what" err "mkbootimg: run: mkbootimg.conf:$2: $3"
	has "$1: what to do" err "$4"
	check "$1: two lines" test "$(wc -l <err)" -eq 2
}
conf '[run]' 'headless = true' 'timout = 3'
bad "an unknown key" 3 "[run] has no key 'timout'" "the nearest one is 'timeout'"
conf '[run]' 'headless = true' 'cmd-line = 3'
bad "one of build" 3 "[run] has no key 'cmd-line'" "the nearest one is 'cmdline'"
conf '[build]' 'modul = x'
bad "an unknown key of build" 2 "[build] has no key 'modul'" "the nearest one is 'module'"
conf '[run]' ' = 3'
bad "no key" 2 "[run] has no key ''" "the nearest one is"
conf '[run]' 'help = true'
bad "help" 2 "[run] has no key 'help'" "the nearest one is"
conf '[run]' 'version = true'
bad "version" 2 "[run] has no key 'version'" "the nearest one is"
conf '[run]' 'dry-run = true'
bad "dry-run" 2 "'dry-run' is for the command line only" "give --dry-run when you want it"
conf '' '[runs]' 'headless = true'
bad "an unknown section" 2 "there is no section [runs]" "the sections are [build], [run], [test]"
conf '[runs]'
bad "with nothing in it" 1 "there is no section [runs]" "the sections are"
conf "[run$(printf '%080d' 0)]"
bad "a long one" 1 "there is no section [run0000" "the sections are"
conf '[run' 'headless = true'
bad "a section without an end" 1 "the section's name has no end" "write it like [run]"
conf '[run] headless = true'
bad "something behind a section" 1 "behind [run] there is 'headless = true'" "line of its own"
conf 'headless = true'
bad "no section" 1 "'headless' comes before any section" "the sections are"
conf '[run]' 'headless'
bad "no value" 2 "this is neither a [section], nor 'key = value', nor a comment" "'key = true'"
conf '[run]' 'headless = maybe'
bad "neither true nor false" 2 "'headless' is 'maybe', which is neither true nor false" "true or yes"
conf '[run]' 'headless ='
bad "empty" 2 "'headless' is '', which is neither" "true or yes"
conf '[run]' 'memory = 200M' '   timeout = -1'
bad "what the option refuses" 3 "--timeout: '-1' is not a positive number of seconds" "--no-config"
conf '[build]' 'protocol = x'
bad "what an option of build refuses" 2 "--protocol: 'x' is none of auto, native" "--no-config"
conf '[run]' "accel = $(printf '%0300d' 0)"
bad "a line that is too long" 2 "the line is longer than" "give that option on the command line"
conf '[run]' 'first' '[x]'
bad "the first mistake counts" 2 "this is neither" "'key = true'"
conf '[run]' 'timout = 3'
try "build refuses it as well" 2 "$MKBOOTIMG" build k.elf
has "in its name" err "mkbootimg: build: mkbootimg.conf:2: [run] has no key 'timout'"
try "--help answers all the same" 0 "$MKBOOTIMG" run --help
try "so does --no-config" 0 "$MKBOOTIMG" --no-config run --headless --dry-run k.elf

# A value that just fits arrives whole; a comment may be of any length.
text=$(printf '%0185d' 0 | tr 0 x)
conf "# $(printf '%05000d' 0)" '[build]' "cmdline=$text"
try "a long value" 0 "$MKBOOTIMG" inspect k.elf
has "arrives whole" out "$text"
for length in 186 187 188 189 190 191 192 193 194 195 196 197 198 199 200 201 202; do
	text=$(printf '%0*d' $length 0 | tr 0 x)
	conf '[build]' "cmdline=$text"
	if "$MKBOOTIMG" inspect k.elf >out 2>err; then
		has "$length letters: arrive whole" out "$text"
	else
		has "$length letters: refused" err "mkbootimg.conf:2: the line is longer than"
	fi
done

# ---- Files that nobody writes ------------------------------------------------

# good NAME: the file in place gives the machine 222 MiB.
good() {
	try "$1" 0 dry k.elf
	has "$1: is read" out "-m 222M"
}
printf '[run]\nmemory=222M' >mkbootimg.conf
good "no newline at the end"
printf '\xef\xbb\xbf[run]\nmemory=222M\n' >mkbootimg.conf
good "a byte order mark"
printf '[run]\r\nmemory = 222M\r\n' >mkbootimg.conf
good "CR LF"
printf '  [run]\n\tmemory = 222M\n\t\theadless = true \n' >mkbootimg.conf
good "indented"
printf '[run]\nmemory : 222M ; a comment\n' >mkbootimg.conf
good "a colon, a comment behind"
printf '[run] # a comment\nmemory = 222M\n[run] ; again\n' >mkbootimg.conf
good "a section twice"
: >mkbootimg.conf
try "an empty file" 0 dry k.elf
printf '\n\n\n' >mkbootimg.conf
try "empty lines" 0 dry k.elf
printf '[run]\nmemory = 2\00022M\n' >mkbootimg.conf
bad "a NUL byte" 2 "there is a NUL byte" "plain text"
printf '[run]\nmemory = 222M\n' | iconv -t UTF-16LE >mkbootimg.conf
bad "UTF-16" 1 "there is a NUL byte" "UTF-8"
{ printf '[run]\nserial='; head -c 10000000 /dev/zero | tr '\0' x; } >mkbootimg.conf
bad "a line of 10 MB" 2 "the line is longer than" "command line"
rm mkbootimg.conf
head -c 20000000 /dev/zero >mkbootimg.conf
try "20 MB" 2 dry k.elf
has "20 MB: says so" err "'mkbootimg.conf' is too large"
head -c 100000 /dev/urandom >mkbootimg.conf
try "random bytes" 2 dry k.elf
has "random bytes: where" err "mkbootimg.conf:"
printf '[run]\n\033[31m = 3\n' >mkbootimg.conf
bad "control characters" 2 "[run] has no key '\\x1b[31m'" "nearest"
printf '[run]\nqemu = %%s%%n\n' >mkbootimg.conf
try "percent signs" 0 dry k.elf
has "percent signs: stay" out "%s%n"

rm mkbootimg.conf
mkdir mkbootimg.conf
try "a directory" 2 dry k.elf
has "a directory: says so" err "'mkbootimg.conf' is a directory, not a file"
rmdir mkbootimg.conf
ln -s mkbootimg.conf mkbootimg.conf
try "a loop of symbolic links" 2 dry k.elf
has "a loop: says so" err "cannot open 'mkbootimg.conf': Too many levels of symbolic links"
ln -sf nowhere mkbootimg.conf
try "a link to nowhere" 2 dry k.elf
has "a link to nowhere: says so" err "cannot open 'mkbootimg.conf': No such file or directory"
rm mkbootimg.conf
mkfifo mkbootimg.conf
try "a FIFO" 2 dry k.elf
has "a FIFO: says so" err "'mkbootimg.conf' is not a regular file"
rm mkbootimg.conf
try "no current directory" 0 bash -c 'mkdir gone && cd gone && rmdir ../gone && '"'$MKBOOTIMG'"' inspect '"'$PWD/k.elf'"

cd ..
done_testing
