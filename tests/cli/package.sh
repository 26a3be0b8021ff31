#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# "make dist", which is the same bytes each time and needs no git to be built; and the
# Debian package of it: without a complaint of lintian's, installed, used and removed.
. "$(dirname "$0")/../lib.sh"

unset SANITIZE COVERAGE CFLAGS LDFLAGS PREFIX DESTDIR
version=$("$MKBOOTIMG" --version | cut -d' ' -f2)
tarball=mkbootimg-$version.tar.gz

# ---- make dist -------------------------------------------------------------------

if ! git -C "$ROOT" rev-parse HEAD >/dev/null 2>&1; then
	may_skip "make dist" "this is no clone"
	done_testing
fi
try "make dist" 0 make -C "$ROOT" dist DISTDIR="$PWD/one"
sleep 1.1
try "make dist, again" 0 env TZ=Asia/Tokyo LC_ALL=C.UTF-8 bash -c \
	"umask 077; exec make -C '$ROOT' dist DISTDIR='$PWD/two'"
check "the same bytes" cmp "one/$tarball" "two/$tarball"
tar --numeric-owner -tvzf "one/$tarball" >list
check "one directory" test "$(awk '{ print $6 }' list | cut -d/ -f1 | sort -u)" = "mkbootimg-$version"
check "nobody's files" test "$(awk '{ print $2 }' list | sort -u)" = 0/0
check "of one time" test "$(awk '{ print $4, $5 }' list | sort -u | wc -l)" = 1
if [ -z "${LONG:-}" ]; then
	may_skip "what is in it" "that takes half a minute; make check-long does it"
	done_testing
fi
tar -xzf "one/$tarball"
cd "mkbootimg-$version" || exit
export GIT_DIR=/nowhere		# as if there were none
try "builds from it" 0 make -j2
try "the version" 0 build/mkbootimg --version
has "the version is its own" out "mkbootimg $version"
try "boots from it" 0 make DEPS=no example run-example DISPLAY= WAYLAND_DISPLAY=
has "the example kernel ran" out "Hello World!"
try "make clean" 0 make clean
unset GIT_DIR

# ---- The Debian package ------------------------------------------------------------

package=mkbootimg-kernel
if ! command -v dpkg-buildpackage >/dev/null || ! command -v dh >/dev/null || ! command -v lintian >/dev/null; then
	may_skip "the Debian package" "debhelper or lintian is not installed"
	done_testing
fi
check "the changelog has the version" test "$(dpkg-parsechangelog -S Version)" = "$version"
try "dpkg-buildpackage" 0 dpkg-buildpackage -us -uc -b -j2
cd ..
try "lintian" 0 lintian --allow-root --fail-on error,warning,info ./"$package"_*.changes
empty "lintian: nothing to say" out
try "what is in it" 0 dpkg-deb -c "$package"_*_amd64.deb
for file in bin/mkbootimg include/mkbootimg.h share/mkbootimg/mkbootimg.mk share/man/man1/mkbootimg.1.gz \
	share/bash-completion/completions/mkbootimg share/pkgconfig/mkbootimg.pc; do
	has "what is in it: $file" out "./usr/$file"
done

# A root of its own, whose packages are ours.
mkdir -p root/var/lib/dpkg/{info,updates}
touch root/var/lib/dpkg/{status,available}
in_root() {
	dpkg --root="$PWD/root" --force-not-root --force-depends --force-script-chrootless --log=/dev/null "$@"
}
try "installs" 0 in_root --install ./"$package"_*_amd64.deb
cp "$KERNELS/ends.elf" k.elf
try "the example boots" 0 root/usr/bin/mkbootimg run --headless --timeout "$SECONDS_MAX" -c success k.elf
has "the kernel ran" out "ending by: success"
try "a project of its templates" 0 root/usr/bin/mkbootimg new project
try "its cmake and make files are where they look" 0 make -n -f root/usr/share/mkbootimg/mkbootimg.mk \
	MKBOOTIMG_KERNEL=k.elf run
has "the program beside them" out "$PWD/root/usr/bin/mkbootimg run"

# Android's program of that name.
mkdir -p android/DEBIAN
printf '%s\n' "Package: mkbootimg" "Version: 1" "Architecture: all" "Maintainer: X <x@example.com>" \
	"Description: another" >android/DEBIAN/control
dpkg-deb --build --root-owner-group android android.deb >/dev/null
try "not beside Android's" 1 in_root --install android.deb
has "not beside Android's: says so" err "conflict"

try "is removed" 0 in_root --purge "$package"
check "no file is left" test -z "$(find root -path root/var/lib/dpkg -prune -o ! -type d -print)"

done_testing
