#!/usr/bin/env bash
# Presses Ctrl+C in a console in which a broker runs.
#
#     console_ctrl.sh BUILD
#
# On Linux the console is a terminal that script(1) makes, for Wine gives a program none without one;
# on Windows the test makes a console of its own.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
build=$(cd -- "${1:?console_ctrl.sh: which build folder?}" && pwd -P)
program=$build/bin/integration_console.exe

case $(uname -s) in
MINGW* | MSYS* | CYGWIN*)
    exec "$program" ctrl
    ;;
esac

# shellcheck source=tests/wine/env.sh
. "$here/../wine/env.sh"
hbk_wine_env "$build/wine"
output=$(mktemp)
trap 'cat "$output"; rm -f "$output"' EXIT
export HBK_WINE program output
# shellcheck disable=SC2016 # expanded by the shell that script starts
timeout --kill-after=5 50 script --quiet --return --command \
    '"$HBK_WINE" "$program" ctrl >"$output" 2>&1' /dev/null </dev/null
