#!/usr/bin/env bash
# Has promtool check what hbctl metrics prints of the running service, before and after real hand-offs.
#
#     metrics.sh BUILD PROMTOOL
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
[ $# -eq 2 ] || {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}
build=$(cd -- "$1" && pwd -P)
promtool=$2
name=user/test/metrics-$$
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'metrics.sh: %s\n' "$*" >&2
    exit 1
}

[ -x "$promtool" ] || fail "$promtool was not found; run cmake/setup.sh"
# shellcheck source=tests/wine/env.sh
. "$here/../wine/env.sh"
hbk_wine_env "$build/wine"

hbctl() {
    "$here/../wine/run.sh" "$build/wine" "$build/bin/hbctl.exe" "$@"
}

checked() { # file
    hbctl metrics >"$1"
    "$promtool" check metrics <"$1" >"$work/findings" 2>&1 || {
        cat "$work/findings" "$1" >&2
        fail "promtool refuses the text"
    }
    # It prints, and succeeds, where it would only advise.
    [ ! -s "$work/findings" ] || fail "promtool advises: $(cat "$work/findings")"
    [ "$(tail -n 1 "$1")" = '# EOF' ] || fail "the text does not end with # EOF"
}

value() { # file series
    awk -v series="$2" '$1 == series { print $2; found = 1 } END { exit !found }' "$1" ||
        fail "$2 is missing"
}

grown() { # series by
    local before after
    before=$(value "$work/before" "$1")
    after=$(value "$work/after" "$1")
    [ "$after" -eq $((before + $2)) ] || fail "$1 was $before and is $after: $2 more were expected"
}

checked "$work/before"
printf 'for whom it may concern\n' >"$work/file"
for _ in 1 2; do
    hbctl receive "$name" --print --timeout 30000 >"$work/received" &
    hbctl send "$name" --file "$(hbk_windows_path "$work/file")" --wait 20000 >/dev/null
    wait $!
    cmp "$work/file" "$work/received"
done
if hbctl send "$name" --file "$(hbk_windows_path "$work/file")" >/dev/null 2>&1; then
    fail "nobody listens, and yet it was sent"
fi
checked "$work/after"
grown 'handlebroker_handoffs_total{outcome="done"}' 2
grown 'handlebroker_handoffs_total{outcome="not_found"}' 1
grown 'handlebroker_handoffs_total{outcome="denied"}' 0
grown 'handlebroker_handoff_duration_seconds_count' 2
grown 'handlebroker_handoff_duration_seconds_bucket{le="+Inf"}' 2
hbctl metrics --json | python3 -c 'import json, sys; assert json.load(sys.stdin)["text"].endswith("\n# EOF\n")'

# And what is wrong does not pass.
sed 's/^handlebroker_endpoints /handlebroker_endpoints x/' "$work/after" >"$work/bad"
! "$promtool" check metrics <"$work/bad" >/dev/null 2>&1 || fail "promtool takes what is no number"
sed '/^# HELP handlebroker_endpoints/d' "$work/after" >"$work/bad"
! "$promtool" check metrics <"$work/bad" >/dev/null 2>&1 || fail "promtool takes what has no help"
printf 'promtool has no objection\n'
