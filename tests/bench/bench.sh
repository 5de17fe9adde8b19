#!/usr/bin/env bash
# Measures the built product beside the floor, and prints a table and lines "figure NAME VALUE".
#
#     bench.sh BUILD          all figures, on one processor
#     bench.sh BUILD --spread the same, on all processors
#
# BUILD is a build folder for Windows. The service is installed with sc.exe and started as in the
# tests, measured through its public header, stopped and removed.
#
# Everything (on Linux the Wine server too) runs on one processor, because an answer then takes as
# long as the work for it. Spread over processors, each of some ten wake-ups a hand-off costs what
# the scheduler, the processor's sleep and the hypervisor make of it: the same floor then takes from
# 1 to 2.5 times as long from one second to the next, and the ratio says little about the product.
#
# A run of crowd.exe follows: what a client costs that sits there, and what a thousand of them cost the others
# (crowd.c). It has a service of its own, for a heap keeps what was once needed.
#
# On Linux a last run counts the requests that the Wine server sees: it is started with its
# request log on, and counted is what stands between two marks that bench.exe leaves there. Every
# request of every process between them counts, the service's threads and timers included. This run
# has all processors: on one, who sleeps at times finds his answer there already, and the count is
# another one each time. Windows has no such log.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
wine_scripts=$here/../wine

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

fail() {
    printf 'bench.sh: %s\n' "$*" >&2
    exit 1
}

[ $# -ge 1 ] || usage
build=$(cd -- "$1" && pwd -P)
case ${2:-} in
'')
    if [ -z "${HBK_BENCH_PINNED:-}" ] && command -v taskset >/dev/null; then
        # The last one allowed: the first has the machine's interrupts.
        allowed=$(taskset -cp $$ | sed 's/.*: //')
        cpu=${allowed##*[,-]}
        HBK_BENCH_PINNED=$cpu HBK_BENCH_ALLOWED=$allowed exec taskset -c "$cpu" \
            "${BASH_SOURCE[0]}" "$build"
    fi
    ;;
--spread) ;;
*) usage ;;
esac

counted=512 # hand-offs of each kind that are counted
crowd="1000 1000 5" # clients, hand-offs a phase, rounds
export HBK_RUN_TIMEOUT=300 # seconds for each of the runs; a minute is usual
work=$(mktemp -d)
log=$build/bench-requests.log # stays, to look into

case $(uname -s) in
MINGW* | MSYS* | CYGWIN*) wine= ;;
*)
    wine=yes
    # shellcheck source=tests/wine/env.sh
    . "$wine_scripts/env.sh"
    ;;
esac

# Whatever happened, no service and no process of ours stays.
clean_up() {
    local code=$?
    trap - EXIT
    if [ -n "$wine" ]; then
        "$wine_scripts/prefix.sh" start "$build/wine" >/dev/null 2>&1 || true
    fi
    if ! "$wine_scripts/service.sh" "$build" remove >"$work/remove" 2>&1; then
        cat "$work/remove" >&2
        [ "$code" -ne 0 ] || code=1
    fi
    if [ -n "$wine" ]; then
        "$wine_scripts/prefix.sh" stop "$build/wine" || code=1
    fi
    rm -rf "$work"
    exit "$code"
}

run() { # program arguments…
    local program=$build/bin/$1.exe
    shift
    if [ -n "$wine" ]; then
        "$wine_scripts/run.sh" "$build/wine" "$program" "$@"
    else
        "$program" "$@"
    fi | tr -d '\r'
}

start_counting_server() {
    if [ -n "${HBK_BENCH_ALLOWED:-}" ]; then
        taskset -cp "$HBK_BENCH_ALLOWED" $$ >/dev/null
    fi
    "$wine_scripts/prefix.sh" stop "$build/wine"
    hbk_wine_env "$build/wine"
    # Persistent, for the service's sake; in the foreground, for it says nothing in the background.
    "$HBK_WINESERVER" -f -d1 -p </dev/null >/dev/null 2>"$log" &
    local deadline=$((SECONDS + 20))
    until "$HBK_WINESERVER" -k0 2>/dev/null; do
        [ "$SECONDS" -lt "$deadline" ] || fail "the Wine server does not start with -f -d1"
        sleep 0.1
    done
    # The first process starts the prefix's services, which keep what it has as stdout.
    timeout 120 "$HBK_WINE" wineboot </dev/null >/dev/null 2>&1
}

