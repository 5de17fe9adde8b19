#!/usr/bin/env python3
"""Runs every command that the pages tell a reader to type.

    commands.py --list                             each block, and what becomes of it; fails where that is unclear
    commands.py INSTALLER_DIR WORK_DIR [PAGE…]     runs them (of some pages alone) in a Wine prefix of its own

A block of commands is a fenced one of the languages below. It is typed into Wine's prompt, line by line, and each
line must end with exit code 0; blocks that stand side by side are prompts that are open at the same time; of a block
"console" what is printed is compared. Or the page says otherwise, as page.py reads it: by a line that the reader sees
right behind the block, or by a comment right before it that names the file which has its lines, and is run by
"make test" or the hosted workflow.
"""
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import page
import prompts
import shell
import walk

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "installer/ADMIN.md", "proto/PROTOCOL.md", "CONTRIBUTING.md", "tests/README.md", "SECURITY.md")
MAN = "client/man"
COMMANDS = {"sh", "bat", "console", "powershell"}
OTHERS = {"c", "cmake", "json", "text", "abnf", "js", "javascript", "python"}
# With one of these a block of no language begins that ought to have one.
PROGRAMS = {"hbctl", "handlebroker", "sc", "reg", "msiexec", "make", "cmake", "ctest", ">"}
# Who runs a file that a block names: these are run themselves, of others the CMakeLists.txt beside them says it.
RUN_THEMSELVES = {".ci/run", ".github/workflows/ci.yml", "Makefile"}


def pages(root):
    yield from (name for name in PAGES if (root / name).is_file())
    yield from sorted(path.relative_to(root).as_posix() for path in (root / MAN).glob("*.md"))


def command(line):
    """A line without what is said beside it."""
    return re.split(r"\s\s+(?:# )?", line.strip(), maxsplit=1)[0]


# --- what becomes of a block ---------------------------------------------------------------------

def run_by(root, block):
    """What is wrong with the file that it names, or None."""
    path = root / block.run_by
    if not path.is_file():
        return f"there is no file {block.run_by} to run it"
    lines = {line.strip() for line in path.read_text(encoding="utf-8").splitlines()}
    for line in block.lines:
        if command(line) not in lines:
            return f"{block.run_by} does not have \"{command(line)}\""
    lists = path.parent / "CMakeLists.txt"
    if block.run_by not in RUN_THEMSELVES and not (lists.is_file() and path.name in lists.read_text(encoding="utf-8")):
        return f"no test runs {block.run_by}"
    return None


def has_target(root, name):
    return any(re.search(rf"\b{re.escape(name)}\b", path.read_text(encoding="utf-8"))
               for path in (root / "tests").glob("*/CMakeLists.txt"))


