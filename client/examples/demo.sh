#!/usr/bin/env bash
# Shows the main job on real objects: the service is installed with sc.exe, one process makes seven
# kernel objects and hands them all to another, which uses each of them.
#
#     demo.sh BUILD_DIR              exit code 0 only if every step really happened
#     demo.sh BUILD_DIR --no-start   leaves out "sc start": the hand-off must fail then, for that
#                                    reason and no other, and exit code 0 says that it did
#
# On Linux it runs in the private Wine prefix BUILD_DIR/wine; on Windows in Git's bash, as an
# administrator. Whatever happens, nothing of it is left behind.
set -euo pipefail

service=HandleBroker
endpoint=user/demo
wait_seconds=30

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

[ $# -eq 1 ] || { [ $# -eq 2 ] && [ "$2" = --no-start ]; } || usage
no_start=${2:-}
build=$(cd -- "$1" && pwd -P)
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
wine_dir=$here/../../tests/wine
work=$(mktemp -d)
installed=
prefix_started=
children=()

say() {
    printf '\n== %s\n' "$*"
}

fail() {
    printf '\ndemo: FAILED: %s\n' "$*" >&2
    exit 1
}

# --- this machine: Windows, or Wine -------------------------------------------------------------

case $(uname -s) in
MINGW* | MSYS* | CYGWIN*)
    export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'
    run=()
    sc_exe=(sc.exe)
    executable=$(cygpath -w "$build/bin/handlebroker.exe")
    ;;
*)
    # shellcheck source=tests/wine/env.sh
    . "$wine_dir/env.sh"
    hbk_wine_env "$build/wine"
    run=("$HBK_WINE")
    sc_exe=("$HBK_WINE" sc)
    executable=$(hbk_windows_path "$build/bin/handlebroker.exe")
    ;;
esac

# Wine's programs want files, not pipes, as their standard handles.
sc() {
    local code=0
    printf '> sc' && printf ' %s' "$@" && printf '\n'
    "${sc_exe[@]}" "$@" </dev/null >"$work/sc" 2>&1 || code=$?
    tr -d '\r' <"$work/sc" | sed '/^ *$/d; s/^/  /'
    return "$code"
}

state() {
    "${sc_exe[@]}" query "$service" </dev/null >"$work/state" 2>&1 || true
    tr -d '\r' <"$work/state" | awk '/^ *STATE *:/ { name = $4 } END { print name == "" ? "ABSENT" : name }'
}

wait_for() {
    local deadline=$((SECONDS + wait_seconds))
    while [ "$(state)" != "$1" ]; do
        [ "$SECONDS" -lt "$deadline" ] || fail "the service is $(state), not $1"
        sleep 0.05
    done
}

