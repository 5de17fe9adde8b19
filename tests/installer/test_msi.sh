#!/usr/bin/env bash
# An administrator's walk with the MSI, in a Wine prefix of its own: install an older version, use it, upgrade it
# while it runs, be refused a downgrade, remove it; then nothing is left but the configuration.
#
#     test_msi.sh BUILD_DIR
set -euo pipefail

wait_seconds=30
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
build=$(cd -- "$1" && pwd -P)
# shellcheck source=tests/wine/env.sh
. "$here/../wine/env.sh"

packages=$build/installer
stage=$packages/stage
work=$packages/msi
prefix=$work/wine
folder="$prefix/drive_c/Program Files/Handle Broker"
windows_folder='C:\Program Files\Handle Broker'
configuration=$prefix/drive_c/ProgramData/HandleBroker/handlebroker.json
uninstall_key='HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall'
event_key='HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\HandleBroker'
environment_key='HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'

fail() {
    printf 'test_msi: FAILED: %s\n' "$*" >&2
    [ ! -s "$work/output" ] || cat "$work/output" >&2
    exit 1
}

ok() {
    printf 'ok     %s\n' "$*"
}

# --- Windows' tools -----------------------------------------------------------------------------

# What it says goes to $work/output; the exit code is the program's, cut to 8 bits.
windows() {
    local code=0
    timeout 60 "$HBK_WINE" "$@" </dev/null >"$work/output.raw" 2>&1 || code=$?
    tr -d '\r' <"$work/output.raw" >"$work/output"
    return "$code"
}

hbctl() {
    windows "$windows_folder\\hbctl.exe" "$@"
}

msi() { # version: the package's path as Windows spells it
    hbk_windows_path "$packages/HandleBroker-$1-x64.msi"
}

state() {
    windows sc query HandleBroker || true
    awk '/^ *STATE *:/ { name = $4 } END { print name == "" ? "ABSENT" : name }' "$work/output"
}

wait_for() {
    local deadline=$((SECONDS + wait_seconds))
    while [ "$(state)" != "$1" ]; do
        [ "$SECONDS" -lt "$deadline" ] || fail "the service is $(state), not $1"
        sleep 0.1
    done
}

service_pid() {
    hbctl status --json || fail "hbctl status"
    grep -o '"pid":[0-9]*' "$work/output"
}

installed_versions() {
    windows reg query "$uninstall_key" /s || true
    awk '$1 == "DisplayVersion" { printf "%s ", $3 }' "$work/output"
}

# --- what is looked at ----------------------------------------------------------------------------

# Each file that Stage has for these features is there, the same, and no other.
check_files() { # with or without sdk
    (cd "$stage" && find . -type f ! -name '*.cmd' ! -name '*.wxs' -print) | sort >"$work/wanted"
    [ "$1" = with ] || sed -i '/^\.\/sdk\//d' "$work/wanted"
    (cd "$folder" && find . -type f) | sort >"$work/there"
    diff "$work/wanted" "$work/there" >"$work/output" || fail "other files than those are installed"
    while read -r file; do
        cmp "$stage/$file" "$folder/$file" >"$work/output" || fail "$file is another"
    done <"$work/wanted"
    ok "$(wc -l <"$work/there") files are installed, as they were built"
}

# From one process to another, and by way of the store; with a file that only the handles lead to by then.
check_hand_off() {
    local text="handed over by what was installed" target
    printf '%s' "$text" >"$prefix/drive_c/note.txt"
    hbctl store put user/note --file 'C:\note.txt' --access read --ttl 60000 || fail "hbctl store put"
    timeout 60 "$HBK_WINE" "$windows_folder\hbctl.exe" receive user/inbox --print </dev/null >"$work/target" 2>&1 &
    target=$!
    hbctl send user/inbox --file 'C:\note.txt' --access read --wait 20000 || fail "hbctl send"
    wait "$target" || fail "hbctl receive: $(cat "$work/target")"
    grep "^$text" "$work/target" >/dev/null || fail "another text came: $(cat "$work/target")"
    rm "$prefix/drive_c/note.txt"
    hbctl store get user/note --print || fail "hbctl store get"
    grep "^$text" "$work/output" >/dev/null || fail "another text was stored"
    ok "a file went through the installed service, sent and stored"
}

check_registered() {
    [ "$(installed_versions)" = "$1 " ] || fail "installed is: $(installed_versions), not $1"
    windows reg query "$event_key" /v EventMessageFile || fail "no event source"
    grep -qF "$windows_folder\\handlebroker.exe" "$work/output" || fail "the event source is elsewhere"
    windows reg query "$environment_key" /v PATH || fail "no PATH"
    [ "$(grep -oF ";$windows_folder\\" "$work/output" | wc -l)" -eq 1 ] || fail "on the PATH once"
    windows cmd /c 'hbctl --version' || fail "hbctl is not found by the PATH"
    ok "version $1 alone is registered, with its event source, and is on the PATH"
}

