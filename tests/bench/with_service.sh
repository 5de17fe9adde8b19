#!/usr/bin/env bash
# Runs one of the built programs against the built service, which is installed with sc.exe and started as in the
# tests, stopped and removed.
#
#     with_service.sh BUILD SECONDS PROGRAM [ARGUMENT…]
#
# BUILD is a build folder for Windows, PROGRAM the name of one in BUILD/bin. It is ended after SECONDS.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
wine_scripts=$here/../wine

if [ $# -lt 3 ]; then
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
build=$(cd -- "$1" && pwd -P)
export HBK_RUN_TIMEOUT=$2
program=$3
shift 3

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

for needed in handlebroker "$program"; do
    [ -f "$build/bin/$needed.exe" ] || {
        printf 'with_service.sh: %s has not been built\n' "$build/bin/$needed.exe" >&2
        exit 1
    }
done
trap clean_up EXIT
[ -z "$wine" ] || "$wine_scripts/prefix.sh" start "$build/wine"
"$wine_scripts/service.sh" "$build" install
"$wine_scripts/service.sh" "$build" start
if [ -n "$wine" ]; then
    "$wine_scripts/run.sh" "$build/wine" "$build/bin/$program.exe" "$@"
else
    "$build/bin/$program.exe" "$@"
fi
