#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mkbootimg.mk, the CMake module and Meson, in a project outside the tree, against an
# installation: what is built again is what must be, and nothing else.
. "$(dirname "$0")/../lib.sh"

unset PREFIX DESTDIR BINDIR DATADIR INCLUDEDIR MANDIR PKGCONFIGDIR CMAKEDIR BASHCOMPDIR ZSHCOMPDIR FISHCOMPDIR
unset SANITIZE COVERAGE CFLAGS LDFLAGS
mkdir -p src/build
for entry in "$ROOT"/*; do
	[ "${entry##*/}" = build ] || cp -a "$entry" src/
done
cp -a "$OUT/mkbootimg" "$OUT/share" "$OUT/tool" src/build/
try "make install" 0 make -C src install PREFIX="$PWD/usr"
export PATH=$PWD/usr/bin:$PATH PKG_CONFIG_PATH=$PWD/usr/share/pkgconfig CMAKE_PREFIX_PATH=$PWD/usr
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
rm -rf src

# project DIRECTORY: of the examples' files; and what follows is about its image.
project() {
	mkdir "$1"
	cp "$ROOT"/examples/{kernel.c,Makefile,CMakeLists.txt,meson.build} "$1"
	echo "a disk" >"$1/initrd.img"
}

# The image's bytes, and when it was made.
made() {
	stat -c '%i %y' "$image"
}
# rebuilt NAME COMMAND...: the command makes the image anew; kept: does not.
rebuilt() {
	local before=none
	[ -e "$image" ] && before=$(made)
	try "$1" 0 "${@:2}"
	check "$1: the image is made" test "$before" != "$(made)"
}
kept() {
	local before
	before=$(made)
	try "$1" 0 "${@:2}"
	check "$1: the image stays" test "$before" = "$(made)"
}
# touched FILE: is changed later than anything that there is.
touched() {
	sleep 1.1
	touch "$1"
}

# ---- make ------------------------------------------------------------------------

project make
image=make/kernel.img
run_make=(make -C make)
rebuilt "make" "${run_make[@]}"
kept "make, again" "${run_make[@]}"
has_not "make, again: nothing is run" out "mkbootimg build"
touched make/kernel.c
rebuilt "make: the kernel's source" "${run_make[@]}"
kept "make: and once" "${run_make[@]}"
rebuilt "make: another option" "${run_make[@]}" MKBOOTIMG_CMDLINE="it's \"else\""
kept "make: the same option" "${run_make[@]}" MKBOOTIMG_CMDLINE="it's \"else\""
has "make: it is in the image" "$image" "it's \"else\""
rebuilt "make: the option goes" "${run_make[@]}"
rebuilt "make: a module" "${run_make[@]}" MKBOOTIMG_MODULES=initrd.img=disk
kept "make: the same module" "${run_make[@]}" MKBOOTIMG_MODULES=initrd.img=disk
touched make/initrd.img
rebuilt "make: the module changes" "${run_make[@]}" MKBOOTIMG_MODULES=initrd.img=disk
kept "make: and once" "${run_make[@]}" MKBOOTIMG_MODULES=initrd.img=disk
rebuilt "make: no module" "${run_make[@]}"
printf '[build]\nmodule = initrd.img\n' >make/mkbootimg.conf
rebuilt "make: a mkbootimg.conf comes" "${run_make[@]}"
kept "make: and once" "${run_make[@]}"
touched make/mkbootimg.conf
rebuilt "make: it changes" "${run_make[@]}"
kept "make: and once" "${run_make[@]}"
touched make/initrd.img
rebuilt "make: a module that it names changes" "${run_make[@]}"
rm make/mkbootimg.conf
rebuilt "make: it goes" "${run_make[@]}"
kept "make: and once" "${run_make[@]}"
touched usr/bin/mkbootimg
rebuilt "make: another mkbootimg" "${run_make[@]}"
try "make run" 0 "${run_make[@]}" run MKBOOTIMG_RUN_OPTIONS="--headless --timeout $SECONDS_MAX"
has "make run: the command line" out "Hello from a kernel: from make"
try "make test" 0 "${run_make[@]}" test
has "make test: passed" out "ok 1 - kernel.elf"
try "make debug" 0 "${run_make[@]}" -n debug
has "make debug: what it would do" out "mkbootimg debug --cmdline"
try "no kernel is named" 2 make -f "$PWD/usr/share/mkbootimg/mkbootimg.mk"
has "no kernel is named: says so" err "set MKBOOTIMG_KERNEL"

