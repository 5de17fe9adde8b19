#!/usr/bin/env bash
# Puts the built service under the Service Control Manager, with sc.exe as an administrator would.
#
#     service.sh BUILD install     register BUILD/bin/handlebroker.exe (anew, if it is registered)
#     service.sh BUILD start       start it and wait until it runs
#     service.sh BUILD stop        stop it and wait until it has stopped
#     service.sh BUILD remove      stop it and take it out of the register
#     service.sh BUILD query       print its state: ABSENT, STOPPED, RUNNING, START_PENDING …
#
# BUILD is a build folder. On Linux the SCM is that of the Wine prefix BUILD/wine, which must have
# been started (prefix.sh); on Windows it is the machine's, and this runs in Git's bash as an
# administrator. Each wait is bounded; the exit code is 0 only if the state was reached.
set -euo pipefail

service=HandleBroker
wait_seconds=30

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

fail() {
    printf 'service.sh: %s\n' "$*" >&2
    exit 1
}

[ $# -eq 2 ] || usage
build=$(cd -- "$1" && pwd -P)
action=$2
executable=$build/bin/handlebroker.exe

case $(uname -s) in
MINGW* | MSYS* | CYGWIN*)
    # Arguments such as "/f" are no paths; leave them as they are.
    export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'
    sc=(sc.exe)
    windows_executable=$(cygpath -w "$executable")
    ;;
*)
    # shellcheck source=tests/wine/env.sh
    . "$here/env.sh"
    hbk_wine_env "$build/wine"
    "$HBK_WINESERVER" -k0 2>/dev/null || fail "the prefix $WINEPREFIX is not running (prefix.sh start)"
    sc=("$HBK_WINE" sc)
    windows_executable=$(hbk_windows_path "$executable")
    ;;
esac

# Runs sc.exe; its output is shown only when asked for or when it fails.
sc_output=
sc() {
    local code=0
    sc_output=$("${sc[@]}" "$@" 2>&1 </dev/null) || code=$?
    sc_output=${sc_output//$'\r'/}
    return "$code"
}

# The state's name is the last word of the STATE line: "STATE : 4  RUNNING". Wine's sc.exe says
# nothing at all about a service that does not exist; Windows' names error 1060.
state() {
    if sc query "$service"; then
        awk '/^ *STATE *:/ { name = $4 } END { print name == "" ? "UNKNOWN" : name }' <<<"$sc_output"
    else
        printf 'ABSENT\n'
    fi
}

wait_for() {
    local wanted=$1 now deadline=$((SECONDS + wait_seconds))
    while :; do
        now=$(state)
        [ "$now" != "$wanted" ] || return 0
        # A service on its way up that has stopped will not come up by waiting.
        if [ "$wanted" = RUNNING ] && [ "$now" = STOPPED ]; then
            break
        fi
        [ "$SECONDS" -lt "$deadline" ] || break
        sleep 0.05
    done
    sc query "$service" || true
    fail "$service is $now, not $wanted:
$sc_output"
}

install_service() {
    [ -f "$executable" ] || fail "$executable has not been built"
    remove_service
    # Quoted inside the value too: the path may contain blanks, and the SCM splits at them.
    sc create "$service" binPath= "\"$windows_executable\"" start= demand ||
        fail "sc create failed: $sc_output"
    [ "$(state)" = STOPPED ] || fail "sc create succeeded, but the service is $(state)"
}

start_service() {
    if [ "$(state)" = RUNNING ]; then
        return
    fi
    sc start "$service" || fail "sc start failed: $sc_output"
    wait_for RUNNING
}

stop_service() {
    case $(state) in
    STOPPED) return ;;
    ABSENT) fail "$service is not installed" ;;
    # Windows refuses to stop a service that is starting.
    START_PENDING) wait_for RUNNING ;;
    esac
    # It may stop by itself between the question and the call; what counts is the state.
    sc stop "$service" || true
    wait_for STOPPED
}

remove_service() {
    [ "$(state)" != ABSENT ] || return 0
    stop_service
    sc delete "$service" || fail "sc delete failed: $sc_output"
    wait_for ABSENT
}

case $action in
install) install_service ;;
start) start_service ;;
stop) stop_service ;;
remove) remove_service ;;
query) state ;;
*) usage ;;
esac
