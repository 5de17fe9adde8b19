#!/usr/bin/env bash
# Has Graphviz draw what hbctl graph writes in DOT of real hand-offs, and graph.py look at its page.
#
#     graph.sh BUILD
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
[ $# -eq 1 ] || {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}
build=$(cd -- "$1" && pwd -P)
name=user/test/graph-$$
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    printf 'graph.sh: %s\n' "$*" >&2
    exit 1
}

command -v dot >/dev/null || fail "Graphviz was not found; run cmake/setup.sh"
# shellcheck source=tests/wine/env.sh
. "$here/../wine/env.sh"
hbk_wine_env "$build/wine"

hbctl() {
    "$here/../wine/run.sh" "$build/wine" "$build/bin/hbctl.exe" "$@"
}

draw() { # file.dot
    dot -Tsvg "$1" >"$1.svg" 2>"$work/findings" || {
        cat "$work/findings" "$1" >&2
        fail "Graphviz refuses $1"
    }
    [ ! -s "$work/findings" ] || fail "Graphviz says: $(cat "$work/findings")"
}

all() { # name, and what to draw
    local name=$work/$1
    shift
    hbctl graph "$@" >"$name.dot"
    hbctl graph "$@" --json >"$name.json"
    hbctl graph "$@" --html --output "$(hbk_windows_path "$name.html")"
    draw "$name.dot"
    python3 "$here/graph.py" "$name.json" "$name.html" "$name.dot.svg"
}

sessions() {
    hbctl sessions | awk '$3 == "hbctl" || $3 == "hbctl.exe"' | wc -l
}

# Hand-offs, and their records.
hbctl watch --json --timeout 10000 >"$work/watched" 2>"$work/watching" &
watching=$!
for _ in $(seq 60); do # itself, and the one that asks
    [ "$(sessions)" -lt 2 ] || break
    sleep 0.2
done
sleep 1
printf 'for whom it may concern\n' >"$work/file"
file=$(hbk_windows_path "$work/file")
hbctl store put "$name" --file "$file" >/dev/null
hbctl store get "$name" >/dev/null
hbctl receive "$name" --timeout 30000 >/dev/null &
receiving=$!
hbctl send "$name" --file "$file" --wait 20000 >/dev/null
wait $receiving
if hbctl send global/nobody --file "$file" >/dev/null 2>&1; then
    fail "nobody may send there, and yet it was sent"
fi
all live
grep -q '"kind":"entry"' "$work/live.json" || fail "what is stored is not drawn"
hbctl store remove "$name" >/dev/null
code=0
wait $watching || code=$?
[ "$code" -eq 4 ] || fail "hbctl watch ended with $code: $(cat "$work/watching")"
all recorded --records "$(hbk_windows_path "$work/watched")"
for how in put get send; do
    grep -q "\"how\":\"$how\",\"outcome\":\"done\",\"state\":null,\"name\":\"$name\"" "$work/recorded.json" ||
        fail "$how is not drawn: $(cat "$work/recorded.json")"
done
grep -q '"outcome":"refused","error":"denied","name":"global/nobody"' "$work/recorded.json" ||
    fail "the refusal is not drawn"

# Texts that would be markup, escapes or control characters, if they were let.
python3 "$here/graph.py" --hostile >"$work/hostile"
all hostile --records "$(hbk_windows_path "$work/hostile")"
grep -q '"malformed":0,' "$work/hostile.json" || fail "not all of the hostile records were read"

# A transfer goes from whose handle it was, and not from who asked for it, who is not drawn.
cat >"$work/moved" <<'RECORD'
{"serial":1,"time_ms":1,"event":"handle.transfer","outcome":"done","caller":{"pid":10},"target":{"pid":30},"source":{"pid":20},"items":[{"type":"Event","access":2}]}
RECORD
all moved --records "$(hbk_windows_path "$work/moved")"
grep -q '"pid":20,.*"pid":30,.*"from":"n1","to":"n2","how":"transfer"' "$work/moved.json" ||
    fail "the transfer is drawn otherwise: $(cat "$work/moved.json")"
! grep -q '"pid":10,' "$work/moved.json" || fail "who asked for the transfer is drawn"

# A graph of nothing is one too; and the largest that is drawn.
: >"$work/nothing"
all empty --records "$(hbk_windows_path "$work/nothing")"
python3 "$here/graph.py" --large >"$work/large"
all large --records "$(hbk_windows_path "$work/large")" --nodes 120 2>"$work/notes"
grep -q '120 of 300 nodes' "$work/notes" || fail "what was left out is not told: $(cat "$work/notes")"

# And what is wrong does not pass.
sed 's/<\/figure>//' "$work/recorded.html" >"$work/bad.html"
! python3 "$here/graph.py" "$work/recorded.json" "$work/bad.html" "$work/recorded.dot.svg" >/dev/null 2>&1 ||
    fail "graph.py takes a page that is not well-formed"
sed 's/<\/main>/<img src="https:\/\/example.org\/x"\/><\/main>/' "$work/recorded.html" >"$work/bad.html"
! python3 "$here/graph.py" "$work/recorded.json" "$work/bad.html" "$work/recorded.dot.svg" >/dev/null 2>&1 ||
    fail "graph.py takes a page that loads something"
! python3 "$here/graph.py" "$work/recorded.json" "$work/empty.html" "$work/recorded.dot.svg" >/dev/null 2>&1 ||
    fail "graph.py takes a page that lacks what is in the JSON"
! python3 "$here/graph.py" "$work/recorded.json" "$work/recorded.html" "$work/empty.dot.svg" >/dev/null 2>&1 ||
    fail "graph.py takes a drawing that lacks what is in the JSON"
printf 'the pictures have what they should\n'
