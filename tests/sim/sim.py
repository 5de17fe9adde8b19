#!/usr/bin/env python3
"""Runs the simulator many times, and adds up what came about.

    sim.py trace PROGRAM             the same seed twice gives the same trace, another seed another one
    sim.py seeds PROGRAM COUNT STEPS a fixed set of seeds, on as many cores as ctest gives this test (two)
    sim.py planted PROGRAM [NAME …]  each planted bug is caught, by a checker that is meant to, within its seeds
    sim.py long PROGRAM SECONDS [FIRST_SEED] [STEPS]
                                     on all cores; what never came about is a failure
"""
import os
import re
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PLANTED_STEPS = 2500
LONG_STEPS = 5000
TRY_SECONDS = 600


def run(program, *words):
    """(exit code, output) of the program."""
    done = subprocess.run([program, *[str(word) for word in words]], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                          timeout=TRY_SECONDS)
    return done.returncode, done.stdout


# ---- the same trace ----

def digest(program, seed):
    code, output = run(program, "--seed", seed, "--steps", 3000, "--digest")
    match = re.search(r"digest of seed \d+: (\w+), (\d+) events", output)
    if code != 0 or match is None or int(match.group(2)) < 1000:
        raise SystemExit(f"seed {seed} gave no digest of a run worth the name:\n{output[-4000:]}")
    return match.group(1)


def trace(program):
    seen = {}
    for seed in (1, 2, 3, 4):
        first, second = digest(program, seed), digest(program, seed)
        print(f"seed {seed}: {first}, {second}")
        if first != second:
            raise SystemExit(f"seed {seed} gave two traces")
        if first in seen:
            raise SystemExit(f"seeds {seed} and {seen[first]} gave one trace")
        seen[first] = seed


# ---- planted bugs ----

def caught(program, bug, most, invariants):
    """(seeds that it took, by what) or what went wrong, as text."""
    code, output = run(program, "--bug", bug, "--seeds", most, "--steps", PLANTED_STEPS)
    match = re.search(r"^violated: ([^:(]+?)(?:: | \()[^\n]*seed (\d+), step (\d+)\)$", output, re.MULTILINE)
    if code == 0:
        return f"not caught within {most} seeds"
    if match is None:
        return f"ended with {code}, and nothing was said:\n{output[-2000:]}"
    if match.group(1) not in invariants.split("|"):
        return f"caught by \"{match.group(1)}\", not by {invariants}: seed {match.group(2)}\n{output[-1500:]}"
    return int(match.group(2)), match.group(1), int(match.group(3))


def planted(program, names):
    code, output = run(program, "--bugs")
    bugs = [line.split("\t") for line in output.splitlines()]
    bugs = [bug for bug in bugs if not names or bug[0] in names]
    untried = [bug for bug in bugs if bug[1] == "0"]
    bugs = [bug for bug in bugs if bug[1] != "0"]
    if code != 0 or len(bugs) < (len(names) or 15):
        raise SystemExit(f"{program} has {len(bugs)} planted bugs, too few")
    # Without a bug the same program finds nothing: else it would find no bugs either.
    code, output = run(program, "--seeds", 10, "--steps", PLANTED_STEPS)
    if code != 0:
        raise SystemExit(f"without a bug:\n{output[-4000:]}")
    with ThreadPoolExecutor(cores()) as pool:
        results = list(pool.map(lambda bug: caught(program, bug[0], int(bug[1]), bug[2]), bugs))
    failures, seeds, by, steps = 0, [], {}, {}
    for bug in untried:
        print(f"{bug[0]:32} not tried: only a sanitizer sees it, and this build has none")
    for bug, result in zip(bugs, results):
        if isinstance(result, str):
            failures += 1
            print(f"{bug[0]:32} {result}")
            continue
        seeds.append(result[0])
        steps[bug[0]] = result[2]
        by.setdefault(result[1], []).append(bug[0])
        print(f"{bug[0]:32} seed {result[0]:3} of {bug[1]:>3}, step {result[2]:5}: {result[1]}")
    print(f"{len(seeds)} of {len(bugs)} planted bugs caught, by {len(by)} invariants; seeds: median "
          f"{statistics.median(seeds) if seeds else 0:g}, most {max(seeds, default=0)}")
    # Of those that are not caught at once, so that there is something to be left out.
    long_one = min(steps, key=lambda name: abs(steps[name] - 700), default=None)
    return 1 if failures or (not names and not shortens(program, long_one)) else 0


