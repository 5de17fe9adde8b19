#!/usr/bin/env python3
"""A new user's walk: does what README's section says, word for word, on a Windows that has nothing of the product.

    walk.py README.md INSTALLER_DIR TOOLCHAIN_FILE WORK_DIR

The MSI of INSTALLER_DIR is all that there is at first. Programs are pasted from README, compiled with its commands,
run, and what they print is compared with what README says. What is typed for gcc and CMake is done by those of this
machine; all else is typed into Wine's prompt. Then some words of the page are spoilt, one at a time, and each time the
walk must go wrong.
"""
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import page
import shell

HEADING = "## Two programs of your own, in five minutes"
FILE = re.compile(r"^(?:/\*|#) (\w+\.\w+)\b")
GCC = "x86_64-w64-mingw32-gcc-win32"

# A word of the page, what is put in its place, and what the walk must then say.
SPOILT = (
    ("#include <handlebroker.h>", "#include <handle_broker.h>", "exit code 1"),
    ("-lhandlebroker ", "", "exit code 1"),
    (r"SDK=C:\Program Files\Handle Broker", r"SDK=C:\Program Files\HandleBroker", "exit code 1"),
    ("HandleBroker::client)", "HandleBroker::library)", "exit code 1"),
    ("got one handle, type Event, access 0x2\n", "got one handle, type Event, access 0x3\n", "has printed"),
    ("> target\ntarget: unavailable: the service", "> target\ntarget: unavailable: a service", "has printed"),
    ("> echo %errorlevel%\n1\n", "> echo %errorlevel%\n2\n", "has printed"),
)


class Walk:
    def __init__(self, prefix, work, toolchain, say):
        self.prefix, self.work, self.toolchain, self.say = prefix, work, toolchain, say
        self.variables = {}
        self.compiled = []  # folders with the programs, a folder for each way to compile them

    def here(self, line):
        """A command for gcc or CMake, as this machine's understand it."""
        for name, value in self.variables.items():
            line = line.replace(f"%{name}%", value)
        line = re.sub(r'(?<![\w])(C:[\\/][^"]*)', lambda match: self.prefix.here(match[1]), line)
        words = shlex.split(line)
        if words[0] == "gcc":
            words[0] = GCC
        elif "-S" in words:
            words += ["--toolchain", str(self.toolchain)]
        return words

    def command(self, block, line):
        """One line that is typed, in the elevated prompt or in the folder of the programs."""
        word, _, rest = line.partition(" ")
        if word == "set":
            name, _, value = rest.partition("=")
            self.variables[name] = value
            return
        if word in ("gcc", "cmake"):
            folder = self.work if word == "gcc" else self.work / "build"
            self.compiled += [folder] if folder not in self.compiled else []
            done = subprocess.run(self.here(line), cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, check=False)
            code, text = done.returncode, done.stdout
        else:
            code, text = self.prefix.run([line], self.work)
        if code != 0:
            raise shell.Failed(f"{block}: {line}: exit code {code}:\n{text}")
        self.say(f"ok     {line}")

    def prompts(self, blocks):
        """Blocks that stand side by side, each in a prompt of its own, with each set of programs that was compiled."""
        if len(self.compiled) != 2:
            raise shell.Failed(f"{blocks[0]}: compiled is in {self.compiled}, and not by gcc and by CMake")
        for folder in self.compiled:
            # The first waits for the next, whichever comes first.
            shells = [self.prefix.start(block.transcript()[0], folder) for block in blocks]
            for block, started in zip(blocks, shells):
                typed, printed = block.transcript()
                _, text = started.wait()
                if text.splitlines() != printed:
                    raise shell.Failed(f"{block}: {' '.join(typed)} has printed\n{text}and not\n" + "\n".join(printed))
                self.say(f"ok     {folder.name}: {', '.join(typed)}")

    def step(self, blocks):
        block = blocks[0]
        if block.language == "console":
            self.prompts(blocks)
        elif block.language in ("c", "cmake"):
            name = FILE.match(block.lines[0])
            if name is None:
                raise shell.Failed(f"{block}: the first line does not name the file")
            (self.work / name[1]).write_text(block.text, encoding="utf-8")
        elif block.language == "bat":
            for line in block.lines:
                self.command(block, line)
        else:
            raise shell.Failed(f"{block}: what is to be done with this?")

    def all(self, blocks):
        """Returns how many blocks there were to follow."""
        steps = []
        for block in blocks:
            if block.mark:
                self.say(f"passed over: {block}: {block.mark}")
            elif block.beside and steps:
                steps[-1].append(block)
            else:
                steps.append([block])
        for step in steps:
            self.step(step)
        return len(steps)


def blocks_of(text, name):
    with tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8") as copy:
        copy.write(text)
        copy.flush()
        return page.read(Path(copy.name), name)


def check_spoilt(prefix, section, name, fresh):
    """The service is installed and stopped by now."""
    for old, new, wanted in SPOILT:
        assert old in section, f"the section has no {old!r} to spoil"
        blocks = [block for block in blocks_of(section.replace(old, new), name) if "msiexec" not in block.text]
        code, text = prefix.run(["sc start HandleBroker"], prefix.drive)
        assert code == 0, text
        walk = fresh(lambda _: None)
        try:
            walk.all(blocks)
        except shell.Failed as failed:
            assert wanted in str(failed), f"{old!r} was spoilt, and the walk failed otherwise: {failed}"
        else:
            raise AssertionError(f"{old!r} was spoilt, and nothing has failed")
        prefix.run(["sc stop HandleBroker"], prefix.drive)
        print(f"ok     fails with {new!r} in the place of {old!r}")


def main():
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    readme, packages, toolchain, work = (Path(argument).resolve() for argument in sys.argv[1:])
    section = page.section(readme, HEADING)
    shutil.rmtree(work, ignore_errors=True)
    with shell.Prefix(work / "wine") as prefix:
        folders = iter(range(1, 100))

        def fresh(say):
            folder = prefix.drive / f"programs{next(folders)}"
            folder.mkdir()
            return Walk(prefix, folder, toolchain, say)

        walk = fresh(print)
        for msi in packages.glob("*.msi"):
            shutil.copy(msi, walk.work)
        count = walk.all(blocks_of(section, readme.name))
        assert count >= 9, f"the section has {count} steps, and so has lost some"
        check_spoilt(prefix, section, readme.name, fresh)
    print("walk: every step of the page happened")


if __name__ == "__main__":
    try:
        main()
    except (shell.Failed, ValueError, AssertionError) as error:
        raise SystemExit(f"walk: FAILED: {error}")
