#!/usr/bin/env bash
# Builds somebody else's program against the client SDK, moved to another folder, and runs it with the service.
#
#     test_sdk.sh BUILD_DIR TOOLCHAIN_FILE
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
build=$(cd -- "$1" && pwd -P)
toolchain=$2
work="$build/installer/a folder"
log=$build/installer/sdk.log

fail() {
    printf 'test_sdk: %s\n' "$*" >&2
    [ ! -f "$log" ] || cat "$log" >&2
    exit 1
}

run() {
    "$here/../wine/run.sh" "$build/wine" "$@"
}

configure() { # version folder
    cmake -S "$here/sdk" -B "$work/$2" -G Ninja --toolchain "$toolchain" -DCMAKE_PREFIX_PATH="$work/sdk" \
        -DWANTED="$1" >"$log" 2>&1
}

rm -rf "$work"
mkdir -p "$work"
cp -r "$build/installer/stage/sdk" "$work/sdk"

configure 0.1 build || fail "find_package"
cmake --build "$work/build" >"$log" 2>&1 || fail "building with CMake"
cp "$work/sdk/bin/handlebroker.dll" "$work/build"
run "$work/build/stranger_client.exe" || fail "the static library"
run "$work/build/stranger_client_dll.exe" || fail "the DLL"
x86_64-w64-mingw32-objdump -p "$work/build/stranger_client_dll.exe" | grep 'DLL Name: handlebroker.dll' >/dev/null ||
    fail "the program for the DLL does without it"
if x86_64-w64-mingw32-objdump -p "$work/build/stranger_client.exe" | grep 'DLL Name: \(handlebroker\|lib\)'; then
    fail "the static library is not all that its program needs"
fi

# The import library for Microsoft's linker, which gcc's takes too.
x86_64-w64-mingw32-gcc-win32 "$here/sdk/stranger.c" -DHBK_USE_DLL -I"$work/sdk/include" \
    "$work/sdk/lib/handlebroker_dll.lib" -o "$work/build/stranger_msvc.exe" >"$log" 2>&1 ||
    fail "building with handlebroker_dll.lib"
run "$work/build/stranger_msvc.exe" || fail "the program by handlebroker_dll.lib"

# Before 1.0 another minor version is another library.
for version in 0.2 0.0 1.0; do
    ! configure "$version" refused || fail "version $version was found"
    grep -q 'version: 0\.1\.' "$log" || fail "version $version was refused for another reason"
    rm -rf "$work/refused"
done

export PKG_CONFIG_LIBDIR=$work/sdk/lib/pkgconfig
pkg-config --exists 'handlebroker >= 0.1' || fail "pkg-config does not find it"
! pkg-config --exists 'handlebroker >= 0.2' || fail "pkg-config takes it for a later version"
# It escapes blanks for the shell.
eval "flags=($(pkg-config --cflags --libs handlebroker))"
# shellcheck disable=SC2154 # set by eval
x86_64-w64-mingw32-gcc-win32 "$here/sdk/stranger.c" "${flags[@]}" -o "$work/stranger.exe" >"$log" 2>&1 ||
    fail "building with pkg-config"
run "$work/stranger.exe" || fail "the program that pkg-config has helped with"

printf 'sdk: four programs built and run\n'