def shortens(program, bug):
    """Is a run that fails made shorter, and does the short one fail the same way?"""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([str(Path(program).resolve()), "--bug", bug, "--seeds", "400", "--steps",
                               str(PLANTED_STEPS), "--minimise"], stdout=subprocess.PIPE, text=True,
                              errors="replace", check=False, cwd=folder, timeout=TRY_SECONDS)
    match = re.search(r"^minimised to (\d+) of (\d+) steps in (\d+) tries", done.stdout, re.MULTILINE)
    if match is None or int(match.group(1)) * 5 > int(match.group(2)):
        print(f"--minimise has made nothing shorter:\n{done.stdout[-2000:]}")
        return False
    print(f"{bug}: {match.group(0)}")
    return True


# ---- many seeds ----

def cores():
    return len(os.sched_getaffinity(0))


def add_report(totals, path):
    for line in path.read_text(encoding="utf-8").splitlines():
        name, number = line.rsplit(" ", 1)
        totals[name] = totals.get(name, 0) | int(number, 16) if name == "states" else \
            totals.get(name, 0) + int(number)


def run_all(program, count, words_of):
    """Runs @count programs side by side. Return: totals of their reports; ends at the first violation."""
    totals = {}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(count) as pool:
        reports = [Path(folder) / str(index) for index in range(count)]

        def one(index):
            words = [str(word) for word in words_of(index)]
            done = subprocess.run([program, *words, "--report", str(reports[index])], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
            return done.returncode, done.stdout

        for code, output in pool.map(one, range(count)):
            if code != 0:
                print(output[-12000:])
                raise SystemExit("an invariant broke")
        for report in reports:
            add_report(totals, report)
    return totals


def show(totals, count, all_of_it):
    states = bin(totals.pop("states")).count("1")
    seconds = totals.pop("run milliseconds") / 1000 / count
    steps = totals["run steps"]
    missing = [name for name, number in totals.items() if number == 0]
    for name, number in totals.items():
        if all_of_it or name.startswith("run "):
            print(f"{number:12}  {name}")
    print(f"{states:12}  states of sessions, deliveries and workers reached")
    print(f"{steps / seconds:12.0f}  steps a second, on {count} cores for {seconds:.0f} s")
    if all_of_it and missing:
        print("never: " + "; ".join(missing))
        return 1
    return 0


def fixed(program, seeds, steps):
    count = min(2, cores())
    totals = run_all(program, count, lambda index: [
        "--seed", 1 + index, "--stride", count, "--seeds", seeds // count, "--steps", steps])
    return show(totals, count, False)


def long(program, seconds, first, steps):
    count = cores()
    totals = run_all(program, count, lambda index: [
        "--seed", first + index, "--stride", count, "--seeds", 0, "--seconds", seconds, "--steps", steps])
    return show(totals, count, True)


def main():
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "trace":
        return trace(words[1])
    if len(words) == 4 and words[0] == "seeds":
        return fixed(words[1], int(words[2]), int(words[3]))
    if len(words) >= 2 and words[0] == "planted":
        return planted(words[1], words[2:])
    if 3 <= len(words) <= 5 and words[0] == "long":
        first = int(words[3]) if len(words) > 3 else 1
        return long(words[1], int(words[2]), first, int(words[4]) if len(words) > 4 else LONG_STEPS)
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
