#!/usr/bin/env python3
"""Checks that nothing of the project is compiled with fewer warnings than the rest: products, tests and tools.

    flags.py ROOT BUILD     of gcc's or clang's flags in compile_commands.json; one finding a line
"""
import json
import shlex
import sys
from pathlib import Path

WANTED = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-std=c11")


def findings_of(root, commands):
    """What is missing, or turned off, in the compilation of each source under @root; and how many there are."""
    found, count = [], 0
    for command in commands:
        path = (Path(command["directory"]) / command["file"]).resolve()
        if not path.is_relative_to(root) or path.suffix != ".c":
            continue
        count += 1
        flags = command.get("arguments") or shlex.split(command["command"])
        name = path.relative_to(root)
        found += [f"{name}: [flags] compiled without {flag}" for flag in WANTED if flag not in flags]
        found += [f"{name}: [flags] compiled with {flag}" for flag in flags
                  if flag == "-w" or flag.startswith("-Wno-")]
    return found, count


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    root, build = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    found, count = findings_of(root, commands)
    for line in found:
        print(line)
    if count == 0:
        print(f"nothing of {root} is compiled in {build}")
    print(f"flags: {count} compilations, {len(found)} findings")
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
