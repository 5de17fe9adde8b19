#!/usr/bin/env bash
# Fuzzes every target for a share of some seconds, as many at a time as there are cores, and prints what came of it.
#
#     fuzz.sh BUILD [SECONDS [TARGET...]]
#
# BUILD is a folder of the preset linux-fuzz. What is found on the way stays in BUILD/fuzz/TARGET, so that the next run
# goes on from there; "fuzz.sh --keep BUILD" writes the shortest inputs that reach all of it to corpus/, for the tests.
# An input that a target fails on is printed with the command that runs it again, and the exit code is 1.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# Those that take longest first, so that the end is not one of them alone.
targets=(core request answer json config sddl)
# name=bytes of the longest input; the core's are moves, not text.
declare -A longest=([request]=1024 [answer]=1024 [json]=512 [config]=1024 [sddl]=160 [core]=300)
declare -A dictionary=([request]=protocol [answer]=protocol [json]=protocol [config]=config [sddl]=sddl)
# Of the time; the core has most states.
declare -A weight=([request]=3 [answer]=3 [json]=2 [config]=2 [sddl]=1 [core]=6)
# The most that is kept of each, in bytes.
declare -A kept=([request]=40000 [answer]=40000 [json]=16000 [config]=30000 [sddl]=8000 [core]=90000)

# Stacks of allocations cost more than what is tested: an input that fails is run again with them.
export ASAN_OPTIONS=malloc_context_size=1:quarantine_size_mb=16:max_malloc_fill_size=0
# A failed assertion of the rig ends the process with a core's stack rather than an exit code.
export CMOCKA_TEST_ABORT=1

vectors_of() { # target
    case $1 in
    request) printf '%s\n' "$here"/../vectors/request-*.lines ;;
    answer) printf '%s\n' "$here"/../vectors/server-*.lines ;;
    json) printf '%s\n' "$here"/../vectors/*.lines ;;
    esac
}

# The inputs of the repository, into the folder where fuzzing goes on.
seed() { # target
    local files
    mapfile -t files < <(vectors_of "$1")
    python3 "$here/pack.py" unpack "$work/$1" "$here/corpus/$1.inputs" "${files[@]}"
}

run() { # target seconds
    local options=(-max_len="${longest[$1]}" -max_total_time="$2" -print_final_stats=1
        -artifact_prefix="$work/$1-failed-")
    if [ -n "${dictionary[$1]:-}" ]; then
        options+=(-dict="$here/${dictionary[$1]}.dict")
    else
        options+=(-len_control=20 -entropic=0)
    fi
    if ! "$build/bin/fuzz_$1" "${options[@]}" "$work/$1" >"$work/$1.log" 2>&1; then
        : >"$work/$1.failed"
    fi
}

report() { # target
    local log=$work/$1.log last executions
    # An input that fails at once leaves none.
    last=$(grep -aE '^#[0-9]+.* cov: ' "$log" | tail -n 1 || true)
    executions=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
    printf '%-8s %12s %8s %9s %7s %9s\n' "$1" "${executions:--}" \
        "$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' <<<"$last")" \
        "$(sed -n 's/.* ft: \([0-9]*\).*/\1/p' <<<"$last")" \
        "$(sed -n 's/.* corp: \([0-9]*\).*/\1/p' <<<"$last")" \
        "$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")"
}

tell_failure() { # target
    local input
    printf '\n%s failed; the end of %s:\n' "$1" "$work/$1.log"
    grep -aE 'violation|broken invariant|ERROR|SUMMARY' "$work/$1.log" | head -n 8 || true
    for input in "$work/$1-failed-"*; do
        [ -f "$input" ] || continue
        printf 'again: CMOCKA_TEST_ABORT=1 %s %s\n' "$build/bin/fuzz_$1" "$input"
    done
}

keep() {
    local target small
    for target in "${targets[@]}"; do
        [ -d "$work/$target" ] || seed "$target"
        small=$work/$target.small
        rm -rf "$small"
        mkdir -p "$small"
        "$build/bin/fuzz_$target" -merge=1 -use_counters=0 -max_len="${longest[$target]}" "$small" "$work/$target" \
            >"$work/$target.log" 2>&1
        python3 "$here/pack.py" pack "$here/corpus/$target.inputs" "$small" "${kept[$target]}"
    done
}

fuzz() { # seconds target...
    local seconds=$1 target sum=0 jobs=0 cores result=0
    shift
    cores=$(nproc)
    for target in "$@"; do
        [ -n "${weight[$target]:-}" ] || {
            printf 'fuzz: there is no target %s\n' "$target" >&2
            exit 2
        }
        sum=$((sum + weight[$target]))
        rm -f "$work/$target-failed-"* "$work/$target.failed"
        seed "$target"
    done
    for target in "$@"; do
        if [ "$jobs" -ge "$cores" ]; then
            wait -n
            jobs=$((jobs - 1))
        fi
        run "$target" $((seconds * cores * weight[$target] / sum + 1)) &
        jobs=$((jobs + 1))
    done
    wait
    printf '%-8s %12s %8s %9s %7s %9s\n' target executions edges features corpus 'a second'
    for target in "$@"; do
        report "$target"
    done
    for target in "$@"; do
        [ ! -e "$work/$target.failed" ] || {
            tell_failure "$target"
            result=1
        }
    done
    return "$result"
}

if [ "${1:-}" = --keep ]; then
    [ $# -eq 2 ] || { sed -n '4,8s/^# //p' "$0"; exit 2; }
    build=$(cd -- "$2" && pwd -P)
    work=$build/fuzz
    mkdir -p "$work"
    keep
    exit
fi
[ $# -ge 1 ] || { sed -n '4,8s/^# //p' "$0"; exit 2; }
build=$(cd -- "$1" && pwd -P)
work=$build/fuzz
mkdir -p "$work"
seconds=${2:-240}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- "${targets[@]}"
fuzz "$seconds" "$@"
