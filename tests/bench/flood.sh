#!/usr/bin/env bash
# Floods the built service, and prints what that costs a pair that goes on handing over beside it.
#
#     flood.sh BUILD [SECONDS]
#
# BUILD is a build folder for Windows. All kinds of flood at once for SECONDS (30), then each alone for a few
# seconds, and lines "figure NAME VALUE". The service is installed with sc.exe and started as in the tests,
# stopped and removed. Each flood is made twice: against the service, and against a second broker in the
# console, which costs the machine as much and is the control. flood.c says what fails it; no figure does.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
wine_scripts=$here/../wine

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

case $# in
1 | 2) ;;
*) usage ;;
esac
build=$(cd -- "$1" && pwd -P)
seconds=${2:-30}
case $seconds in
'' | *[!0-9]*) usage ;;
esac
each=$((seconds / 6 + 1))

case $(uname -s) in
MINGW* | MSYS* | CYGWIN*) wine= ;;
*) wine=yes ;;
esac

# Whatever happened, no service and no process of ours stays.
clean_up() {
    local code=$?
    trap - EXIT
    if [ -n "$wine" ]; then
        "$wine_scripts/prefix.sh" start "$build/wine" >/dev/null 2>&1 || true
    fi
    "$wine_scripts/service.sh" "$build" remove || code=1
    if [ -n "$wine" ]; then
        "$wine_scripts/prefix.sh" stop "$build/wine" || code=1
    fi
    exit "$code"
}

run() { # seconds of a phase, phases, kinds
    export HBK_RUN_TIMEOUT=$(($1 * $2 + 120))
    if [ -n "$wine" ]; then
        "$wine_scripts/run.sh" "$build/wine" "$build/bin/flood.exe" "$1" "$3"
    else
        "$build/bin/flood.exe" "$1" "$3"
    fi
}

for program in handlebroker flood; do
    [ -f "$build/bin/$program.exe" ] || {
        printf 'flood.sh: %s has not been built\n' "$build/bin/$program.exe" >&2
        exit 1
    }
done
trap clean_up EXIT
[ -z "$wine" ] || "$wine_scripts/prefix.sh" start "$build/wine"
"$wine_scripts/service.sh" "$build" install
"$wine_scripts/service.sh" "$build" start
run "$seconds" 3 all
run "$each" 27 each
