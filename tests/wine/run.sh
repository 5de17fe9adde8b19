#!/usr/bin/env bash
# Runs a Windows executable in a private Wine prefix, as ctest's emulator and by hand.
#
#     run.sh PREFIX PROGRAM.exe [ARGUMENT…]
#
# The prefix is started if its server is not running. The program's stdin, stdout and stderr are
# files, never Unix pipes, because libuv cannot use those under Wine; what it wrote is passed on
# when it ends. The exit code is the program's, cut to 8 bits by Unix.
# HBK_RUN_TIMEOUT (seconds) ends a program that hangs, and still shows what it wrote.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/wine/env.sh
. "$here/env.sh"

if [ $# -lt 2 ]; then
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
hbk_wine_env "$1"
shift

# Signal 0 only asks whether the server runs.
if [ ! -d "$WINEPREFIX" ] || ! "$HBK_WINESERVER" -k0 2>/dev/null; then
    "$here/prefix.sh" start "$WINEPREFIX" >&2
fi

files=$(mktemp -d)
# shellcheck disable=SC2317 # called by the trap
pass_on() {
    cat "$files/stdout"
    cat "$files/stderr" >&2
    rm -rf "$files"
}
: >"$files/stdout"
: >"$files/stderr"
trap pass_on EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

if [ -f /dev/stdin ]; then
    exec 8<&0
else
    exec 8</dev/null
fi

runner=("$HBK_WINE")
if [ -n "${HBK_RUN_TIMEOUT:-}" ]; then
    runner=(timeout --kill-after=5 "$HBK_RUN_TIMEOUT" "$HBK_WINE")
fi
code=0
# In the background and waited for, so that a signal to this script is acted on at once.
"${runner[@]}" "$@" <&8 >"$files/stdout" 2>"$files/stderr" &
wait $! || code=$?
if [ "$code" -eq 124 ] && [ -n "${HBK_RUN_TIMEOUT:-}" ]; then
    printf 'run.sh: %s was ended after %s s\n' "$1" "$HBK_RUN_TIMEOUT" >>"$files/stderr"
fi
# A program whose server has died ends with 0, whatever it had got to.
if [ "$code" -eq 0 ] && ! "$HBK_WINESERVER" -k0 2>/dev/null; then
    printf 'run.sh: the Wine server has died, so nothing that %s says counts\n' "$1" >>"$files/stderr"
    code=1
fi
exit "$code"
