#!/usr/bin/env bash
# installer/build.cmd, run by Wine's cmd with stand-ins for cmake, python, candle and light: what it asks of them, from
# which folder, and that it ends where one of them fails. That WiX takes what it is asked is for Windows to show.
#
#     test_build_cmd.sh BUILD_DIR
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd -- "$here/../.." && pwd -P)
build=$(cd -- "$1" && pwd -P)
# shellcheck source=tests/wine/env.sh
. "$here/../wine/env.sh"
hbk_wine_env "$build/wine"

work=$build/installer.cmd
fake="$work/a build"
rm -rf "$work"
mkdir -p "$fake" "$work/wix/bin" "$work/tools"
for tool in tools/cmake tools/python wix/bin/candle wix/bin/light; do
    cp "$build/bin/installer_stand_in.exe" "$work/$tool.exe"
done
printf 'CMAKE_PROJECT_VERSION_MAJOR:STATIC=9\nCMAKE_PROJECT_VERSION:STATIC=0.1.0\nOTHER:STATIC=9.9.9\n' \
    >"$fake/CMakeCache.txt"

fail() {
    printf 'test_build_cmd: FAILED: %s\n' "$*" >&2
    cat "$work/output" "$work/calls" >&2
    exit 1
}

# The exit code is build.cmd's. Of the calls, paths are told as those of this test.
build_cmd() { # wix fails folder
    local code=0
    rm -rf "$fake/installer" "$work/calls"
    WIX=$1 STAND_IN_FAILS=$2 STAND_IN_LOG=$(hbk_windows_path "$work/raw") \
        WINEPATH=$(hbk_windows_path "$work/tools") \
        timeout 60 "$HBK_WINE" cmd /c call "$(hbk_windows_path "$root/installer/build.cmd")" \
        "$3" </dev/null >"$work/output" 2>&1 || code=$?
    touch "$work/raw"
    sed -e "s/\\r$//" -e 's/\\/\//g' -e "s|[A-Z]:$work|WORK|g" -e "s|[A-Z]:$root|ROOT|g" "$work/raw" >"$work/calls"
    rm "$work/raw"
    return "$code"
}

wix=$(hbk_windows_path "$work/wix")\\
folder=$(hbk_windows_path "$fake")
build_cmd "$wix" '' "$folder" || fail "build.cmd"
out='WORK/a build/installer'
msi="$out/HandleBroker-0.1.0-x64"
code='{00000000-0000-0000-0000-000000000001}'
sed -n 's/^.*: \(cmake\|python\|candle\|light\) / \1 /p' "$work/calls" >"$work/asked"
diff - "$work/asked" >>"$work/output" <<EXPECTED || fail "other calls than these"
 cmake <--install> <WORK/a build> <--prefix> <$out/stage>
 python <ROOT/installer/msi.py> <code> <0.1.0>
 python <ROOT/installer/pack.py> <zip> <$out/stage> <$msi.zip> <315532800>
 python <ROOT/installer/pack.py> <fragment> <$out/stage> <$out/sdk.wxs>
 candle <-nologo> <-arch> <x64> <-dWiX=1> <-dVersion=0.1.0> <-dProductCode=$code> <-out> <$out/> <ROOT/installer/handlebroker.wxs> <$out/sdk.wxs>
 light <-nologo> <-out> <$msi.msi> <$out/handlebroker.wixobj> <$out/sdk.wixobj>
EXPECTED
# They look for files where they are called: for those that are installed, and the icon.
[ "$(grep -c "^$out/stage: \(candle\|light\) " "$work/calls")" -eq 2 ] || fail "from another folder"

for step in cmake code zip fragment candle light; do
    ! build_cmd "$wix" "$step" "$folder" || fail "it goes on where $step fails"
    tail -n 1 "$work/calls" | grep -q "[ <]${step}[ >]" || fail "after $step has failed it calls something else"
done
! build_cmd "$work\\nowhere\\" '' "$folder" || fail "without WiX"
[ ! -s "$work/calls" ] || fail "without WiX something is called"
! build_cmd "$wix" '' "$(hbk_windows_path "$work/tools")" || fail "a folder that is no build"
! build_cmd "$wix" '' '' || fail "no folder"
[ ! -s "$work/calls" ] || fail "without a build something is called"
rm -rf "$work"
printf 'build.cmd: six calls, and none after one that failed\n'
