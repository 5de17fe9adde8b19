#!/usr/bin/env python3
"""Shows that coverage.py finds what was not executed, and fails when it should: over a small tree that is compiled and
run as the project's is. What has no case here is not believed to work."""
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import coverage  # noqa: E402
import left  # noqa: E402
import profile_data  # noqa: E402

BASE_H = """#include <stdlib.h>
#define HBK_ASSERT(expression) ((expression) ? (void)0 : abort())
#define EITHER(a, b) ((a) || (b))
int covered(int a, int b);
int half(int a, int b);
static inline int in_header(int a)
{
    return a ? 1 : 2;
}
"""
# What main.c does not execute is said beside it.
BASE_C = """#include "base.h"
int covered(int a, int b)
{
    HBK_ASSERT(a >= 0 && b >= 0);
    HBK_ASSERT(a < 100 ||
               b < 100);
    for (int i = 0; i < 2; i++) {
        b += i;
    }
    return a > b ? in_header(a - 2) : in_header(b);
}
"""
CORE_C = """#include "base.h"
static int never(int a)
{
    return a;
}
int half(int a, int b)
{
    if (a == 1 &&
        b == 1) { /* b: never false */
        return 1;
    }
    if (EITHER(a == 3, b == 3)) { /* never true, neither */
        return never(b);
    }
    switch (a) {
    case 2:
        return 4;
    default: /* never */
        return 5;
    }
}
"""
TABLE_C = "const int table[] = {1};\n"
MAIN_C = """#include "base.h"
int main(void)
{
    return covered(1, 2) + covered(5, 0) + covered(2, 0) + half(1, 1) + half(2, 1) == 0;
}
"""
NOT_EXECUTED = [
    ("half", "false", "b == 1"),
    ("half", "true", "EITHER"), ("half", "true", "EITHER"),
    ("half", "line", "return never(b);"), ("half", "line", "}"),
    ("half", "true", "default"), ("half", "false", "case 2"),
    ("half", "line", "default: /* never */"), ("half", "line", "return 5;"),
    ("never", "line", "{"), ("never", "line", "return a;"), ("never", "line", "}"),
]
CORE = "service/core/core.c"
ENTRIES = [(CORE, *entry) for entry in NOT_EXECUTED]

GOOD_LEFT = """# words

service/core/core.c half
  false: b ==   1
  why: a reason
    of two lines

service/core/core.c never
  line: return a;
  why: another
"""
BAD_LEFT = {
    "no reason": GOOD_LEFT.replace("  why: another\n", ""),
    "no reason before the next": GOOD_LEFT.replace("  why: a reason\n    of two lines\n", ""),
    "an empty reason": GOOD_LEFT.replace("  why: another", "  why: "),
    "nothing listed": GOOD_LEFT.replace("  line: return a;\n", ""),
    "no such kind": GOOD_LEFT.replace("false:", "maybe:"),
    "an item without a head": GOOD_LEFT.replace("service/core/core.c half\n", ""),
    "words between": GOOD_LEFT.replace("  why: another", "because\n  why: another"),
}


def measure(root):
    """The files of the small tree after one run of its program."""
    for name, text in (("proto/base/base.h", BASE_H), ("proto/base/base.c", BASE_C), (CORE, CORE_C),
                       ("proto/base/table.c", TABLE_C), ("main.c", MAIN_C)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    flags = ["-std=c11", f"-I{root}/proto/base", "-fprofile-instr-generate", "-fcoverage-mapping", "-O2",
             f"-ffile-prefix-map={root}=."]
    sources = [str(root / name) for name in ("main.c", "proto/base/base.c", CORE)]
    counts = root / "build"
    counts.mkdir()
    subprocess.run(["clang", *flags, *sources, "-o", root / "program"], cwd=counts, check=True)
    subprocess.run([root / "program"], env={"LLVM_PROFILE_FILE": f"{counts}/%m.profraw"}, check=True)
    known = coverage.sources(root)
    return known, profile_data.load(root, known, [root / "program"], counts)


class Check:
    def __init__(self):
        self.done = self.failed = 0

    def equal(self, title, found, expected):
        self.done += 1
        if found != expected:
            self.failed += 1
            print(f"selftest: {title}: expected {expected}, found {found}")


def count(wrong, text):
    return sum(1 for line in wrong if text in line)


def check_judgement(check, known, files):
    def judge(entries, lines=99.0, branches=99.0, more=None):
        return coverage.judge(files, {**known, **(more or {})}, entries, lines, branches)

    check.equal("all that is left is listed", judge(ENTRIES), [])
    for entry in set(ENTRIES):
        fewer = list(ENTRIES)
        fewer.remove(entry)
        wrong = judge(fewer)
        check.equal(f"{entry} is not listed", (len(wrong), count(wrong, "not in left.txt")), (1, 1))
    for title, entry in (("is executed", (CORE, "half", "true", "b == 1")),
                         ("is listed twice", ENTRIES[0]),
                         ("is an assertion's", ("proto/base/base.c", "covered", "false", "a >= 0")),
                         ("is in another function", (CORE, "never", "false", "b == 1")),
                         ("does not exist", ("service/core/gone.c", "half", "line", "}"))):
        wrong = judge(ENTRIES + [entry])
        check.equal(f"what {title}", (len(wrong), count(wrong, "or does not exist")), (1, 1))
    check.equal("too few lines", count(judge(ENTRIES, lines=97.99), "of the lines"), 1)
    check.equal("too few branches", count(judge(ENTRIES, branches=94.99), "of the branches"), 1)
    check.equal("a source that is not linked",
                count(judge(ENTRIES, more={"proto/base/new.c": True}), "no test is linked"), 1)
    check.equal("a header without code", judge(ENTRIES, more={"proto/base/new.h": False}), [])


def check_counts(check, files):
    branches = files["proto/base/base.c"].branches.values()
    check.equal("the assertions' branches are not counted", len(branches), 4)
    check.equal("each of the others is executed", min(branch.count for branch in branches) > 0, True)
    check.equal("a header's function has its lines", min(files["proto/base/base.h"].lines.values()) > 0, True)
    check.equal("branches of the core", len(files[CORE].branches), 12)


def check_left(check, folder):
    path = folder / left.NAME
    path.write_text(GOOD_LEFT, encoding="utf-8")
    check.equal("a good list", left.read(path),
                [(CORE, "half", "false", "b == 1"), (CORE, "never", "line", "return a;")])
    for title, text in BAD_LEFT.items():
        path.write_text(text, encoding="utf-8")
        try:
            left.read(path)
            refused = False
        except SystemExit:
            refused = True
        check.equal(f"a list with {title} is refused", refused, True)


def main():
    check = Check()
    with tempfile.TemporaryDirectory() as name:
        known, files = measure(Path(name).resolve())
        check_counts(check, files)
        check_judgement(check, known, files)
        check_left(check, Path(name))
    print(f"selftest: {check.done} checks, {check.failed} wrong")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
