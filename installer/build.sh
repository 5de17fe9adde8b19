#!/usr/bin/env bash
# Makes the MSI and the zip of a build for Windows, on Linux (wixl and msibuild of the packages wixl and msitools).
#
#     build.sh BUILD_DIR                   BUILD_DIR/installer/HandleBroker-VERSION-x64.msi and .zip
#     build.sh BUILD_DIR --version X.Y.Z   the MSI alone, and calls it that; for the tests of upgrades
#
# What is shipped says cmake/Install.cmake. All of it must be built: the target hbk_ship, or all targets.
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

# A row of a table as msibuild reads it: fields parted by tabs, and CR LF. The first three rows are heads.
row() {
    local IFS=$'\t'
    printf '%s\r\n' "$*"
}

# "=" sets it at installation, "-" takes it away at removal, "*" is the machine's; "[~]" is what stands there already.
environment_table() {
    row Environment Name Value Component_
    row s72 l255 L255 s72
    row Environment Environment
    row Path '=-*PATH' '[~];[INSTALLDIR]' Tools
}

# What a service has that MSI's own table has no column for, as install.cmd does it, and a path that is quoted
# whatever the installer's version. 34: a program, by its folder
# and command line; 64: whatever it answers; 1024 and 2048: within the installation, as LocalSystem. Without one of
# these the service works, and says so in the event log: none is worth an installation that fails.
action_table() {
    local type=$((34 + 64 + 1024 + 2048)) sc='"[System64Folder]sc.exe"'
    row Action Type Source Target ExtendedType
    row s72 i2 S72 S255 I4
    row CustomAction Action
    row ServicePath "$type" System64Folder \
        "$sc config HandleBroker binPath= \"\\\"[INSTALLDIR]handlebroker.exe\\\"\"" ''
    row ServiceFailure "$type" System64Folder \
        "$sc failure HandleBroker reset= 86400 actions= restart/1000/restart/5000/restart/30000" ''
    row ServiceSid "$type" System64Folder "$sc sidtype HandleBroker unrestricted" ''
    row ServicePrivileges "$type" System64Folder \
        "$sc privs HandleBroker SeChangeNotifyPrivilege/SeDebugPrivilege/SeImpersonatePrivilege" ''
}

sequence() { # msi action number condition
    msibuild "$1" -q "INSERT INTO \`InstallExecuteSequence\` (\`Action\`, \`Sequence\`, \`Condition\`) VALUES ('$2', $3, '$4')"
}

make_msi() {
    local msi=$out/$name.msi part=$out/$name.part.msi
    python3 "$here/pack.py" fragment "$stage" "$out/sdk.wxs"
    environment_table >"$out/Environment.idt"
    action_table >"$out/CustomAction.idt"
    rm -f "$msi" "$part"
    # It looks for files beside its sources.
    cp "$here/handlebroker.wxs" "$out/sdk.wxs" "$stage"
    (cd "$stage" && wixl -a x64 -D Version="$version" -o "$part" handlebroker.wxs sdk.wxs)
    (cd "$out" && msibuild "$part" -i Environment.idt && msibuild "$part" -i CustomAction.idt)
    # The first two at the places that Windows' documentation gives them; the others between InstallServices (5800)
    # and StartServices (5900).
    sequence "$part" RemoveEnvironmentStrings 3300 ''
    sequence "$part" WriteEnvironmentStrings 5200 ''
    sequence "$part" ServicePath 5805 'NOT REMOVE="ALL"'
    sequence "$part" ServiceFailure 5810 'NOT REMOVE="ALL"'
    sequence "$part" ServiceSid 5820 'NOT REMOVE="ALL"'
    sequence "$part" ServicePrivileges 5830 'NOT REMOVE="ALL"'
    mv "$part" "$msi"
    printf '%s\n' "$msi"
}

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
    python3 "$here/pack.py" zip "$stage" "$out/$name.zip"
    printf '%s\n' "$out/$name.zip"
fi
