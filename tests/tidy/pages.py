"""Rules on what is written beside the code: doc comments, man pages, the error table, the methods."""
import json
import re

import json_page
import source

HEADERS = "client/include"
RESULTS = "proto/base/results.def"
MESSAGES = "proto/codec"
PROTOCOL = "proto/PROTOCOL.md"
MAN = "client/man"
CLI = "client/cli"
# Of protocol and core. What the core's files share among themselves alone is described in its header by file.
DOCUMENTED = ("proto/base", "proto/codec", "service/platform", "service/core")
UNDOCUMENTED = {"service/core/internal.h"}

FUNCTION = re.compile(r"^HBK_API\b[^;(]*?\b(hbk_\w+)\s*\(", re.MULTILINE)
PROTOTYPE = re.compile(r"^HBK_API\s+([^;(]*?\b(hbk_\w+)\s*\([^;]*\);)", re.MULTILINE)
RESULT = re.compile(r'^HBK_RESULT\((\w+),\s*(-?\d+),\s*"(\w+)",\s*"([^"]*)"\)', re.MULTILINE)
METHOD = re.compile(r'"((?:session|endpoint|handle|delivery|broker|store|policy|process|object)\.[a-z]+)"')
COMMAND = re.compile(r'HBCTL_COMMAND\(\s*"([a-z -]+)"')


def read(findings, root, name):
    path = root / name
    if not path.is_file():
        findings.add(path, 1, "page", "is missing")
        return None
    return path.read_text(encoding="utf-8")


def check_doc_comments(findings, path, header):
    """The comment that ends right before a declaration begins with its name."""
    for match in FUNCTION.finditer(header):
        name = match.group(1)
        before = header[: match.start()].rstrip()
        start = before.rfind("/**")
        comment = before[start:] if start >= 0 and before.endswith("*/") else ""
        if comment.count("*/") != 1 or not re.match(r"/\*\*[\s*]*" + name + r"\(\) - \S", comment):
            line = header.count("\n", 0, match.start()) + 1
            findings.add(path, line, "doc", f"{name}() has no comment \"{name}() - …\" of its own")


def check_inner_comments(findings, root):
    """The same in the headers of protocol and core."""
    for folder in DOCUMENTED:
        for path in sorted((root / folder).glob("*.h")):
            if path.relative_to(root).as_posix() in UNDOCUMENTED:
                continue
            for name, line, before in source.Source(path).declarations():
                before = before.rstrip()
                comment = before[before.rfind("/*"):] if before.endswith("*/") else ""
                if not re.match(r"/\*\*[\s*]*" + name + r"\(\) - \S", comment):
                    findings.add(path, line, "doc", f"{name}() has no comment \"{name}() - …\" of its own")


def check_man_page(findings, root, name, section, titles, prototype=None):
    """@name: "hbk_send" or "hbctl send"; @titles: sections; @prototype: what SYNOPSIS must say, blanks aside."""
    path = root / MAN / (name.replace(" ", "-") + ".md")
    if not path.is_file():
        findings.add(path, 1, "man", f"there is no page on {name}")
        return
    text = path.read_text(encoding="utf-8")
    if not text.startswith(f"# {name.replace(' ', '-')}({section})\n"):
        findings.add(path, 1, "man", f"does not begin with {name.replace(' ', '-')}({section})")
    if not re.search(r"^## NAME\n+" + name + r" - \S", text, re.MULTILINE):
        findings.add(path, 1, "man", f'has no section NAME with "{name} - …"')
    for title in titles:
        if not re.search(r"^## " + title + r"\n+\S", text, re.MULTILINE):
            findings.add(path, 1, "man", f"has no section {title}")
    if prototype is not None and squeeze(prototype) not in squeeze(text):
        findings.add(path, 1, "man", f"does not have the header's {squeeze(prototype)}")


def squeeze(text):
    return " ".join(text.split()).replace("( ", "(")