# ---- CMake -----------------------------------------------------------------------

# with_cmake GENERATOR
with_cmake() {
	local name="CMake, $1" dir=cmake-${1// /}
	project "$dir"
	image=$dir/build/kernel.img
	local build=(cmake --build "$dir/build")
	try "$name: configures" 0 cmake -G "$1" -S "$dir" -B "$dir/build"
	rebuilt "$name" "${build[@]}"
	kept "$name, again" "${build[@]}"
	touched "$dir/kernel.c"
	rebuilt "$name: the kernel's source" "${build[@]}"
	kept "$name: and once" "${build[@]}"
	sed -i 's/CMDLINE "from cmake"/CMDLINE "else" MODULES initrd.img=disk/' "$dir/CMakeLists.txt"
	rebuilt "$name: other options" "${build[@]}"
	kept "$name: and once" "${build[@]}"
	touched "$dir/initrd.img"
	rebuilt "$name: the module" "${build[@]}"
	kept "$name: and once" "${build[@]}"
	echo "[build]" >"$dir/mkbootimg.conf"
	touch "$dir/CMakeLists.txt"
	rebuilt "$name: a mkbootimg.conf" "${build[@]}"
	kept "$name: and once" "${build[@]}"
	touched "$dir/mkbootimg.conf"
	rebuilt "$name: it changes" "${build[@]}"
	try "$name: run" 0 "${build[@]}" --target kernel-run
	has "$name: run: the command line" out "Hello from a kernel: else"
	try "$name: test" 0 "${build[@]}" --target kernel-test
	try "$name: ctest" 0 env -C "$dir/build" ctest --output-on-failure
	has "$name: ctest: passed" out "100% tests passed"
}
if command -v cmake >/dev/null; then
	with_cmake "Unix Makefiles"
	sed -i 's/(Mkbootimg REQUIRED)/(Mkbootimg 99 REQUIRED)/' cmake-UnixMakefiles/CMakeLists.txt
	try "CMake: a version that there is not" 1 cmake -S cmake-UnixMakefiles -B other
	if command -v ninja >/dev/null; then
		with_cmake Ninja
	else
		may_skip "CMake, Ninja" "ninja is not installed"
	fi
else
	may_skip "CMake" "cmake is not installed"
fi

# ---- Meson -----------------------------------------------------------------------

if command -v meson >/dev/null && command -v ninja >/dev/null; then
	project meson
	image=meson/build/kernel.img
	try "Meson: sets up" 0 meson setup meson/build meson
	rebuilt "Meson" ninja -C meson/build
	kept "Meson, again" ninja -C meson/build
	touched meson/kernel.c
	rebuilt "Meson: the kernel's source" ninja -C meson/build
	kept "Meson: and once" ninja -C meson/build
	sed -i "s/'from meson'/'else', '--module', meson.current_source_dir() \/ 'initrd.img'/" meson/meson.build
	rebuilt "Meson: other options" ninja -C meson/build
	kept "Meson: and once" ninja -C meson/build
	touched meson/initrd.img
	rebuilt "Meson: the module" ninja -C meson/build
	kept "Meson: and once" ninja -C meson/build
	try "Meson: run" 0 ninja -C meson/build run
	has "Meson: run: the command line" out "Hello from a kernel: else"
	try "Meson: test" 0 meson test -C meson/build
else
	may_skip "Meson" "meson or ninja is not installed"
fi

done_testing
