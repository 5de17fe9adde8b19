#!/usr/bin/env bash
# Floods the built service, and prints what that costs a pair that goes on handing over beside it.
#
#     flood.sh BUILD [SECONDS]
#
# BUILD is a build folder for Windows. All kinds of flood at once for SECONDS (30), then each alone for a few
# seconds, and lines "figure NAME VALUE"; the service is installed for either anew (with_service.sh). Each flood is
# made twice: against the service, and against a second broker in the console, which costs the machine as much
# and is the control. flood.c says what fails it; no figure does.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

case $# in
1 | 2) ;;
*) usage ;;
esac
build=$1
seconds=${2:-30}
case $seconds in
'' | *[!0-9]*) usage ;;
esac

run() { # seconds of a phase, phases, kinds
    "$here/with_service.sh" "$build" $(($1 * $2 + 120)) flood "$1" "$3"
}

run "$seconds" 3 all
run $((seconds / 6 + 1)) 27 each
