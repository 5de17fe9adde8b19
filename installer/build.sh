#!/usr/bin/env bash
# Makes the MSI and the zip of a build for Windows, on Linux (wixl and msibuild of the packages wixl and msitools).
#
#     build.sh BUILD_DIR                   BUILD_DIR/installer/HandleBroker-VERSION-x64.msi and .zip
#     build.sh BUILD_DIR --version X.Y.Z   the MSI alone, and calls it that; for the tests of upgrades
#
# What is shipped says cmake/Install.cmake. All of it must be built: the target hbk_ship, or all targets.
# Equal files give an equal MSI and an equal zip. Both say of everything in them that it is of 1980, the first time that
# they have words for, or of SOURCE_DATE_EPOCH, seconds since 1970.
set -euo pipefail

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

fail() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}

[ $# -eq 1 ] || { [ $# -eq 3 ] && [ "$2" = --version ]; } || usage
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
build=$(cd -- "$1" && pwd -P)
version=${3:-$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "\"$version\" is no version of three numbers"
out=$build/installer
name=HandleBroker-$version-x64
stage=$out/stage
log=$out/build.log

sequence() { # msi, and rows of action, number, condition
    local action number condition
    while IFS=$'\t' read -r action number condition; do
        msibuild "$1" -q "INSERT INTO \`InstallExecuteSequence\` (\`Action\`, \`Sequence\`, \`Condition\`) \
            VALUES ('$action', $number, '$condition')"
    done
}

make_msi() {
    local msi=$out/$name.msi part=$out/$name.part.msi code
    code=$(python3 "$here/msi.py" code "$version")
    python3 "$here/pack.py" fragment "$stage" "$out/sdk.wxs"
    rm -f "$msi" "$part"
    # It looks for files beside its sources.
    cp "$here/handlebroker.wxs" "$here/handlebroker.ico" "$out/sdk.wxs" "$stage"
    find "$stage" -type f -exec touch --no-create --date="@$SOURCE_DATE_EPOCH" {} +
    (cd "$stage" && wixl -a x64 -D Version="$version" -D ProductCode="$code" -o "$part" handlebroker.wxs sdk.wxs)
    python3 "$here/msi.py" tables "$here/handlebroker.wxs" "$out" >"$out/sequence"
    (cd "$out" && msibuild "$part" -i Environment.idt && msibuild "$part" -i CustomAction.idt)
    sequence "$part" <"$out/sequence"
    python3 "$here/msi.py" seal "$part" "$SOURCE_DATE_EPOCH"
    rm "$stage"/{handlebroker.wxs,handlebroker.ico,sdk.wxs}
    mv "$part" "$msi"
    printf '%s\n' "$msi"
}

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-315532800}
mkdir -p "$out"
rm -rf "$stage"
# Stripping would write the time into the executables.
SOURCE_DATE_EPOCH=0 cmake --install "$build" --strip --prefix "$stage" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "cmake --install failed; has the target hbk_ship been built?"
}
make_msi
if [ $# -eq 1 ]; then
    rm -f "$out/$name.zip"
    python3 "$here/pack.py" zip "$stage" "$out/$name.zip" "$SOURCE_DATE_EPOCH"
    printf '%s\n' "$out/$name.zip"
fi
