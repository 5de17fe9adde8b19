#!/usr/bin/env python3
"""The checks on the pages see what they are there for: small trees, each with one thing that is wrong or right."""
import tempfile
from pathlib import Path

import commands
import page

PRESETS = '{"workflowPresets": [{"name": "wine"}], "testPresets": [{"name": "wine"}, {"name": "base", "hidden": true}]}'
TREE = {
    "CMakePresets.json": PRESETS,
    "Makefile": "soak:\n\ttrue\n",
    ".ci/run": "make soak\n",
    "tests/a/CMakeLists.txt": "add_test(NAME a COMMAND ${here}/a.sh)\nadd_executable(hbk_sim sim.c)\n",
    "tests/a/a.sh": "hbctl status\n",
    "tests/a/b.sh": "hbctl status\n",
}


def fenced(language, *lines):
    return "\n".join([f"```{language}", *lines, "```", ""])


BY_HAND = page.BY_HAND + "\n"
WINDOWS_ONLY = page.WINDOWS_ONLY + "\n"
IS_BY_HAND, IS_WINDOWS_ONLY = [page.BY_HAND.strip("*")], page.WINDOWS_ONLY.strip("*")
# What the page says, and what becomes of its blocks, or a word of what is wrong.
PAGES = (
    (fenced("bat", "hbctl status"), ["type"]),
    (fenced("console", "> hbctl status", "running"), ["type"]),
    (fenced("bat", "a") + fenced("bat", "b"), ["type 2"]),
    (fenced("bat", "a") + "\nand\n\n" + fenced("bat", "b"), ["type", "type"]),
    (fenced("bat", "a") + WINDOWS_ONLY + fenced("bat", "b"), [IS_WINDOWS_ONLY, "type"]),
    (fenced("json", "{}") + fenced("", "\u2192 {}") + fenced("c", "int a;"), []),
    ("## SYNOPSIS\n\n" + fenced("", "hbctl status"), []),
    ("## EXAMPLES\n\n" + fenced("", "hbctl status"), "the fence does not say"),
    (fenced("ruby", "x"), "a language of commands"),
    (fenced("sh", "make soak"), "nothing runs this"),
    (fenced("powershell", "Get-Service"), "nothing runs this"),
    ("<!-- run by .ci/run -->\n" + fenced("sh", "make soak   # for long"), ["run by .ci/run"]),
    ("<!-- run by .ci/run -->\n" + fenced("sh", "make soak", "make flood"), 'does not have "make flood"'),
    ("<!-- run by .ci/other -->\n" + fenced("sh", "make soak"), "there is no file .ci/other"),
    ("<!-- run by tests/a/a.sh -->\n" + fenced("bat", "hbctl status"), ["run by tests/a/a.sh"]),
    ("<!-- run by tests/a/b.sh -->\n" + fenced("bat", "hbctl status"), "no test runs tests/a/b.sh"),
    ("<!-- run by .ci/run -->\n\nwords\n" + fenced("sh", "make soak"), "not right before a block"),
    (fenced("sh", "make soak") + "words\n" + BY_HAND, "not right behind a block"),
    (WINDOWS_ONLY, "not right behind a block"),
    ("```sh\nmake soak\n", "has no end"),
    (fenced("sh", "make soak") + BY_HAND, IS_BY_HAND),
    (fenced("sh", "make flood") + BY_HAND, "flood"),
    (fenced("sh", "ctest --preset wine -L a") + BY_HAND, IS_BY_HAND),
    (fenced("sh", "ctest --preset base") + BY_HAND, "no preset base"),
    (fenced("sh", "cmake --workflow --preset msvc") + BY_HAND, "no preset msvc"),
    (fenced("sh", "build/wine/bin/hbk_sim --seed 1") + BY_HAND, IS_BY_HAND),
    (fenced("sh", "build/wine/bin/hbk_si --seed 1") + BY_HAND, "no program hbk_si"),
    (fenced("sh", "tests/a/a.sh x") + BY_HAND, IS_BY_HAND),
    (fenced("sh", "tests/a/c.sh x") + BY_HAND, "no file tests/a/c.sh"),
)


def become(text):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, content in {**TREE, "README.md": text}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content, encoding="utf-8")
        return commands.collect(root)


def main():
    for text, wanted in PAGES:
        found, wrong = become(text)
        if isinstance(wanted, str):
            assert len(wrong) == 1 and wanted in wrong[0], f"{text}\ngives {wrong}, not {wanted}"
            continue
        assert not wrong, f"{text}\ngives {wrong}"
        got = [what if len(blocks) == 1 else f"{what} {len(blocks)}" for blocks, what in found]
        assert got == wanted, f"{text}\ngives {got}, not {wanted}"
    print(f"docs: {len(PAGES)} pages judged as they should be")


if __name__ == "__main__":
    main()
