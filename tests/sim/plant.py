#!/usr/bin/env python3
"""Writes a copy of the core's sources that has every planted bug, each off until the program turns it on.

    plant.py SOURCES OUT      the sources of service/core, and where the copies go with planted.h and planted.c

The product's text is free of all this. A change whose place is no more there, or there twice, is an error:
adapt bugs.py."""
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from bugs import BUGS  # noqa: E402


def switched(text, bug):
    """@text of a change with BUG and BUG(other) as the macro of planted.h."""
    return re.sub(r"\bBUG\b(?:\((\w+)\))?", lambda match: f"HBK_BUG({match.group(1) or bug.name})", text)


def plant(texts):
    for bug in BUGS:
        for name, old, new in bug.changes:
            old, new = switched(old, bug), switched(new, bug)
            count = texts[name].count(old)
            if count != 1:
                raise SystemExit(f"plant: {bug.name}: this stands {count} times in {name}, not once:\n{old}")
            texts[name] = texts[name].replace(old, new)


def write(path, text):
    """Only what is different is written, so that only that is compiled again."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sources, out = Path(sys.argv[1]), Path(sys.argv[2])
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(sources.glob("*.c"))}
    plant(texts)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write(out / name, f'#include "planted.h"\n#line 1 "planted/{name}"\n{text}')
    numbers = "".join(f"    HBK_BUG_{bug.name} = {number},\n" for number, bug in enumerate(BUGS, 1))
    write(out / "planted.h",
          "#ifndef PLANTED_H\n#define PLANTED_H\n\nextern int hbk_planted;\n\n"
          "#define HBK_BUG(name) (hbk_planted == HBK_BUG_##name)\n\n"
          f"enum {{\n{numbers}}};\n\n#endif\n")
    rows = "".join(f'    {{"{bug.name}", "{bug.invariants}", {bug.seeds}, {number}}},\n'
                   for number, bug in enumerate(BUGS, 1))
    write(out / "planted.c",
          '#include "planted.h"\n\n#include "sim.h"\n\nint hbk_planted;\n\n'
          f"const struct sim_bug sim_bugs[] = {{\n{rows}}};\nconst size_t sim_bugs_count = {len(BUGS)};\n\n"
          "void sim_plant(int number)\n{\n    hbk_planted = number;\n}\n")
    write(out / "stamp", "")


if __name__ == "__main__":
    main()
