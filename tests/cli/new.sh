#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mkbootimg new: whole projects, or nothing; what is there stays as it is.  That
# they build and boot is for tests/boot/new.sh.
. "$(dirname "$0")/../lib.sh"

unset CDPATH
umask 022
ulimit -c 0

# tree DIRECTORY: what is in it, with modes and contents.
tree() { (cd "$1" && find . -printf '%y %m %P\n' | sort -k 3 && find . -type f -exec sha256sum {} + | sort -k 2); }

# ---- What is made ------------------------------------------------------------

for language in c asm rust; do
	try "$language" 0 "$MKBOOTIMG" new "$language" --lang "$language"
	empty "$language: silence, where nobody looks on" err
	empty "$language: and nothing on standard output" out
	(cd "$ROOT/templates/$language" && find -L . -type f | sort) >want
	(cd "$language" && find . ! -type d | sort) >got
	check "$language: all files of the template, and no others" cmp want got
	check "$language: plain files" test -z "$(find "$language" ! -type d ! -type f)"
	check "$language: with the permissions that the umask leaves" test -z "$(find "$language" -type f ! -perm 644)"
	for file in Makefile README.md .gitignore kernel.ld .github/workflows/ci.yml .vscode/launch.json .vscode/tasks.json; do
		check "$language: has $file" test -s "$language/$file"
	done
	check "$language: its name is filled in" grep -qx "# $language" "$language/README.md"
	check "$language: everywhere" test -z "$(grep -r '@NAME@' "$language")"
	grep '^| `' "$language/README.md" | cut -d'|' -f2 | grep -oE '`[^`]+`' | tr -d '`' >named
	missing=
	while read -r file; do [ -e "$language/$file" ] || missing+=" $file"; done <named
	check "$language: what its README names is there$missing" test -s named -a -z "$missing"
	check "$language: the README is of one screen" test "$(wc -l <"$language/README.md")" -le 50
	if command -v git >/dev/null; then
		git init -q "$language" 2>/dev/null
		check "$language: git takes all of it" test -z "$(git -C "$language" ls-files --others --ignored --exclude-standard)"
		rm -rf "$language/.git"
	else
		skip "$language: git takes all of it" "git is not installed"
	fi
done
try "C is the default" 0 "$MKBOOTIMG" new d
sed -i 's/^# d$/# c/' d/README.md
check "C is the default: the same" diff -r c d
for header in c/src/mkbootimg.h asm/src/mkbootimg.inc rust/src/mkbootimg.rs; do
	check "$header is the one that is installed" cmp "$header" "$ROOT/include/${header##*/}"
done

# At a terminal the next step is said.
if command -v script >/dev/null; then
	script -qec "'$MKBOOTIMG' new 'a b'" /dev/null >out 2>&1 </dev/null
	has "the next step" out "run 'cd 'a b' && make run' to boot it"
	mkdir here && (cd here && script -qec "'$MKBOOTIMG' new ." /dev/null) >out 2>&1 </dev/null
	has "the next step, here" out "run 'make run' to boot it"
else
	skip "the next step" "script (util-linux) is not installed"
fi

# ---- Names, and places -------------------------------------------------------

mkdir "my-kernel" two
try "here, in an empty directory" 0 env -C my-kernel "$MKBOOTIMG" new . --lang rust
has "here: the name is the directory's" my-kernel/Cargo.toml 'name = "my-kernel"'
try "with directories above it" 0 "$MKBOOTIMG" new one/more/kernel/
check "with directories above it: the name is the last part" grep -qx '# kernel' one/more/kernel/README.md
try "the directory above" 0 env -C two/ bash -c 'mkdir in && cd in && "$0" new ..' "$MKBOOTIMG"
check "the directory above: its name" grep -qx '# two' two/README.md
ln -s linked there && mkdir linked
try "through a link" 0 "$MKBOOTIMG" new there
check "through a link: where it leads" test -f linked/Makefile
try "any name will do for C" 0 "$MKBOOTIMG" new "1 'kernel' & more"
check "any name will do for C: in the README, too" grep -qx "# 1 'kernel' & more" "1 'kernel' & more/README.md"
for name in "a c" 1k ä 'k"' k.elf; do
	try "cargo does not take '$name'" 2 "$MKBOOTIMG" new "$name" --lang rust
	check "cargo does not take '$name': says so" grep -qxF "mkbootimg: new: '$name' is no name for a cargo package" err
	check "cargo does not take '$name': nothing is made" test ! -e "$name"
done
try "/" 2 "$MKBOOTIMG" new /
has "/: is no name" err "'/' is no name for a project"
try "no name" 2 "$MKBOOTIMG" new ""
has "no name: says so" err "'' is no name for a project"
try "no directory" 2 "$MKBOOTIMG" new
has "no directory: says so" err "no directory given"
try "two directories" 2 "$MKBOOTIMG" new x y
has "two directories: says so" err "more than one directory: 'x' and 'y'"
check "neither is made" test ! -e x -a ! -e y
for wrong in C:c rst:rust as:asm; do
	try "--lang ${wrong%:*}" 2 "$MKBOOTIMG" new x --lang "${wrong%:*}"
	has "--lang ${wrong%:*}: which there are" err "--lang: '${wrong%:*}' is none of c, asm, rust"
	has "--lang ${wrong%:*}: what was meant" err "did you mean '${wrong#*:}'?"
	check "--lang ${wrong%:*}: nothing is made" test ! -e x
done

# ---- What is there -----------------------------------------------------------

