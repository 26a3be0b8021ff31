#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# make install and make uninstall: what goes where, that it works from there
# without NASM and without the source tree, and that all of it goes again.
. "$(dirname "$0")/../lib.sh"

unset PREFIX DESTDIR BINDIR DATADIR INCLUDEDIR MANDIR PKGCONFIGDIR CMAKEDIR BASHCOMPDIR ZSHCOMPDIR FISHCOMPDIR SANITIZE COVERAGE
umask 022
install -m 644 "$KERNELS/ends.elf" k.elf
try "the build tree's own image" 0 "$MKBOOTIMG" build -c success -o want.img k.elf

# Installed from a copy of the tree, with what was built in it (in whatever
# directory), so that nothing that happens here can reach the tree itself.
mkdir -p src/build
for entry in "$ROOT"/*; do
	[ "${entry##*/}" = build ] || cp -a "$entry" src/
done
cp -a "$OUT/mkbootimg" "$OUT/share" "$OUT/tool" src/build/

# nobody COMMAND...: as a user who may write nowhere but here in tmp/ and root/.
chmod 755 . && mkdir -m 1777 tmp root
as_nobody=
if [ "$(id -u)" -eq 0 ]; then
	as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
fi
nobody() {
	# shellcheck disable=SC2086
	HOME=/proc/nowhere XDG_CACHE_HOME=/proc/nowhere TMPDIR=$PWD/tmp $as_nobody "$@"
}

try "make help" 0 make -C src help
has "install" out "make install "
has "uninstall" out "make uninstall "

# ---- What goes where ---------------------------------------------------------

{
	echo "755 bin/mkbootimg"
	for header in h inc rs; do
		echo "644 include/mkbootimg.$header"
	done
	(cd "$ROOT" && find -L templates -type f -printf '644 share/mkbootimg/%p\n')
	echo "644 share/doc/mkbootimg/LICENSE"
	echo "644 share/cmake/Mkbootimg/MkbootimgConfig.cmake"
	echo "644 share/cmake/Mkbootimg/MkbootimgConfigVersion.cmake"
	echo "644 share/mkbootimg/mkbootimg.mk"
	echo "644 share/bash-completion/completions/mkbootimg"
	echo "644 share/fish/vendor_completions.d/mkbootimg.fish"
	echo "644 share/zsh/site-functions/_mkbootimg"
	echo "644 share/pkgconfig/mkbootimg.pc"
	for page in "$ROOT"/man/*.[157]; do
		echo "644 share/man/man${page##*.}/${page##*/}"
	done
	for command in $("$MKBOOTIMG" --help | sed -nE '/^Commands:/,/^$/s/^  ([a-z]+) .*/\1/p'); do
		echo "644 share/man/man1/mkbootimg-$command.1"
	done
	for file in "$ROOT"/bootloader/*.asm "$ROOT"/bootloader/*.inc bootabi.inc \
		"$OUT"/share/mkbootimg/bootloader/*.bin; do
		echo "644 share/mkbootimg/bootloader/${file##*/}"
	done
} | sort >want.list

# lists NAME DIRECTORY: the files in it, with their modes, are those.
lists() {
	(cd "$2" && find . ! -type d -printf '%m %P\n') | sort >got.list
	diff -u want.list got.list >list.diff
	if [ -s list.diff ]; then fail "$1" list.diff; else pass "$1"; fi
}

# Straight into a prefix, where others already are.
mkdir -p opt/bin opt/share/man/man1 && chmod 2775 opt/bin
echo theirs | tee opt/bin/another opt/share/man/man1/another.1 >/dev/null
rm src/build/share/mkbootimg/bootloader/PROTOCOL_NATIVE.bin
umask 077
try "make install" 0 make -C src install PREFIX="$PWD/opt"
umask 022
has "builds what is missing" out "PROTOCOL_NATIVE.bin"
check "a directory that was there keeps its mode" test "$(stat -c %a opt/bin)" = 2775
check "a new one is for everyone, whatever the umask" test "$(stat -c %a opt/share/mkbootimg)" = 755
mv opt/bin/another opt/share/man/man1/another.1 .
lists "files and their modes" opt
if command -v mandoc >/dev/null; then
	try "man mkbootimg-run" 0 env -C opt/share/man mandoc -T ascii man1/mkbootimg-run.1
	has "is the manual" out "MKBOOTIMG(1)"