def by_hand(root, line):
    """What keeps a command from being run by hand, or None: a file, target or preset that there is not."""
    words = command(line).split()
    presets = json.loads((root / "CMakePresets.json").read_text(encoding="utf-8"))
    if words[0] == "make":
        done = subprocess.run(["make", "-n", *words[1:]], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        return None if done.returncode == 0 else done.stdout.strip()
    if words[0] in ("cmake", "ctest"):
        kind = "workflowPresets" if "--workflow" in words else "testPresets"
        names = {preset["name"] for preset in presets[kind] if not preset.get("hidden")}
        name = words[words.index("--preset") + 1]
        return None if name in names else f"there is no preset {name}"
    built = re.fullmatch(r"build/[\w-]+/bin/(\w+)", words[0])
    if built:
        return None if has_target(root, built[1]) else f"there is no program {built[1]}"
    return None if (root / words[0]).is_file() else f"there is no file {words[0]}"


def kind(root, block):
    """"type", or who else runs it; None for what is no command; ValueError where neither is clear."""
    if block.language not in COMMANDS:
        if block.language not in OTHERS and block.language != "":
            raise ValueError(f"{block}: is \"{block.language}\" a language of commands? commands.py has to know")
        first = (block.lines or [""])[0].split()
        if block.language == "" and block.heading != "## SYNOPSIS" and first and first[0] in PROGRAMS:
            raise ValueError(f"{block}: commands, of which the fence does not say whether they are sh, bat or console")
        return None
    if block.mark == page.WINDOWS_ONLY:
        return block.mark.strip("*")
    if block.mark == page.BY_HAND:
        wrong = [reason for reason in (by_hand(root, line) for line in block.lines) if reason]
        if wrong:
            raise ValueError(f"{block}: {wrong[0]}")
        return block.mark.strip("*")
    if block.run_by:
        wrong = run_by(root, block)
        if wrong:
            raise ValueError(f"{block}: {wrong}")
        return f"run by {block.run_by}"
    if block.page == "README.md" and block.heading == walk.HEADING:
        return "run by tests/docs/walk.py"
    if block.language not in ("bat", "console"):
        raise ValueError(f"{block}: nothing runs this: name the file that does, or mark it (CONTRIBUTING.md)")
    return "type"


def collect(root):
    """[(blocks side by side, what becomes of them)], and what is wrong."""
    found, wrong = [], []
    for name in pages(root):
        try:
            blocks = page.read(root / name, name)
        except ValueError as error:
            wrong.append(str(error))
            continue
        previous = None
        for block in blocks:
            try:
                what = kind(root, block)
            except ValueError as error:
                wrong.append(str(error))
                continue
            if what == "type" and block.beside and previous == "type":
                found[-1][0].append(block)
            elif what is not None:
                found.append(([block], what))
            previous = what
    return found, wrong


# --- running them ----------------------------------------------------------------------------------

def check_help(typed, block):
    """The examples of a page of hbctl are those of its --help."""
    if not block.page.startswith(f"{MAN}/hbctl-") or block.heading != "## EXAMPLES":
        return
    command_name = re.search(r"^## NAME\n+(.+?) - ", (ROOT / block.page).read_text(encoding="utf-8"), re.MULTILINE)[1]
    text = typed.plain(f"{command_name} --help")
    for line in block.lines:
        if line.startswith(command_name) and f"  {line}\n" not in text:
            raise shell.Failed(f"{block}: --help has no example \"{line}\"")


# What must fail: a check of the runner on itself. The block, and what is then said.
MUST_FAIL = (
    ("bat", prompts.STORE + " get --ticket 0123456789abcdef0123456789abcdee", "exit code 1"),
    ("bat", "hbctl stauts", "exit code 2"),
    ("bat", "hbctl send user/inbox --file other.txt", "exit code 2"),
    ("bat", "hbctl revoke 18", "exit code 1"),
    ("console", "> hbctl --version\nhbctl 9.9.9", "another text"),
)


def check_itself(typed):
    for language, text, wanted in MUST_FAIL:
        try:
            typed.type_blocks([page.Block("itself", "", 1, language, text.split("\n"))])
        except shell.Failed as failed:
            if wanted not in str(failed):
                raise AssertionError(f"{text!r} failed otherwise: {failed}") from failed
            typed.state = None  # the other side may be there still
        else:
            raise AssertionError(f"{text!r} has not failed")


def run(found, packages, work):
    shutil.rmtree(work, ignore_errors=True)
    count, wrong = 0, []
    with shell.Prefix(work / "wine") as prefix:
        typed = prompts.Prompts(prefix, packages)
        for blocks, what in found:
            if what != "type":
                continue
            try:
                typed.type_blocks(blocks)
                for block in blocks:
                    check_help(typed, block)
            except shell.Failed as failed:
                print(f"FAILED {blocks[0]}: {failed}", flush=True)
                wrong.append(f"{blocks[0]}: {failed}")
                typed.state = None
                continue
            count += sum(len(block.lines) for block in blocks)
            print(f"ok     {blocks[0]}: {'; '.join(line for block in blocks for line in block.lines)}", flush=True)
        check_itself(typed)
    print(f"commands: {count} lines were typed and did what they are there for")
    return wrong


def main():
    arguments = sys.argv[1:]
    found, wrong = collect(ROOT)
    if arguments == ["--list"]:
        for blocks, what in found:
            print(f"{blocks[0]}: {'typed into a prompt' if what == 'type' else what}")
    elif len(arguments) >= 2:
        for blocks, what in found:
            if what != "type":
                print(f"{what:<40} {blocks[0]}")
        if not wrong:
            wanted = [group for group in found if len(arguments) == 2 or group[0][0].page in arguments[2:]]
            wrong = run(wanted, *(Path(argument).resolve() for argument in arguments[:2]))
    else:
        raise SystemExit(__doc__)
    if wrong:
        raise SystemExit("\n".join(["commands: FAILED", *wrong]))


if __name__ == "__main__":
    main()