# in_the_way NAME PATH: a project goes into ./old, where PATH is in the way.
in_the_way() {
	tree old >before
	try "$1" 1 "$MKBOOTIMG" new old
	has "$1: says so" err "mkbootimg: new: 'old/$2' exists already"
	tree old >after
	check "$1: nothing else is touched" cmp before after
	rm -rf old
}
mkdir -p old/src && echo mine >old/src/main.c
in_the_way "a file of that name" src/main.c
mkdir old && echo mine >old/src
in_the_way "a file where a directory is to be" src
mkdir -p old/Makefile
in_the_way "a directory where a file is to be" Makefile
mkdir old && ln -s nowhere old/Makefile
in_the_way "a link to nowhere" Makefile
try "twice" 1 "$MKBOOTIMG" new c
has "twice: says so" err "exists already"
echo mine >old
try "a file" 1 "$MKBOOTIMG" new old
has "a file: says so" err "'old' exists already"
check "a file: it stays" grep -qx mine old
rm old
mkdir -p old/src old/.git && echo mine | tee old/notes old/src/mine.c >/dev/null
try "among files of other names" 0 "$MKBOOTIMG" new old
check "among files of other names: they stay" grep -qx mine old/notes old/src/mine.c
check "among files of other names: the project is there" test -s old/Makefile -a -s old/src/main.c
rm -rf old

# ---- What fails --------------------------------------------------------------

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mkdir closed && chmod 755 . closed
	if setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$MKBOOTIMG" 2>/dev/null; then
		try "a directory that may not be written" 1 setpriv --reuid=65534 --regid=65534 --clear-groups "$MKBOOTIMG" new closed/k
		has "a directory that may not be written: says so" err "cannot make the directory 'closed/k': Permission denied"
	fi
fi
mkdir -p bin/alone && cp "$MKBOOTIMG" bin/alone/
try "without its templates" 1 bin/alone/mkbootimg new k
has "without its templates: says so" err "cannot find the templates: neither '"
has "without its templates: what to do" err "make install"
check "without its templates: nothing is made" test ! -e k

if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
	skip "failing system calls" "strace is not installed, or may not trace"
	done_testing
fi
# A leak checker cannot work under strace.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0

# calls TRACE NAME PATTERN: the numbers of those calls, among all of that name.
calls() { awk -v name="$2(" -v pattern="$3" 'index($0, name) == 1 { n++; if ($0 ~ pattern) print n }' "$1"; }

# Into a new directory, and into one that holds something.
mkdir model && echo mine >model/notes
tree model >model.tree
for into in new old; do
	rm -rf into good.trace
	[ $into = new ] || cp -r model into
	strace -o good.trace "$MKBOOTIMG" new into
	: >bad
	: >tally
	while read -r call pattern error; do
		for number in $(calls good.trace "$call" "$pattern"); do
			rm -rf into
			[ $into = new ] || cp -r model into
			# (The shell keeps to itself that something was killed.)
			{ strace -o trace -e "trace=$call" -e "inject=$call:$error:when=$number" \
				"$MKBOOTIMG" new into >out 2>err; } 2>/dev/null
			status=$?
			echo "$call $error" >>tally
			[[ $error == signal=* ]] && want=$((128 + $(kill -l "${error#signal=}"))) || want=1
			[ "$status" -eq "$want" ] || echo "$call $number $error: status $status" >>bad
			[[ $error == signal=* ]] || grep -q "^mkbootimg: new: .*'into" err ||
				echo "$call $number $error: $(cat err)" >>bad
			if [ $into = new ]; then
				[ ! -e into ] || echo "$call $number $error: something is left" >>bad
			else
				tree into | cmp -s - model.tree || echo "$call $number $error: something is left, or gone" >>bad
			fi
		done
	done <<-'END'
		mkdir "into.*=.0$ error=ENOSPC
		mkdir "into.*=.0$ error=EACCES
		mkdir "into signal=INT
		openat "into error=ENOSPC
		openat "into/Makefile error=EACCES
		openat "into/src signal=TERM
		openat "into/Makefile signal=HUP
		openat "into/Makefile signal=QUIT
		pwrite64 . error=ENOSPC
		pwrite64 . error=EIO
		pwrite64 . signal=INT
	END
	empty "$into directory: nothing is left, by $(wc -l <tally) failures and signals" bad
	check "$into directory: each kind of them" test "$(sort -u tally | wc -l)" -ge 10
done

# A full disk that is noticed late.
number=$(awk '/^close\(/ { n++ } /^openat\(.*into\/Makefile/ { print n + 1; exit }' good.trace)
rm -rf into
try "a full disk, noticed at the end" 1 strace -o trace -e trace=close -e "inject=close:error=EDQUOT:when=$number" \
	"$MKBOOTIMG" new into
has "a full disk, noticed at the end: says so" err "cannot write 'into/Makefile': Disk quota exceeded"
check "a full disk, noticed at the end: nothing is left" test ! -e into

# (Not of what counts the lines that were run.)
grep -E '^openat\(.*O_CREAT' good.trace | grep -v '\.gcda"' >created
check "files are only ever created" test -s created -a -z "$(grep -v O_EXCL created)"
# Someone else's file that comes at the last moment is not overwritten, nor removed.
number=$(calls good.trace openat 'into/Makefile')
try "a file that comes meanwhile" 1 strace -o trace -e trace=openat -e "inject=openat:error=EEXIST:when=$number" \
	"$MKBOOTIMG" new into
has "a file that comes meanwhile: says so" err "'into/Makefile' exists already"

done_testing