else
	skip "man mkbootimg-run" "mandoc is not installed"
fi
mv another opt/bin/ && mv another.1 opt/share/man/man1/
try "make install, again" 0 make -C src install PREFIX="$PWD/opt"
ln -s opt/bin/mkbootimg link
try "through a symbolic link" 0 ./link build -c success -o opt.img k.elf
check "the same image" cmp want.img opt.img

# Into a package's directory, from a tree where nothing can be written.
chmod -R a+rX,a-w src
if ! nobody test -r "$PWD/k.elf" 2>/dev/null || nobody test -w src/build; then
	skip "as another user" "no setpriv, or no way for others to $PWD"
	as_nobody=
fi
try "make install with DESTDIR, from a tree that is read only" 0 \
	nobody make -C src install DESTDIR="$PWD/root" PREFIX=/usr
has_not "compiles nothing" out "CC "
has_not "assembles nothing" out "NASM"
lists "the same files" root/usr
check "nothing beside /usr" test "$(ls root)" = usr
try "a DESTDIR with a space, and the usual PREFIX" 0 make -C src install DESTDIR="$PWD/a root"
lists "the same files" "a root/usr/local"
try "a DATADIR in which the tool would not look" 2 make -C src install PREFIX="$PWD/bad" DATADIR="$PWD/bad/data"
has "is refused" err "DATADIR must be"
check "before anything is installed" test ! -e bad

# ---- The tool ----------------------------------------------------------------

installed=$PWD/root/usr/bin/mkbootimg
mkdir bin
ln -s "$(command -v qemu-system-x86_64)" bin/

# bare COMMAND...: with QEMU, but no NASM, and no home or cache to write to.
bare() {
	env PATH="$PWD/bin" HOME=/proc/nowhere XDG_CACHE_HOME=/proc/nowhere TMPDIR="$PWD/tmp" "$@"
}

try "NASM is out of reach" 127 bare nasm -v
try "without NASM" 0 bare "$installed" build -c success -o bare.img k.elf
empty "says nothing" err
check "the same image as the build tree's" cmp want.img bare.img
try "with NASM, a cold cache" 0 env XDG_CACHE_HOME="$PWD/cold" "$installed" build -c success -o nasm.img k.elf
check "the same image" cmp want.img nasm.img
try "without NASM: boots" 0 bare "$installed" run --headless --timeout "$SECONDS_MAX" -c success k.elf
has "the kernel ran" out "ending by: success"
try "as another user: builds" 0 nobody env PATH="$PWD/bin" "$installed" build -c success -o tmp/nobody.img k.elf
check "the same image" cmp want.img tmp/nobody.img
try "as another user: boots" 0 nobody env PATH="$PWD/bin" "$installed" run --headless \
	--timeout "$SECONDS_MAX" -c success k.elf
if command -v strace >/dev/null; then
	# (A leak checker cannot work under strace.)
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 try "which files it uses" 0 \
		strace -f -s 4096 -e trace=%file -o trace env PATH="$PWD/bin" TMPDIR="$PWD/tmp" \
		XDG_CACHE_HOME=/proc/nowhere "$installed" run --headless --timeout "$SECONDS_MAX" -c success k.elf
	has "its own" trace "$PWD/root/usr/bin/../share/mkbootimg/bootloader/"
	# (What "make coverage" counts is none of them.)
	grep -o '"/[^"]*"' trace | grep -v '\.gcda"$' >paths
	grep -F -e "\"$ROOT/" -e "\"$OUT/" paths | grep -vF "\"$PWD/" >from-tree
	grep -F "\"$PWD/src/" paths >>from-tree
	empty "none of the source tree" from-tree
else
	skip "none of the source tree" "strace is not installed"
fi

# ---- The header --------------------------------------------------------------

