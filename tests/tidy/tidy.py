#!/usr/bin/env python3
"""Checks what no compiler checks: who includes whom, sizes, banned calls, and that the pages are there.

    tidy.py ROOT          prints one finding a line, FILE:LINE: [RULE] WHAT, and exits 1 if there is any

The rules are those of the project's architecture: service/core is a state machine with no system behind
it, client and service meet only in proto/, and libuv, cJSON and Windows stand in a few known folders.
selftest.py plants one violation of each rule and fails if it is not found.
"""
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import events  # noqa: E402
import pages  # noqa: E402
import source  # noqa: E402

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600

# A folder may include its own headers, and those of the folders named here. A folder that is not
# named is an error: a new folder is a decision.
MAY_INCLUDE = {
    "proto/base": [],
    "proto/codec": ["proto/base"],
    "service/platform": ["proto/base"],
    "service/core": ["proto/base", "proto/codec", "service/platform"],
    # Beside the seam that it implements, the events that it feeds.
    "service/win": ["proto/base", "service/platform", "service/core"],
    "service/main": ["proto/base", "proto/codec", "service/core", "service/platform", "service/win"],
    "client/include": [],
    "client/lib": ["proto/base", "proto/codec", "client/include"],
    # hbctl check-config reads a file as the service does.
    "client/cli": ["client/include", "service/main"],
    "client/examples": ["client/include"],
    "client/languages": ["client/include"],
    "tests/unit": [
        "proto/base", "proto/codec", "service/core", "service/platform", "service/main", "service/win",
        "client/include", "client/cli",
    ],
    # The core over the unit tests' fake platform.
    "tests/fuzz": ["proto/base", "proto/codec", "service/core", "service/platform", "tests/unit"],
    "tests/sim": ["proto/base", "proto/codec", "service/core", "service/platform", "tests/unit"],
    "tests/integration": ["proto/base", "proto/codec", "client/include"],
    "tests/wow64": ["client/include", "tests/integration"],
    # A program of somebody else's.
    "tests/installer": ["client/include"],
    # The flood is a test as well as a benchmark, and so uses what the tests share.
    "tests/bench": [
        "proto/base", "proto/codec", "service/core", "service/platform", "client/include",
        "tests/integration",
    ],
}

# What a folder shows to the others; the rest of its headers are its own. Unit tests see all.
SHOWN = {
    "service/core": {"core.h", "policy.h", "type.h"},
    "service/win": {"access.h", "win.h"},
    "service/main": {"check.h"},
}

C_HEADERS = {
    "inttypes.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h",
    "string.h",
}
# What touches no clock, no file and no thread. Where a folder is named here, other system headers
# are refused in it.
PURE = {
    "proto/base": C_HEADERS,
    "proto/codec": C_HEADERS | {"cJSON.h", "cjson/cJSON.h"},
    "service/platform": C_HEADERS - {"stdio.h", "stdlib.h"},
    "service/core": C_HEADERS,
}
LIBUV_IN = ("service/main",)
# tests/fuzz compares what it reads with another parser.
CJSON_IN = ("proto/codec", "tests/fuzz")
WINDOWS_IN = (
    "service/win", "service/main", "client/include", "client/lib", "client/cli", "client/examples",
    "client/languages", "tests/unit", "tests/integration", "tests/wow64", "tests/bench",
)
WINDOWS_HEADERS = re.compile(
    r"^(windows|win(base|def|error|ioctl|nt|svc|sock2?|sta|ternl|user)|ws2tcpip|mswsock|aclapi|accctrl|"
    r"authz|bcrypt|sddl|psapi|tlhelp32|shellapi|evntprov|ntstatus|ntdef|io|process|synchapi)\.h$",
    re.IGNORECASE,
)
# C11 that is not in all three compilers.
HEADERS_NOWHERE = {"threads.h", "stdatomic.h", "unistd.h", "pthread.h"}

