#!/usr/bin/env python3
"""Runs the tests of a linux-coverage build, and judges what of proto and service/core they have executed.

    coverage.py BUILD     prints a table of lines and branches a file, then what is wrong; exits 1 if anything is

Wrong is: fewer than 98 % of the lines or 95 % of the branches of all files together; a line or branch that
was not executed and does not stand in left.txt with its reason; an entry of left.txt of what was executed, or
does not exist; a source that no test is linked with.

A branch is one outcome, true or false, of one condition: `a && b` has four. The branches of an HBK_ASSERT are
not counted, those in its brackets included: they are there not to be taken. Nothing else is left out.
"""
import collections
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import left  # noqa: E402
import profile_data  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("proto/base", "proto/codec", "service/core")
LINES_MIN = 98.0
BRANCHES_MIN = 95.0
# Seeds and steps of the simulator, if the build has one: enough to reach what it reaches at all.
SIMULATOR_SEEDS = range(1, 21)
SIMULATOR_STEPS = 20000


def run(command, **more):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **more)
    if done.returncode != 0:
        print(done.stdout)
        raise SystemExit(f"coverage: {' '.join(map(str, command[:3]))} failed ({done.returncode})")
    return done.stdout


def execute(build, programs, counts):
    """Runs everything that counts; each program adds to a file of its own in @counts."""
    environment = {**os.environ, "LLVM_PROFILE_FILE": f"{counts}/%m.profraw"}
    print(f"coverage: the unit tests, {len(programs)} programs")
    run(["ctest", "--test-dir", build, "--label-regex", "^unit$", "--no-tests=error", "--output-on-failure",
         "--parallel", str(os.cpu_count())], env=environment)
    simulator = build / "bin/hbk_sim"
    if not simulator.is_file():
        print("coverage: no simulator in this build, so the unit tests alone")
        return
    print(f"coverage: the simulator, {len(SIMULATOR_SEEDS)} seeds of {SIMULATOR_STEPS} steps")
    for seed in SIMULATOR_SEEDS:
        run([simulator, "--seed", str(seed), "--steps", str(SIMULATOR_STEPS)], env=environment)
    programs.append(simulator)


def sources(root):
    """Every file that is looked at -> must it be in the table? One that has no functions has no code."""
    return {path.relative_to(root).as_posix():
            path.suffix == ".c" and any(profile_data.source.Source(path).functions())
            for folder in FOLDERS for path in sorted((root / folder).glob("*.[ch]"))}


def percent(done, whole):
    return 100.0 if whole == 0 else 100.0 * done / whole


def print_row(name, counts):
    lines, lines_done, branches, branches_done = counts
    print(f"{name:<28} {lines:>6} {lines - lines_done:>6} {percent(lines_done, lines):>7.2f} %"
          f" {branches:>8} {branches - branches_done:>6} {percent(branches_done, branches):>7.2f} %")


def print_table(files):
    print(f"\n{'file':<28} {'lines':>6} {'left':>6} {'':>9} {'branches':>8} {'left':>6}")
    total = [0, 0, 0, 0]
    for name, file in sorted(files.items()):
        counts = (len(file.lines), sum(1 for count in file.lines.values() if count > 0),
                  len(file.branches), sum(1 for branch in file.branches.values() if branch.count > 0))
        if counts[0] > 0:
            print_row(name, counts)
        total = [a + b for a, b in zip(total, counts)]
    print_row("all", total)
    return percent(total[1], total[0]), percent(total[3], total[2])


def judge(files, known, entries, lines, branches):
    """What is wrong, as lines. @lines, @branches: percent."""
    wrong = []
    if lines < LINES_MIN:
        wrong.append(f"{lines:.2f} % of the lines, at least {LINES_MIN} %")
    if branches < BRANCHES_MIN:
        wrong.append(f"{branches:.2f} % of the branches, at least {BRANCHES_MIN} %")
    for name, must_have_code in known.items():
        if must_have_code and name not in files:
            wrong.append(f"{name}: no test is linked with it")
    missed = collections.Counter()
    where = {}
    for name, file in files.items():
        for key, line in file.missed():
            missed[(name, *key)] += 1
            where.setdefault((name, *key), line)
    listed = collections.Counter(entries)
    for key, count in sorted((missed - listed).items()):
        name, function, what, text = key
        wrong.append(f"{name}:{where[key]}: {function}(): not executed, and not in {left.NAME}"
                     f"{f' ({count} times)' if count > 1 else ''}:\n  {what}: {text}")
    for key, count in sorted((listed - missed).items()):
        name, function, what, text = key
        wrong.append(f"{left.NAME}: {name} {function}: is executed, or does not exist"
                     f"{f' ({count} times)' if count > 1 else ''}:\n  {what}: {text}")
    return wrong


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    build = Path(sys.argv[1]).resolve()
    programs = sorted(path for path in (build / "bin").glob("test_*") if os.access(path, os.X_OK))
    if not programs:
        raise SystemExit(f"coverage: no tests in {build}/bin: is that a build of the preset linux-coverage?")
    known = sources(ROOT)
    with tempfile.TemporaryDirectory() as counts:
        execute(build, programs, counts)
        files = profile_data.load(ROOT, known, programs, Path(counts))
    lines, branches = print_table(files)
    entries = left.read(Path(__file__).with_name(left.NAME))
    wrong = judge(files, known, entries, lines, branches)
    print()
    for text in wrong:
        print(text)
    print(f"coverage: {lines:.2f} % of the lines, {branches:.2f} % of the branches,"
          f" {len(entries)} left with a reason, {len(wrong)} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
