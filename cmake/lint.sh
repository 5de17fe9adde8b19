#!/usr/bin/env bash
# Everything that can be said against the sources without running them. Any finding fails; all
# checkers run before the verdict, so that one run shows everything.
set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

jobs=$(nproc)
failed=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What is the project's: in git, or about to be.
files() {
    local file
    git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r file; do
        # A file that was removed but not yet from the index.
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done
}

step() { # name command…
    local name=$1
    shift
    printf '\n== %s\n' "$name"
    if "$@"; then
        printf '%s: no findings\n' "$name"
    else
        failed+=("$name")
    fi
}

# Exactly the files that a build compiles, one a line, relative to the project.
compiled_by() { # preset
    local file
    sed -n 's/^ *"file": "\(.*\.c\)",\{0,1\}$/\1/p' "build/$1/compile_commands.json" |
        while IFS= read -r file; do
            case $file in
            "$PWD"/build/*) ;; # generated
            "$PWD"/*) printf '%s\n' "${file#"$PWD"/}" ;;
            esac
        done | sort -u
}

# --- the checkers -----------------------------------------------------------------------------

check_format() {
    files '*.c' '*.h' | xargs -d '\n' -r clang-format --dry-run --Werror
}

check_scripts() {
    {
        files '*.sh'
        files '.ci/*'
    } | sort -u | xargs -d '\n' -r shellcheck --external-sources
}

check_python() {
    files '*.py' | xargs -d '\n' -r pyflakes3
}

# A second compiler's warnings, which are errors; and the compile commands for what follows.
build_preset() { # preset
    if ! { cmake --preset "$1" && cmake --build --preset "$1"; } >"$work/log" 2>&1; then
        cat "$work/log"
        return 1
    fi
}

# Each source with the build that it is compiled by. Native first: what builds natively is checked
# there, where the analyzer knows the C library best, and needs not be checked twice.
assign_sources() {
    compiled_by linux-clang >"$work/native"
    compiled_by wine-clang | comm -23 - "$work/native" >"$work/windows"
    files '*.c' | sort -u | comm -23 - <(sort -u "$work/native" "$work/windows") >"$work/nowhere"
    if [ -s "$work/nowhere" ]; then
        printf 'compiled by neither linux-clang nor wine-clang, so nothing checks them:\n'
        cat "$work/nowhere"
        return 1
    fi
}

# An analyzer that has gone blind has no findings either: each must see a block that is freed twice on one path.
check_planted() {
    cat >"$work/planted.c" <<'EOF'
#include <stdlib.h>
int main(int count, char **arguments)
{
    char *block = malloc(8);
    if (count > 1 && arguments != NULL) {
        free(block);
    }
    free(block);
    return 0;
}
EOF
    local gcc clang
    gcc=$(gcc -std=c11 -O0 -fanalyzer -c "$work/planted.c" -o "$work/planted.o" 2>&1) || true
    clang=$(clang-tidy --quiet --config-file=.clang-tidy "$work/planted.c" -- -std=c11 2>&1) || true
    case $gcc in
    *Wanalyzer-double-free*) ;;
    *) printf "gcc's analyzer does not see what was planted:\n%s\n" "$gcc" && return 1 ;;
    esac
    case $clang in
    *clang-analyzer-unix.Malloc*) ;;
    *) printf "clang's analyzer does not see what was planted:\n%s\n" "$clang" && return 1 ;;
    esac
}

tidy() { # preset list
    # One file a process, so that the cores share them evenly. Output only of those with findings.
    # shellcheck disable=SC2016 # expanded by the inner shell
    xargs -d '\n' -r -P "$jobs" -n 1 sh -c '
        output=$(clang-tidy --quiet -p "build/$0" "$1" 2>&1) || {
            printf "%s\n" "$output"
            exit 1
        }' "$1" <"$2"
}

check_cppcheck() { # preset list library…
    local preset=$1 list=$2 filters=() file
    shift 2
    while IFS= read -r file; do
        filters+=("--file-filter=$file")
    done <"$list"
    [ "${#filters[@]}" -gt 0 ] || return 0
    mkdir -p "build/lint/cppcheck-$preset"
    cppcheck --quiet --error-exitcode=1 -j "$jobs" --std=c11 --inline-suppr \
        --enable=warning,style,performance,portability \
        --suppressions-list=cmake/cppcheck-suppressions.txt \
        --cppcheck-build-dir="build/lint/cppcheck-$preset" \
        --project="build/$preset/compile_commands.json" "${filters[@]}" "$@"
}

step 'clang-format' check_format
step 'shellcheck' check_scripts
step 'pyflakes' check_python
step 'the analyzers see' check_planted
step 'linux-clang build' build_preset linux-clang
step "gcc's analyzer" build_preset linux-analyzer
step 'wine-clang build' build_preset wine-clang
if [ -f build/linux-clang/compile_commands.json ] && [ -f build/wine-clang/compile_commands.json ]; then
    step 'every source is checked' assign_sources
    step 'clang-tidy, native' tidy linux-clang "$work/native"
    step 'clang-tidy, Windows' tidy wine-clang "$work/windows"
    step 'cppcheck, native' check_cppcheck linux-clang "$work/native" \
        --platform=unix64 --library=posix
    step 'cppcheck, Windows' check_cppcheck wine-clang "$work/windows" \
        --platform=win64 --library=windows
fi

if [ "${#failed[@]}" -gt 0 ]; then
    printf '\nlint: findings in:'
    printf ' [%s]' "${failed[@]}"
    printf '\n'
    exit 1
fi
printf '\nlint: no findings\n'