# call -> why not. The key may end in "*".
BANNED = {
    "strcpy": "no bound", "strcat": "no bound", "sprintf": "no bound", "vsprintf": "no bound",
    "gets": "no bound", "wcscpy": "no bound", "wcscat": "no bound", "lstrcpy*": "no bound",
    "lstrcat*": "no bound", "wsprintf*": "no bound", "wvsprintf*": "no bound",
    "strncpy": "may leave no terminator", "wcsncpy": "may leave no terminator",
    "strncat": "its bound is not the buffer's", "wcsncat": "its bound is not the buffer's",
    "scanf": "no bound", "sscanf": "no error on overflow", "fscanf": "no error on overflow",
    "atoi": "no error", "atol": "no error", "atoll": "no error", "atof": "no error", "_wtoi": "no error",
    "strtok": "hidden state", "wcstok": "hidden state", "rand": "can be foreseen",
    "alloca": "the stack has no error", "_alloca": "the stack has no error",
    "TerminateThread": "leaves locks behind",
    "IsBadReadPtr": "hides faults", "IsBadWritePtr": "hides faults",
}
# In service/ and client/lib only: the rules of the product itself.
BANNED_IN_PRODUCT = {
    "uv_pipe_bind": "passes no security descriptor", "uv_pipe_listen": "rejects no remote client",
    "uv_pipe_connect": "sets no SQOS", "uv_pipe_chmod": "guesses a descriptor",
    "FlushFileBuffers": "never returns for a silent client",
    "GetFinalPathNameByHandle*": "object names are never queried",
    "getenv": "no environment variable redirects anything", "_wgetenv": "as getenv",
    "GetEnvironmentVariable*": "as getenv",
    "GetNamedPipeClientComputerName*": "not needed, and crashes under Wine",
}
ONLY_IN = {
    # Where nothing waits but the file itself, a worker of libuv's may; what a client could make it wait for may not.
    "uv_queue_work": ({"service/main/auditfile.c", "service/main/metricsfile.c",
                       "service/main/reload.c"},
                      "four stuck calls would stop everyone; use the project's own workers"),
    # There the thread is known to sleep with no lock.
    "SuspendThread": ({"tests/integration/test_reopen_self.c"}, "leaves locks behind"),
}
# The core does no I/O; formatting into memory is none.
BANNED_IN_CORE = {
    name: "the core does no I/O"
    for name in ("printf", "fprintf", "puts", "fputs", "putchar", "fopen", "fwrite", "fread", "perror",
                 "time", "clock", "abort", "exit")
}
# name -> (how often it may stand in service/, why)
AT_MOST = {
    "ImpersonateNamedPipeClient": (1, "one function impersonates, and always reverts"),
    "ObjectNameInformation": (0, "object names are never queried"),
}
# A warning is settled in the code, for all three compilers.
PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma\b|\b_Pragma[ \t]*\(|\b__pragma[ \t]*\(", re.MULTILINE)
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SCANNED = ("proto", "service", "client", "tests")


class Findings:
    def __init__(self, root):
        self.root = root
        self.lines = []

    def add(self, path, line, rule, text):
        self.lines.append(f"{path.relative_to(self.root)}:{line}: [{rule}] {text}")


def folder_of(root, path):
    """The rules' name of a file's folder: its first two parts."""
    return "/".join(path.relative_to(root).parts[:2]) if len(path.relative_to(root).parts) > 2 else ""


# Tests that look at one folder from the inside, and so see all of its headers.
INSIDE = {
    "tests/integration/kit/impersonate.c": "service/win",
    "tests/integration/kit/seam.h": "service/win",
    "tests/integration/test_access.c": "service/win",
    "tests/integration/test_identity.c": "service/win",
}


def check_project_include(findings, root, headers, file, line, name):
    """A quoted include: which folder does it reach into?"""
    beside = file.path.parent / name
    found = [beside.resolve()] if beside.is_file() else headers.get(Path(name).name, [])
    if not found:
        # Not ours: a library's header in quotes. The rules on system headers decide.
        check_system_include(findings, root, file, line, name)
        return
    if len(found) > 1:
        findings.add(file.path, line, "include", f'"{name}" may mean any of {len(found)} files')
        return
    own, other = folder_of(root, file.path), folder_of(root, found[0])
    if own == other or INSIDE.get(file.path.relative_to(root).as_posix()) == other:
        return
    if other not in MAY_INCLUDE.get(own, []):
        findings.add(file.path, line, "include", f'{own} may not include {other} ("{name}")')
    elif own != "tests/unit" and found[0].name not in SHOWN.get(other, {found[0].name}):
        findings.add(file.path, line, "include", f'"{name}" is a header of {other} alone')


def check_system_include(findings, root, file, line, name):
    own = folder_of(root, file.path)
    base = name.lower()
    if name in HEADERS_NOWHERE:
        findings.add(file.path, line, "include", f"<{name}>: not in all three compilers")
    if own in PURE and name not in PURE[own]:
        findings.add(file.path, line, "include", f"<{name}>: {own} knows no such system")
    if (base == "uv.h" or base.startswith("uv/")) and own not in LIBUV_IN:
        findings.add(file.path, line, "include", f"<{name}>: libuv stands only in {', '.join(LIBUV_IN)}")
    if base.endswith("cjson.h") and (own not in CJSON_IN or file.path.suffix != ".c"):
        findings.add(file.path, line, "include", f"<{name}>: cJSON stands only in the sources of {' and '.join(CJSON_IN)}")
    if WINDOWS_HEADERS.match(name) and own not in WINDOWS_IN:
        findings.add(file.path, line, "include", f"<{name}>: {own} knows no Windows")
    if base == "assert.h" and not own.startswith("tests/"):
        findings.add(file.path, line, "include", "<assert.h>: HBK_ASSERT holds in release builds too")


def check_includes(findings, root, files):
    headers = {}
    for file in files:
        if file.path.suffix == ".h":
            headers.setdefault(file.path.name, []).append(file.path)
    for file in files:
        own = folder_of(root, file.path)
        if own not in MAY_INCLUDE:
            findings.add(file.path, 1, "include", f"the folder {own or '.'} has no rule in tidy.py")
        for line, name, quoted in file.includes():
            if quoted:
                check_project_include(findings, root, headers, file, line, name)
            else:
                check_system_include(findings, root, file, line, name)


def check_sizes(findings, files, scripts):
    for path in [file.path for file in files] + scripts:
        count = len(path.read_text(encoding="utf-8").splitlines())
        if count > FILE_LINES_MAX:
            findings.add(path, count, "size", f"{count} lines, at most {FILE_LINES_MAX}")
    for file in files:
        for name, first, last in file.functions():
            count = last - first + 1
            if count > FUNCTION_LINES_MAX:
                findings.add(file.path, first, "size",
                             f"{name}() has {count} lines, at most {FUNCTION_LINES_MAX}")


def reason_against(banned, name):
    for key, why in banned.items():
        if name == key or (key.endswith("*") and name in (key[:-1], key[:-1] + "A", key[:-1] + "W")):
            return why
    return None


def check_calls(findings, root, files):
    counts = {}
    for file in files:
        own = folder_of(root, file.path)
        product = own.startswith("service/") or own == "client/lib"
        for line, name in file.calls():
            why = reason_against(BANNED, name)
            if why is None and product:
                why = reason_against(BANNED_IN_PRODUCT, name)
            if why is None and name in ONLY_IN:
                files_allowed, reason = ONLY_IN[name]
                why = None if file.path.relative_to(root).as_posix() in files_allowed else reason
            if why is None and own in ("service/core", "proto/codec"):
                why = reason_against(BANNED_IN_CORE, name)
            if why is not None:
                findings.add(file.path, line, "call", f"{name}(): {why}")
        for line, name in file.identifiers():
            if own.startswith("service/") and name in AT_MOST:
                most, why = AT_MOST[name]
                counts[name] = counts.get(name, 0) + 1
                if counts[name] > most:
                    findings.add(file.path, line, "call", f"{name}, more than {most} times: {why}")


def check_marks(findings, files):
    for file in files:
        for number, text in enumerate(file.text.splitlines(), 1):
            if MARKS.search(text):
                findings.add(file.path, number, "mark", text.strip())


def check_pragmas(findings, files):
    for file in files:
        for match in PRAGMA.finditer(file.bare):
            findings.add(file.path, file.line_of(match.start()), "pragma", "no compiler is told to look away")


def check_tree(root):
    """All findings on the tree at @root, as lines."""
    root = root.resolve()
    findings = Findings(root)
    files, scripts = [], []
    for folder in SCANNED:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".c", ".h"):
                files.append(source.Source(path))
            elif path.suffix in (".py", ".sh", ".cmake"):
                scripts.append(path)
    if not files:
        raise SystemExit(f"tidy: no sources under {root}: is that the project?")
    check_includes(findings, root, files)
    check_sizes(findings, files, scripts)
    check_calls(findings, root, files)
    check_marks(findings, files)
    check_pragmas(findings, files)
    pages.check(findings, root)
    events.check(findings, root)
    return findings.lines, len(files)


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    lines, count = check_tree(Path(sys.argv[1]))
    for line in lines:
        print(line)
    print(f"tidy: {count} sources, {len(lines)} findings")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