# Files and registry keys with their values, as they lie on the disk when the prefix's server has ended; without
# times, what Wine notes of the display at each start, and the separators that Wine leaves on the PATH.
snapshot() { # name
    "$here/../wine/prefix.sh" stop "$prefix"
    (cd "$prefix" && find drive_c \( -type f -o -type d \) ! -path '*/Temp/*' ! -path '*/temp/*' | sort) \
        >"$work/$1.files"
    local hive
    for hive in system user; do
        # "[key] time" and "#time=": every line below a key is put behind its name.
        tr -d '\r' <"$prefix/$hive.reg" | awk -v hive="$hive" '
            /^\[/ { key = $0; sub(/\] [0-9]+$/, "]", key); print hive, key; next }
            /^"PATH"/ { sub(/;+"$/, "\"") }
            /^["@]/ { print hive, key, $0 }'
    done | grep -vF 'CurrentControlSet\\Control\\Class' | sort >"$work/$1.registry"
    "$here/../wine/prefix.sh" start "$prefix"
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    local code=$?
    trap - EXIT
    "$here/../wine/prefix.sh" stop "$prefix" || true
    rm -rf "$prefix" "$prefix".*
    exit "$code"
}

# --- the steps ----------------------------------------------------------------------------------

prepare() {
    rm -rf "$work"
    mkdir -p "$work"
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    hbk_wine_env "$prefix"
    "$here/../wine/prefix.sh" start "$prefix"
    hbk_wine_env "$prefix"
    new=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")
    old=0.0.9
    [ "$(state)" = ABSENT ] || fail "the fresh prefix has the service"
    snapshot before
}

install_old() {
    windows msiexec /i "$(msi "$old")" /qn || fail "msiexec /i"
    wait_for RUNNING
    check_files without
    check_registered "$old"
    check_hand_off
}

upgrade() {
    local before
    before=$(service_pid)
    printf '{"limits": {"sessions": 1234}}\n' >"$configuration"
    cp "$configuration" "$work/configuration"
    windows msiexec /i "$(msi "$new")" /qn ADDLOCAL=ALL || fail "msiexec /i of the newer version"
    wait_for RUNNING
    [ "$(service_pid)" != "$before" ] || fail "the old service goes on"
    cmp "$configuration" "$work/configuration" >"$work/output" || fail "the configuration has changed"
    check_files with
    check_registered "$new"
    check_hand_off
    ok "upgraded from $old to $new while it ran; the configuration is as it was"
}

refuse_downgrade() {
    local before
    before=$(service_pid)
    ! windows msiexec /i "$(msi "$old")" /qn || fail "the older version was installed over the newer"
    [ "$(service_pid)" = "$before" ] || fail "the service was restarted by what was refused"
    check_files with
    check_registered "$new"
    ok "the downgrade is refused, and has changed nothing"
}

repair() {
    rm "$folder/hbctl.exe"
    printf 'spoilt' >"$folder/LICENSE.txt"
    windows msiexec /i "$(msi "$new")" /qn REINSTALL=ALL REINSTALLMODE=amus || fail "msiexec REINSTALL"
    wait_for RUNNING
    check_files with
    check_registered "$new"
    ok "a file that was gone and one that was spoilt are repaired"
}

# Asked of Linux, for Wine's tasklist shows none.
has_process() {
    local process
    for process in /proc/[0-9]*; do
        if grep -qF 'handlebroker.exe' "$process/cmdline" 2>/dev/null &&
            grep -qzxF "WINEPREFIX=$prefix" "$process/environ" 2>/dev/null; then
            return 0
        fi
    done
    return 1
}

# The upgrade removes a version that runs. Here it is stopped before, and its process has ended: a program that is just
# ending keeps its file, and so its folder, and Wine's installer tries but once.
stop() {
    local deadline=$((SECONDS + wait_seconds))
    has_process || fail "the service has no process"
    windows sc stop HandleBroker || fail "sc stop"
    wait_for STOPPED
    while has_process; do
        [ "$SECONDS" -lt "$deadline" ] || fail "the service's process does not end"
        sleep 0.1
    done
}

remove() {
    stop
    windows msiexec /x "$(msi "$new")" /qn || fail "msiexec /x"
    wait_for ABSENT
    [ ! -e "$folder" ] || fail "files are left: $(find "$folder")"
    cmp "$configuration" "$work/configuration" >"$work/output" || fail "the configuration has changed"
    ok "removed; the configuration is as it was"
}

# Beside the configuration: Windows' own folder and keys for what is installed, which are empty now, and which a fresh
# prefix has not yet; and a key that was empty in it, which every Windows has things in.
compare() {
    snapshot after
    cat >"$work/left" <<'LEFT'
> drive_c/ProgramData/HandleBroker
> drive_c/ProgramData/HandleBroker/handlebroker.json
> drive_c/windows/Installer
> system [Software\\Classes\\Installer\\Features]
> system [Software\\Classes\\Installer\\Products]
> system [Software\\Classes\\Installer\\UpgradeCodes]
> system [Software\\Microsoft\\Windows\\CurrentVersion\\Installer\\UpgradeCodes]
> system [Software\\Microsoft\\Windows\\CurrentVersion\\Installer\\UserData\\S-1-5-18\\Components]
> system [Software\\Microsoft\\Windows\\CurrentVersion\\Installer\\UserData\\S-1-5-18\\Products]
< system [System\\CurrentControlSet\\Services\\Eventlog\\Application]
LEFT
    local kind
    for kind in files registry; do
        diff "$work/before.$kind" "$work/after.$kind" | grep '^[<>]' || true
    done >"$work/difference"
    diff "$work/left" "$work/difference" >"$work/output" || fail "more or less than that is left"
    ok "nothing else is left, in $(wc -l <"$work/after.files") files and $(wc -l <"$work/after.registry") registry entries"
}

prepare
install_old
upgrade
refuse_downgrade
repair
remove
compare
printf 'msi: every step happened\n'
