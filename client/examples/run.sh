#!/usr/bin/env bash
# Runs one of the examples with the service installed for it, and removes the service again.
#
#     run.sh BUILD_DIR NAME [ARGUMENT…]     exit code 0 only if the example's is
#     run.sh BUILD_DIR --no-start           runs those that need the service while it is stopped: each
#                                           must fail, for that reason and no other
#
# On Linux they run in the private Wine prefix BUILD_DIR/wine; on Windows in Git's bash, as an
# administrator.
set -euo pipefail

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

[ $# -ge 2 ] || usage
build=$(cd -- "$1" && pwd -P)
name=$2
shift 2
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
wine_dir=$here/../../tests/wine
work=$(mktemp -d)
wine=
prefix_started=
installed=
broker=

fail() {
    printf 'run.sh: %s\n' "$*" >&2
    exit 1
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    local code=$?
    trap - EXIT
    [ -z "$broker" ] || kill "$broker" 2>/dev/null || true
    [ -z "$installed" ] || "$wine_dir/service.sh" "$build" remove || code=1
    [ -z "$prefix_started" ] || "$wine_dir/prefix.sh" stop "$build/wine" || true
    rm -rf "$work"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

case $(uname -s) in
MINGW* | MSYS* | CYGWIN*)
    export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'
    run=()
    ;;
*)
    # shellcheck source=tests/wine/env.sh
    . "$wine_dir/env.sh"
    hbk_wine_env "$build/wine"
    wine=yes
    run=("$wine_dir/run.sh" "$build/wine")
    if [ ! -d "$WINEPREFIX" ] || ! "$HBK_WINESERVER" -k0 2>/dev/null; then
        prefix_started=yes
        "$wine_dir/prefix.sh" start "$WINEPREFIX" >&2
    fi
    ;;
esac

install() {
    [ "$("$wine_dir/service.sh" "$build" query)" = ABSENT ] ||
        fail "HandleBroker is installed already: sc stop HandleBroker; sc delete HandleBroker"
    installed=yes
    "$wine_dir/service.sh" "$build" install
}

# An example whose child is another user, to the service. Wine gives out the service's own token for
# every pipe, so that the service would refuse the child as an impostor; this broker goes by the
# process's token alone.
run_in_console() {
    # shellcheck disable=SC1003 # these are backslashes
    local pipe='\\.\pipe\handlebroker-example-'$$
    printf 'Under Wine: with a broker in the console that asks the process for its token, not the pipe\n'
    "$HBK_WINE" "$build/bin/handlebroker_process_token.exe" run --pipe "$pipe" \
        </dev/null >"$work/broker" 2>&1 &
    broker=$!
    "${run[@]}" "$build/bin/$name.exe" --pipe "$pipe" "$@" || {
        cat "$work/broker" >&2
        return 1
    }
}

must_fail() { # NAME
    local code=0
    "${run[@]}" "$build/bin/$1.exe" </dev/null >"$work/output" 2>&1 || code=$?
    cat "$work/output"
    [ "$code" -eq 1 ] || fail "$1 ended with $code while there was no service"
    grep -q 'FAILED hbk_open: unavailable: ' "$work/output" || fail "$1 failed otherwise"
    ! grep -q ' ok ' "$work/output" || fail "something of $1 worked without the service"
}

if [ "$name" = --no-start ]; then
    install
    for name in catalyst hot_restart least_privilege preforking_server; do
        must_fail "$name"
    done
    exit 0
fi
[ -f "$build/bin/$name.exe" ] || fail "$build/bin/$name.exe has not been built"
if [ -n "$wine" ] && [ "$name" = least_privilege ]; then
    run_in_console "$@"
else
    install
    "$wine_dir/service.sh" "$build" start
    "${run[@]}" "$build/bin/$name.exe" "$@"
fi
