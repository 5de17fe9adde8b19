"""What clang's counters say of some sources: lines, and the outcomes of conditions, without HBK_ASSERT's.

The counts are those of source-based coverage: the compiler counts on the syntax tree before it optimises, so
that conditions have places in the text and nothing is hidden or invented by code generation.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tidy"))
# pylint: disable=wrong-import-position
import source  # noqa: E402

EXPANSION = 1  # the kind of a region where a macro stands; branches are of kind 4
ASSERTION = re.compile(r"\bHBK_ASSERT\s*\(")


class Branch:
    def __init__(self, function, line, text):
        self.function, self.line, self.text, self.count = function, line, text, 0


class File:
    """One source: line -> count, and (line, column, condition's end, outcome) -> Branch."""

    def __init__(self, path):
        self.source = source.Source(path)
        self.text = self.source.text.splitlines()
        self.lines = {}
        self.branches = {}
        self.extents = list(self.source.functions())
        self.asserted = self._asserted()

    def _asserted(self):
        """(first, last) of each HBK_ASSERT(…), as (line, column) with the bracket that ends it."""
        code, found = self.source.bare, []
        for match in ASSERTION.finditer(code):
            depth, at = 1, match.end()
            while depth > 0 and at < len(code):
                depth += {"(": 1, ")": -1}.get(code[at], 0)
                at += 1
            found.append((self._place(match.start()), self._place(at)))
        return found

    def _place(self, offset):
        return self.source.line_of(offset), offset - self.source.text.rfind("\n", 0, offset)

    def is_asserted(self, place):
        return any(first <= place < last for first, last in self.asserted)

    def function_at(self, line):
        for name, first, last in self.extents:
            if first <= line <= last:
                return name
        return "-"

    def slice(self, region):
        """The text of a region, in one line."""
        first, start, last, end = region[:4]
        if first == last:
            return " ".join(self.text[first - 1][start - 1:end - 1].split())
        parts = [self.text[first - 1][start - 1:], *self.text[first:last - 1], self.text[last - 1][:end - 1]]
        return " ".join(" ".join(parts).split())

    def add_branch(self, region, place):
        """@place: where it stands in this file: the macro, if it is in a macro's body."""
        if self.is_asserted((place[0], place[1])):
            return
        text = self.slice(place)
        for outcome, count in (("true", region[4]), ("false", region[5])):
            key = (*place[:4], *region[:4], outcome)
            branch = self.branches.setdefault(key, Branch(self.function_at(place[0]), place[0], text))
            branch.count += count

    def missed(self):
        """((function, what, text), line) of each line and each outcome that did not occur."""
        for line, count in self.lines.items():
            if count == 0:
                yield (self.function_at(line), "line", " ".join(self.text[line - 1].split())), line
        for key, branch in self.branches.items():
            if branch.count == 0:
                yield (branch.function, key[-1], branch.text), branch.line


def relative(name):
    """The project's name of a file. The compiler was told to call the project's folder "."."""
    return name.rsplit("/./", 1)[-1]


def export(programs, data, *options):
    command = ["llvm-cov", "export", f"-instr-profile={data}", *options, str(programs[0])]
    command += [f"-object={program}" for program in programs[1:]]
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    if done.stderr:
        raise SystemExit(f"coverage: llvm-cov: {done.stderr}")
    return done.stdout


def add_functions(files, functions):
    for function in functions:
        names = [relative(name) for name in function["filenames"]]
        macros = {region[6]: region for region in function["regions"] if region[7] == EXPANSION}
        for branch in function["branches"]:
            place, number = branch, branch[6]
            while number in macros:
                place, number = macros[number], macros[number][5]
            if names[number] in files:
                files[names[number]].add_branch(branch, place)


def add_lines(files, lcov):
    """Lines as llvm-cov counts them: a line has the count of its most executed part."""
    file = None
    for text in lcov.splitlines():
        if text.startswith("SF:"):
            file = files.get(relative(text[3:]))
        elif text.startswith("DA:") and file is not None:
            line, count = (int(number) for number in text[3:].split(",")[:2])
            file.lines[line] = file.lines.get(line, 0) + count


def load(root, names, programs, counts):
    """The files of @names that have code in @programs, with what the counters in the folder @counts say."""
    data = counts / "all.profdata"
    subprocess.run(["llvm-profdata", "merge", "-o", data, *sorted(counts.glob("*.profraw"))], check=True)
    files = {name: File(root / name) for name in names}
    for part in json.loads(export(programs, data, "-format=text"))["data"]:
        add_functions(files, part["functions"])
    add_lines(files, export(programs, data, "-format=lcov"))
    return {name: file for name, file in files.items() if file.lines}