def cli_commands(findings, root):
    """The commands of hbctl, from the table in its sources; each line of it ends in what --help prints."""
    found = []
    for path in sorted((root / CLI).glob("*.c")):
        text = path.read_text(encoding="utf-8")
        starts = [match.start() for match in COMMAND.finditer(text)] + [len(text)]
        for start, end in zip(starts, starts[1:]):
            name = COMMAND.match(text, start).group(1)
            found.append(name)
            if not re.search(r'"Examples:\\n"\s*"  hbctl ' + name + r"\b", text[start:end]):
                findings.add(path, text.count("\n", 0, start) + 1, "man", f"hbctl {name} --help has no Examples:")
    return found


def check_json(findings, root, commands):
    """What each command prints with --json is in the schema, and the page says what the schema says."""
    text = read(findings, root, json_page.SCHEMA)
    if text is None:
        return
    schema = json.loads(text)
    told = {name for name in schema["$defs"] if name.startswith("hbctl ")}
    for name in sorted(told ^ commands):
        findings.add(root / json_page.SCHEMA, 1, "man", f"{name}: a command and not here, or here and no command")
    page = root / json_page.PAGE
    if not page.is_file() or page.read_text(encoding="utf-8") != json_page.page_of(schema):
        findings.add(page, 1, "man", "is not what tests/tidy/json_page.py makes of the schema")


def check_man(findings, root, headers):
    functions = {name: text for header in headers for text, name in PROTOTYPE.findall(header)}
    commands = cli_commands(findings, root)
    if not commands:
        findings.add(root / CLI, 1, "man", "no table of commands was found")
    for name, prototype in functions.items():
        check_man_page(findings, root, name, 3, ("SYNOPSIS", "DESCRIPTION"), prototype)
    commands = ["hbctl"] + [f"hbctl {command}" for command in commands]
    for name in commands:
        check_man_page(findings, root, name, 1, ("SYNOPSIS", "DESCRIPTION", "EXAMPLES"))
    check_json(findings, root, set(commands) - {"hbctl"})
    pages = set(functions) | {name.replace(" ", "-") for name in commands} | {"hbctl-json"}
    for path in sorted((root / MAN).glob("*.md")):
        if path.stem not in pages and path.stem != "README":
            findings.add(path, 1, "man", "is on nothing that exists")


def check_error_table(findings, root, results, protocol):
    """Each result has its row: | code | `name` | meaning |."""
    rows = {}
    for line in protocol.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) >= 3 and re.fullmatch(r"`?-?\d+`?", cells[0]):
            rows[int(cells[0].strip("`"))] = (cells[1].strip("`"), cells[2])
    for _, code, name, meaning in RESULT.findall(results):
        row = rows.pop(int(code), None)
        if row is None:
            findings.add(root / PROTOCOL, 1, "table", f"no row for {code} {name}")
        elif row != (name, meaning):
            findings.add(root / PROTOCOL, 1, "table",
                         f"the row of {code} is {row}, results.def says {(name, meaning)}")


    for code, (name, _) in rows.items():
        findings.add(root / PROTOCOL, 1, "table", f"a row for {code} {name}, which is no result")


def check_methods(findings, root, protocol):
    """Each method that the codec knows has a place in the specification."""
    known = set()
    for path in sorted((root / MESSAGES).glob("*.c")):
        known |= set(METHOD.findall(path.read_text(encoding="utf-8")))
    if not known:
        findings.add(root / MESSAGES, 1, "table", "no methods were found")
    for name in sorted(known):
        if f"`{name}`" not in protocol and f'"{name}"' not in protocol:
            findings.add(root / PROTOCOL, 1, "table", f"does not specify {name}")


def check(findings, root):
    check_inner_comments(findings, root)
    headers = {path: path.read_text(encoding="utf-8") for path in sorted((root / HEADERS).glob("*.h"))}
    if not headers:
        findings.add(root / HEADERS, 1, "page", "has no header")
    for path, header in headers.items():
        check_doc_comments(findings, path, header)
    check_man(findings, root, headers.values())
    results, protocol = read(findings, root, RESULTS), read(findings, root, PROTOCOL)
    if results is not None and protocol is not None:
        if not RESULT.search(results):
            findings.add(root / RESULTS, 1, "table", "no results were found")
        check_error_table(findings, root, results, protocol)
        check_methods(findings, root, protocol)
