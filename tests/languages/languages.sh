#!/usr/bin/env bash
# Runs the programs of client/languages in one language: against themselves, against those in C, against hbctl; and
# has them refused. The service runs; it is stopped for a moment, and started again.
#
#     languages.sh BUILD node|powershell|pwsh|python
#
# Under Wine, it is Node, which cmake/setup.sh has fetched. On Windows, as an administrator, in Git's bash, each is the
# machine's own; Node's koffi is then what "npm install --prefix .deps/node/current koffi" has put there.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd -- "$here/../.." && pwd -P)
[ $# -eq 2 ] || {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}
build=$(cd -- "$1" && pwd -P)
language=$2
endpoint=user/test/languages-$$
wait_seconds=40
work=$(mktemp -d)
children=()

fail() {
    printf 'languages.sh: %s: %s\n' "$language" "$*" >&2
    for file in "$work"/*.out; do
        [ ! -f "$file" ] || printf -- '--- %s\n%s\n' "$(basename "$file")" "$(cat "$file")" >&2
    done
    exit 1
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    local code=$?
    trap - EXIT
    [ "${#children[@]}" -eq 0 ] || kill "${children[@]}" 2>/dev/null || true
    [ "$(service query)" = RUNNING ] || service start || code=1
    rm -rf "$work"
    exit "$code"
}

service() {
    "$here/../wine/service.sh" "$build" "$1"
}

case $(uname -s) in
MINGW* | MSYS* | CYGWIN*)
    export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'
    wine=()
    node=(node)
    command -v "$language" >/dev/null || fail "$language was not found"
    native() { cygpath -w "$1"; }
    ;;
*)
    # shellcheck source=tests/wine/env.sh
    . "$here/../wine/env.sh"
    hbk_wine_env "$build/wine"
    wine=("$HBK_WINE")
    node=("$root/.deps/node/current/runtime/bin/node.exe")
    [ -f "${node[0]}" ] || fail "${node[0]} was not found; run cmake/setup.sh"
    native() { hbk_windows_path "$1"; }
    ;;
esac
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- the programs -----------------------------------------------------------------------------

# A program finds its packages beside it, and the tree has none.
prepare() {
    cp -R "$root/client/languages/." "$work"
    if [ "$language" = node ]; then
        [ -f "$root/.deps/node/current/node_modules/koffi/package.json" ] ||
            fail "koffi was not found in .deps/node/current; where it comes from stands in the head of languages.sh"
        rm -rf "$work/node/node_modules"
        ln -s "$root/.deps/node/current/node_modules" "$work/node/node_modules"
    fi
    printf 'what Grüße cost: 1 €\n' >"$work/file"
}

# What a program is started with, in $command. Its standard handles are files, never Unix pipes, which Node cannot
# use under Wine.
command_of() { # language receive|send argument…
    local program=$1 role=$2
    shift 2
    case $program in
    c) command=("${wine[@]}" "$build/bin/handoff_$role.exe") ;;
    hbctl) command=("${wine[@]}" "$build/bin/hbctl.exe" "$role") ;; # of any role
    node) command=("${wine[@]}" "${node[@]}" "$(native "$work/node/$role.mjs")") ;;
    python) command=(python "$(native "$work/python/$role.py")") ;;
    powershell | pwsh)
        command=("$program" -NoProfile -ExecutionPolicy Bypass -File "$(native "$work/powershell/$role.ps1")")
        ;;
    *) fail "what is $program?" ;;
    esac
    command=(timeout --kill-after=5 "$wait_seconds" "${command[@]}" "$@")
}

ends() { # exit code, file for its output, language receive|send argument…
    local wanted=$1 output=$2 code=0
    shift 2
    command_of "$@"
    "${command[@]}" </dev/null >"$work/$output.out" 2>&1 || code=$?
    [ "$code" -eq "$wanted" ] || fail "$1 $2 has ended with $code, not $wanted"
}

send() { # exit code, language argument…
    local wanted=$1 program=$2
    shift 2
    ends "$wanted" source "$program" send "$@"
}

# Starts a receiver, and waits until its endpoint is open.
begin_receive() { # language argument…
    local program=$1 deadline=$((SECONDS + wait_seconds))
    shift
    : >"$work/target.out"
    command_of "$program" receive "$endpoint" "$@"
    "${command[@]}" </dev/null >"$work/target.out" 2>&1 &
    children=($!)
    until grep -qE ' is open|^listening at ' "$work/target.out"; do
        kill -0 "${children[0]}" 2>/dev/null || fail "the receiver of $program has ended"
        [ "$SECONDS" -lt "$deadline" ] || fail "the receiver of $program does not listen"
        sleep 0.1
    done
}

end_receive() { # exit code
    local code=0
    wait "${children[0]}" || code=$?
    children=()
    [ "$code" -eq "$1" ] || fail "the receiver has ended with $code, not $1"
}

says() { # output text
    grep -qF -- "$2" "$work/$1.out" || fail "$1 does not say: $2"
}

silent() { # output text
    ! grep -qF -- "$2" "$work/$1.out" || fail "$1 must not say: $2"
}

# --- what is shown ----------------------------------------------------------------------------

hand_off() { # from to option…
    local from=$1 to=$2
    shift 2
    begin_receive "$to" "$@"
    send 0 "$from" "$endpoint" "$(native "$work/file")" "$@"
    end_receive 0
    says source 'source: the target has set the event'
    says target "$(cat "$work/file")"
    printf '%s to %s: the file was read there, the event set\n' "$from" "$to"
}

# More than the endpoint takes does not come in, and it goes on: what it takes comes in after that.
from_hbctl() {
    begin_receive "$language"
    send 1 hbctl "$endpoint" --file "$(native "$work/file")" --write
    says source access_not_accepted
    send 0 hbctl "$endpoint" --file "$(native "$work/file")"
    end_receive 0
    says target "$(cat "$work/file")"
    silent target 'the event is set'
    printf 'hbctl to %s: what may be written is refused, what is read arrives\n' "$language"
}

# A handle that another process puts into the receiver is none of its deliveries, but its to close.
strays() {
    local pid value given deadline=$((SECONDS + wait_seconds))
    begin_receive "$language"
    ends 0 endpoints hbctl endpoints --json
    pid=$(tr '{' '\n' <"$work/endpoints.out" | sed -n "s|.*\"name\":\"$endpoint\".*\"pid\":\([0-9]*\).*|\1|p")
    # One of its own will do. Most values are nothing, or of a type that does not go.
    for ((value = 4; value <= 2000; value += 4)); do
        command_of hbctl transfer --from "$pid" --handle "$value" --to "$pid" --type Event --json
        "${command[@]}" </dev/null >"$work/transfer.out" 2>&1 && break
    done
    grep -qF '"notified":true' "$work/transfer.out" || fail "no event could be put into the receiver"
    given=$(sed -n 's/.*"handle":\([0-9]*\).*/\1/p' "$work/transfer.out")
    while "${wine[@]}" "$build/bin/hbctl.exe" transfer --from "$pid" --handle "$given" </dev/null >"$work/look.out" 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "the receiver does not close what was put into it, $given"
    done
    says look bad_handle
    send 0 hbctl "$endpoint" --file "$(native "$work/file")"
    end_receive 0
    silent target 'the event is set'
    says target "$(cat "$work/file")"
    printf 'what is put into %s by another process is closed there, and not used\n' "$language"
}

# hbctl reads the file and knows nothing of the event.
to_hbctl() {
    begin_receive hbctl --print
    send 1 "$language" "$endpoint" "$(native "$work/file")"
    end_receive 0
    says target "$(cat "$work/file")"
    says source 'source: the target has not set the event'
    printf '%s to hbctl: the file was read there, and that nobody has set the event is told\n' "$language"
}

refused() {
    send 1 "$language" "$endpoint" "$(native "$work/file")"
    says source 'source: not_found: '
    silent source 'the target has'
    begin_receive "$language"
    send 1 "$language" "$endpoint" "$(native "$work/no-such-file")"
    says source 'no-such-file'
    ends 1 second "$language" receive "$endpoint"
    says second 'target: exists: '
    send 0 c "$endpoint" "$(native "$work/file")"
    end_receive 0
    printf '%s is told that there is no such endpoint, no such file, that the name is taken\n' "$language"
}

# A broker in the console is not the service, and is believed only if that is asked for.
console() {
    # shellcheck disable=SC1003 # these are backslashes
    local pipe='\\.\pipe\handlebroker-languages-'$$ broker deadline=$((SECONDS + wait_seconds))
    "${wine[@]}" "$build/bin/handlebroker.exe" run --pipe "$pipe" </dev/null >"$work/broker.out" 2>&1 &
    broker=$!
    children=("$broker")
    until "${wine[@]}" "$build/bin/hbctl.exe" status --pipe "$pipe" --unverified </dev/null >"$work/status.out" 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "the broker in the console does not come up"
    done
    send 1 "$language" "$endpoint" "$(native "$work/file")" "$pipe_option" "$pipe"
    says source 'source: untrusted: '
    hand_off "$language" "$language" "$pipe_option" "$pipe" "$unverified"
    kill "$broker"
    wait "$broker" || true
    printf '%s and a broker in the console: refused, unless that is asked for\n' "$language"
}

without_service() {
    service stop
    send 1 "$language" "$endpoint" "$(native "$work/file")"
    says source 'source: unavailable: '
    ends 1 target "$language" receive "$endpoint"
    says target 'target: unavailable: '
    service start
    printf '%s without the service: unavailable\n' "$language"
}

case $language in
powershell | pwsh) pipe_option=-Pipe unverified=-Unverified ;;
*) pipe_option=--pipe unverified=--unverified ;;
esac
prepare
hand_off "$language" "$language"
hand_off "$language" c
hand_off c "$language"
from_hbctl
strays
to_hbctl
refused
console
without_service
hand_off "$language" "$language"