handle_count() {
    "${run[@]}" "$build/bin/handle_count.exe" "$service" </dev/null >"$work/count" 2>"$work/count.error" ||
        fail "$(cat "$work/count.error")"
    tr -d '\r' <"$work/count"
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    local code=$? child
    trap - EXIT
    for child in "${children[@]}"; do
        kill "$child" 2>/dev/null || true
    done
    if [ -n "$installed" ]; then
        say "cleaning up"
        sc stop "$service" || true
        sc delete "$service" || true
    fi
    if [ -n "$prefix_started" ]; then
        "$wine_dir/prefix.sh" stop "$build/wine" || true
    fi
    rm -rf "$work"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- the steps ----------------------------------------------------------------------------------

prepare() {
    local program
    for program in handlebroker demo_source demo_target handle_count; do
        [ -f "$build/bin/$program.exe" ] || fail "$build/bin/$program.exe has not been built"
    done
    if [ ${#run[@]} -gt 0 ] && { [ ! -d "$WINEPREFIX" ] || ! "$HBK_WINESERVER" -k0 2>/dev/null; }; then
        say "starting the private Wine prefix $WINEPREFIX"
        prefix_started=yes
        "$wine_dir/prefix.sh" start "$WINEPREFIX"
    fi
    [ "$(state)" = ABSENT ] || fail "$service is installed already: sc stop $service; sc delete $service"
}

install() {
    say "installing the service"
    sc create "$service" binPath= "\"$executable\"" start= demand || fail "sc create"
    installed=yes
    wait_for STOPPED
}

start() {
    say "starting the service"
    sc start "$service" || fail "sc start"
    wait_for RUNNING
    sc query "$service" || fail "sc query"
}

# The two programs, started from here one beside the other. Each has its own bound on every wait;
# this one is for a program that hangs all the same.
hand_off() {
    local target source deadline=$((SECONDS + 2 * wait_seconds))
    target_code=0 source_code=0
    "${run[@]}" "$build/bin/demo_target.exe" "$endpoint" </dev/null >"$work/target" 2>&1 &
    target=$!
    "${run[@]}" "$build/bin/demo_source.exe" "$endpoint" </dev/null >"$work/source" 2>&1 &
    source=$!
    children=("$target" "$source")
    while kill -0 "$target" 2>/dev/null || kill -0 "$source" 2>/dev/null; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            kill "$target" "$source" 2>/dev/null || true
        fi
        sleep 0.05
    done
    wait "$target" || target_code=$?
    wait "$source" || source_code=$?
    children=()
    printf '\n'
    tr -d '\r' <"$work/target"
    printf '\n'
    tr -d '\r' <"$work/source"
}

# A line an item: its value, type and granted rights in both processes.
table() {
    awk '
        { sub(/\r$/, "") }
        $2 == "item" && $1 == "source:" { source[++count] = $3; line[$3] = $5 "\t" $7 "\t" $9; type[$3] = $7; access[$3] = $9 }
        $2 == "item" && $1 == "target:" { other[$3] = $5 "\t" $7 "\t" $9; same += type[$3] == $7 && access[$3] == $9 }
        END {
            form = "%-10s %-9s %-10s %-9s    %-9s %-10s %-9s\n"
            printf form, "", "source:", "", "", "target:", "", ""
            printf form, "item", "value", "type", "access", "value", "type", "access"
            for (i = 1; i <= count; i++) {
                split(line[source[i]], a, "\t")
                split(other[source[i]], b, "\t")
                printf form, source[i], a[1], a[2], a[3], b[1], b[2], b[3]
            }
            exit !(count == 7 && same == 7)
        }' "$work/source" "$work/target"
}

wait_for_count() {
    local before=$1 now deadline=$((SECONDS + 10))
    now=$(handle_count)
    while [ "$now" != "$before" ] && [ "$SECONDS" -lt "$deadline" ]; do
        sleep 0.1
        now=$(handle_count)
    done
    printf 'the service had %s handles before the hand-off, and has %s after it\n' "$before" "$now"
    [ "$now" = "$before" ] || fail "the service did not come back to its handles"
}

remove() {
    say "stopping and removing the service"
    if [ -z "$no_start" ]; then
        sc stop "$service" || fail "sc stop"
        wait_for STOPPED
    fi
    sc delete "$service" || fail "sc delete"
    wait_for ABSENT
    installed=
}

without_service() {
    say "one process hands seven objects to another, while the service is stopped"
    hand_off
    say "what must have happened"
    if [ "$target_code" -eq 0 ] || [ "$source_code" -eq 0 ]; then
        fail "a program says that all went well"
    fi
    grep -q '^source: FAILED hbk_open: unavailable: ' "$work/source" || fail "the source failed otherwise"
    grep -q '^target: FAILED hbk_open: unavailable: ' "$work/target" || fail "the target failed otherwise"
    ! grep -q ' ok ' "$work/source" "$work/target" || fail "something worked without the service"
    printf 'both failed, for there is no service: exit codes %s and %s\n' "$source_code" "$target_code"
}

with_service() {
    local before
    # The service starts its workers when they are first needed, and they stay: that is seen to here.
    say "a first hand-off, to warm up the service"
    hand_off >"$work/first"
    if [ "$target_code" -ne 0 ] || [ "$source_code" -ne 0 ]; then
        cat "$work/first"
        fail "exit codes: source $source_code, target $target_code"
    fi
    grep -h ' all seven ' "$work/target" "$work/source" | tr -d '\r'
    before=$(handle_count)
    say "one process hands seven objects to another"
    hand_off
    if [ "$target_code" -ne 0 ] || [ "$source_code" -ne 0 ]; then
        fail "exit codes: source $source_code, target $target_code"
    fi
    say "the same seven in both processes"
    table || fail "types or rights differ"
    say "what is left behind"
    grep -h 'handles before' "$work/source" "$work/target" | tr -d '\r'
    wait_for_count "$before"
}

prepare
install
if [ -n "$no_start" ]; then
    without_service
else
    start
    with_service
fi
remove
if [ -n "$no_start" ]; then
    say "demo: fails without the service, as it must"
else
    say "demo: every step happened"
fi
