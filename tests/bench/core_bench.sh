#!/usr/bin/env bash
# Measures the core over a machine that does nothing, and prints a table and lines "figure NAME VALUE".
#
#     core_bench.sh BUILD           hand-offs a second, and instructions a hand-off by callgrind
#     core_bench.sh BUILD --flat    instructions alone, of few clients and of many: fails if they grow
#
# BUILD is a native build folder without sanitizers, optimised as the product is (preset linux-bench). What is done
# is told in core_bench.c. A rate is of the processor time that the program itself used; it is what this machine
# makes of it at this moment. Instructions are the same each time, and so the only figure here that a test may
# judge: what a hand-off costs does not grow with what there is beside it.
set -euo pipefail

usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

fail() {
    printf 'core_bench.sh: %s\n' "$*" >&2
    exit 1
}

case $# in
1 | 2) ;;
*) usage ;;
esac
bin=$(cd -- "$1" && pwd -P)/bin
flat=
case ${2:-} in
'') ;;
--flat) flat=yes ;;
*) usage ;;
esac
for program in core_bench core_alone_bench store_bench store_alone_bench; do
    [ -x "$bin/$program" ] || fail "$bin/$program has not been built"
done
command -v valgrind >/dev/null || fail "valgrind was not found; run cmake/setup.sh"

of_one_user=10
hand_offs=10000
growth_max=1.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printed() { # word program argument…
    local word=$1 line
    shift
    line=$("$bin/$1" "${@:2}")
    [[ $line =~ ^$word\ ([0-9]+)$ ]] || fail "$1 printed '$line'"
    printf '%s\n' "${BASH_REMATCH[1]}"
}

rate() { # program sessions users'-sessions at-once, or entries
    printed rate "$1" time "${@:2}"
}

instructions() { # program sessions users'-sessions, or entries
    if ! valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" --toggle-collect=measured \
        "$bin/$1" count "${@:2}" "$hand_offs" >"$work/log" 2>&1; then
        cat "$work/log" >&2
        fail "$1 failed under callgrind"
    fi
    awk -v hand_offs="$hand_offs" -v least=1000 '
        / Collected : / { count = $NF / hand_offs }
        END { if (count < least) exit 1; printf "%.0f\n", count }' "$work/log" ||
        fail "callgrind counted nothing in measured()"
}

growth() { # smallest first or not
    printf '%s\n' "$@" | sort -n | awk 'NR == 1 { least = $1 } END { printf "%.3f\n", $1 / least }'
}

row() {
    printf '  %-34s %12s %12s\n' "$@"
}

if [ -n "$flat" ]; then
    few=$(instructions core_alone_bench 10 "$of_one_user")
    many=$(instructions core_alone_bench 10000 "$of_one_user")
    of_one=$(instructions core_alone_bench 10000 10000)
    grown=$(growth "$few" "$many" "$of_one")
    printf 'instructions a hand-off: %s with 10 clients, %s and %s with 10000: %s times\n' \
        "$few" "$many" "$of_one" "$grown"
    awk -v grown="$grown" -v most="$growth_max" 'BEGIN { exit !(grown <= most) }' ||
        fail "a hand-off costs more where there are more: at most $growth_max times were allowed"
    few=$(instructions store_alone_bench 10)
    many=$(instructions store_alone_bench 100000)
    grown=$(growth "$few" "$many")
    printf 'instructions a put and a get: %s with 10 entries, %s with 100000: %s times\n' \
        "$few" "$many" "$grown"
    awk -v grown="$grown" -v most="$growth_max" 'BEGIN { exit !(grown <= most) }' ||
        fail "a put and a get cost more where more is stored: at most $growth_max times were allowed"
    exit 0
fi

printf 'hand-offs a second of a processor, one at a time (%s clients a user)\n' "$of_one_user"
row 'clients, endpoints, sends pending' 'core alone' 'with codec'
declare -A alone codec
for sessions in 10 1000 100000; do
    alone[$sessions]=$(rate core_alone_bench "$sessions" "$of_one_user" 1)
    codec[$sessions]=$(rate core_bench "$sessions" "$of_one_user" 1)
    row "$sessions" "${alone[$sessions]}" "${codec[$sessions]}"
done
row '1000, ten send at once' "$(rate core_alone_bench 1000 "$of_one_user" 10)" \
    "$(rate core_bench 1000 "$of_one_user" 10)"

printf '\ninstructions a hand-off, by callgrind\n'
row 'clients, endpoints, sends pending' 'core alone' 'with codec'
declare -A alone_count codec_count
one_user=()
for sessions in 10 1000 100000; do
    alone_count[$sessions]=$(instructions core_alone_bench "$sessions" "$of_one_user")
    codec_count[$sessions]=$(instructions core_bench "$sessions" "$of_one_user")
    row "$sessions" "${alone_count[$sessions]}" "${codec_count[$sessions]}"
    one_user+=("$(instructions core_alone_bench "$sessions" "$sessions")")
    row "$sessions of one user" "${one_user[-1]}" ''
done
printf '\na put that replaces, and a get, of the store: pairs a second, and instructions a pair\n'
row 'entries' 'core alone' 'with codec'
declare -A store_count
for entries in 10 100000; do
    row "$entries" "$(rate store_alone_bench "$entries")" "$(rate store_bench "$entries")"
    store_count[$entries]=$(instructions store_alone_bench "$entries")
    store_count[codec_$entries]=$(instructions store_bench "$entries")
    row "$entries: instructions" "${store_count[$entries]}" "${store_count[codec_$entries]}"
done
printf '\n'
for sessions in 10 1000 100000; do
    printf 'figure core_alone_%s_per_second %s\n' "$sessions" "${alone[$sessions]}"
    printf 'figure core_with_codec_%s_per_second %s\n' "$sessions" "${codec[$sessions]}"
    printf 'figure core_alone_%s_instructions %s\n' "$sessions" "${alone_count[$sessions]}"
    printf 'figure core_with_codec_%s_instructions %s\n' "$sessions" "${codec_count[$sessions]}"
done
printf 'figure core_alone_growth %s\n' "$(growth "${alone_count[@]}" "${one_user[@]}")"
printf 'figure core_with_codec_growth %s\n' "$(growth "${codec_count[@]}")"
printf 'figure store_alone_growth %s\n' "$(growth "${store_count[10]}" "${store_count[100000]}")"
printf 'figure store_with_codec_growth %s\n' \
    "$(growth "${store_count[codec_10]}" "${store_count[codec_100000]}")"
printf 'figure store_entry_bytes %s\n' "$(printed bytes store_bench memory 100000)"