# pc ARGUMENT...: pkg-config, of what lies in a root.
pc() {
	PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=$PWD/$root/share/pkgconfig \
		PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 pkg-config "$@"
}
root=opt
try "pkg-config: flags" 0 pc --cflags mkbootimg
check "the header's directory" test "$(xargs <out)" = "-I$PWD/opt/include"
check "datadir" test "$(pc --variable=datadir mkbootimg)" = "$PWD/opt/share"
check "the makefile is there" test -e "$(pc --variable=makefile mkbootimg)"
check "its directory" test "$(pc --variable=pkgdatadir mkbootimg)" = "$PWD/opt/share/mkbootimg"
check "its version is the tool's" grep -qwF "$(pc --modversion mkbootimg)" <("$installed" --version)
cp -r opt moved
root=moved
check "moved, with --define-prefix" test "$(pc --define-prefix --cflags mkbootimg | xargs)" = "-I$PWD/moved/include"
root=root/usr
export PKG_CONFIG_SYSROOT_DIR=$PWD/root
try "pkg-config: flags, in a root of its own" 0 pc --cflags mkbootimg
flags=$(cat out)
has "the header's directory there" out "-I$PWD/root/usr/include"

cat >header.c <<END
#include <mkbootimg.h>
#include <mkbootimg.h>
struct mkbootimg_info copy;
END
warnings="-Wall -Wextra -Wpedantic -Werror -ffreestanding"
for std in c99 c11 c17; do
	# shellcheck disable=SC2086
	try "the header is $std" 0 gcc -std=$std $warnings $flags -c -o header.o header.c
done
cxx=$(command -v g++ || command -v clang++)
if [ -n "$cxx" ]; then
	for std in c++11 c++17; do
		# shellcheck disable=SC2086
		try "the header is $std" 0 "$cxx" -x c++ -std=$std $warnings $flags -c -o header.o header.c
	done
else
	skip "the header is C++" "neither g++ nor clang++ is installed"
fi

cat >own.c <<END
#include <mkbootimg.h>

void _start(const struct mkbootimg_info *info);

void _start(const struct mkbootimg_info *info)
{
	char good = info->magic == MKBOOTIMG_INFO_MAGIC && info->size >= sizeof(*info);

	__asm__ volatile("outb %0, %1" : : "a"((char)(good ? 0x10 : 0x20)), "Nd"((short)0xf4));
	for (;;)
		;
}
END
# shellcheck disable=SC2086
try "a kernel out of the tree" 0 gcc -Wall -Wextra -Werror -ffreestanding -nostdlib -static -no-pie $flags -o own.elf own.c
MKBOOTIMG=$installed boots "boots" own.elf

# ---- Templates ---------------------------------------------------------------

for language in c asm rust; do
	try "a project, $language" 0 nobody "$installed" new "tmp/$language" --lang "$language"
	"$MKBOOTIMG" new "$language" --lang "$language"
	check "a project, $language: as from the build tree" diff -r "$language" "tmp/$language"
done

# ---- And away ----------------------------------------------------------------

try "make uninstall" 0 nobody make -C src uninstall DESTDIR="$PWD/root" PREFIX=/usr
check "no file is left" test -z "$(find root ! -type d)"
check "no directory of ours" test -z "$(find root -name '*mkbootimg*')"
try "make uninstall, again" 0 nobody make -C src uninstall DESTDIR="$PWD/root" PREFIX=/usr
try "with a space" 0 make -C src uninstall DESTDIR="$PWD/a root"
check "no file is left" test -z "$(find "a root" ! -type d)"

echo theirs | tee opt/share/mkbootimg/foreign opt/share/mkbootimg/bootloader/foreign.inc >/dev/null
try "among files of others, and without a build" 0 make -C src uninstall PREFIX="$PWD/opt" OUT=nowhere
empty "says nothing of them" err
(cd opt && find . ! -type d -printf '%P\n') | sort >left
printf '%s\n' bin/another share/man/man1/another.1 share/mkbootimg/bootloader/foreign.inc \
	share/mkbootimg/foreign >want.left
check "which all survive" diff want.left left
check "a directory of ours goes if it is empty" test ! -e opt/share/doc/mkbootimg -a ! -e opt/share/mkbootimg/templates
check "a directory of everyone's stays" test -d opt/include

chmod -R u+w src
done_testing
