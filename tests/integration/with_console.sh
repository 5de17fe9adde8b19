#!/usr/bin/env bash
# Runs a test program that needs a console.
#
#     with_console.sh BUILD PROGRAM [ARGUMENT…]
#
# On Linux the console is a terminal that script(1) makes, for Wine gives a program none without one;
# on Windows the test makes a console of its own.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
build=$(cd -- "${1:?with_console.sh: which build folder?}" && pwd -P)
program=$build/bin/${2:?with_console.sh: which program?}.exe
shift 2
arguments=$*

case $(uname -s) in
MINGW* | MSYS* | CYGWIN*)
    exec "$program" "$@"
    ;;
esac

# shellcheck source=tests/wine/env.sh
. "$here/../wine/env.sh"
hbk_wine_env "$build/wine"
output=$(mktemp)
trap 'cat "$output"; rm -f "$output"' EXIT
export HBK_WINE program arguments output
# shellcheck disable=SC2016 # expanded by the shell that script starts
timeout --kill-after=5 100 script --quiet --return --command \
    '"$HBK_WINE" "$program" $arguments >"$output" 2>&1' /dev/null </dev/null