# A line "TID: name( arguments )" is a request, "TID: name() = status {…}" its answer.
count_requests() {
    LC_ALL=C awk '
        function two(value) { return sprintf("%.2f", value) }
        function add(role) { n[kind, role]++; n[kind, "all"]++ }
        /: open_event\( .*hbk-bench-mark / {
            mark = $0
            sub(/.*hbk-bench-mark /, "", mark)
            sub(/".*/, "", mark)
            words = split(mark, word, " ")
            if (word[1] == "thread") role_of[$1] = word[words]
            if (word[1] == "begin") { kind = word[2]; times[kind] = word[3]; kinds[++many] = kind }
            if (word[1] == "end") kind = ""
            next
        }
        /: open_event\(\) = / { next }
        kind == "" || !/^[0-9a-f]+: [a-z0-9_]+\(/ || /^[0-9a-f]+: [a-z0-9_]+\(\) = / { next }
        { add($1 in role_of ? role_of[$1] : "service") }
        END {
            format = "  %-16s %8s %8s %16s %8s\n"
            printf format, "", "all", "S", "relay/service", "T"
            for (i = 1; i <= many; i++) {
                k = kinds[i]
                t = times[k]
                middle = n[k, "relay"] + n[k, "service"]
                printf format, k, two(n[k, "all"] / t), two(n[k, "source"] / t), two(middle / t), \
                    two(n[k, "target"] / t)
            }
            if (n["floor_event", "all"] > 0) {
                product = n["handoff_event", "all"] / times["handoff_event"]
                floor = n["floor_event", "all"] / times["floor_event"]
                printf "figure requests_over_floor %.3f\n", product / floor
            }
        }' "$log"
}

trap clean_up EXIT
for program in handlebroker bench bench_floor bench_handoff crowd; do
    [ -f "$build/bin/$program.exe" ] || fail "$build/bin/$program.exe has not been built"
done
[ -z "$wine" ] || "$wine_scripts/prefix.sh" start "$build/wine"
"$wine_scripts/service.sh" "$build" install
"$wine_scripts/service.sh" "$build" start
if [ -n "${HBK_BENCH_PINNED:-}" ]; then
    printf 'everything runs on processor %s alone\n' "$HBK_BENCH_PINNED"
else
    printf 'on all processors\n'
fi
run bench time >"$work/times"
grep -v '^figure ' "$work/times"

"$wine_scripts/service.sh" "$build" stop
"$wine_scripts/service.sh" "$build" start
# shellcheck disable=SC2086 # three words
run crowd $crowd >"$work/crowd" || {
    cat "$work/crowd"
    fail "crowd.exe failed"
}
printf 'two clients, and a thousand\n'
grep -v -e '^figure ' -e '^\[' "$work/crowd"
printf '\n'

wanted='handoff_over_floor_p50 handoff_over_floor_p99 handoff_file_over_floor_p50 batch64_over_bare
    outstanding16_over_floor crowd_1000_p50_over_2 crowd_1000_p99_over_2'
: >"$work/requests"
if [ -n "$wine" ]; then
    start_counting_server
    "$wine_scripts/service.sh" "$build" start
    run bench count "$counted"
    "$wine_scripts/service.sh" "$build" stop
    "$wine_scripts/prefix.sh" stop "$build/wine"
    count_requests >"$work/requests"
    printf 'Wine server requests a hand-off (of %s; log: %s)\n' "$counted" "$log"
    grep -v '^figure ' "$work/requests"
    printf '\n'
    wanted="$wanted requests_over_floor"
else
    printf 'requests_over_floor: not measured, for only Wine has a log of requests\n\n'
fi
cat "$work/times" "$work/crowd" "$work/requests" | grep '^figure ' >"$work/figures"
grep -Eq '^figure idle_session_bytes [0-9]+$' "$work/figures" ||
    fail "the figure idle_session_bytes is missing"
for name in $wanted; do
    grep -Eq "^figure $name [0-9]+\.[0-9]+\$" "$work/figures" || fail "the figure $name is missing"
done
cat "$work/figures"
