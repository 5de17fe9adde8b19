#!/usr/bin/env python3
"""ADMIN.md's tables of settings say what the service says of itself: each key, its default and its range.

    settings.py ADMIN.md RUN_SH WINE_PREFIX HANDLEBROKER.EXE

The service is asked with files that have everything wrong: it then names the settings that there are, and the range of
each. Then faults are planted in the page, and each must be found.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SECTIONS = ("limits", "audit", "metrics", "verbs")
INTEGER = r"must be an integer from (\d+) to (\d+)"
TEXT = r"has \d+ bytes; at most (\d+)"
RULES = r"at most (\d+) are taken"
# The defaults that the service does not print: those of who may, and of what there is not.
WORDS = {"rules", "rules[].name", "rules[].open", "rules[].send", "rules[].put", "rules[].get", "rules[].types",
         "rules[].access_max", "verbs.inspect", "verbs.transfer", "verbs.revoke", "audit.file", "metrics.file"}


class Service:
    def __init__(self, run, prefix, program):
        self.command = [run, prefix, program, "--check-config"]
        self.drive = Path(prefix) / "drive_c"

    def check(self, content):
        """All that it says of a file with @content."""
        # Not below a folder that others can write to: it would not be believed.
        with tempfile.NamedTemporaryFile("w", dir=self.drive, suffix=".json", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            done = subprocess.run([*self.command, "C:\\" + Path(file.name).name], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, encoding="utf-8", check=False)
        return done.stdout.replace("\r", "")

    def said(self, content, key, pattern):
        """What it says of @key, by @pattern."""
        match = re.search(rf"line \d+: {re.escape(key)}: .*?{pattern}", self.check(content))
        return None if match is None else match.groups()

    def keys(self):
        sections = self.said({"x": 1}, "x", "write one of: (.*)")[0].split(", ")
        if set(sections) != {*SECTIONS, "rules"}:
            raise SystemExit(f"settings: the service has the sections {sections}, which settings.py does not know")
        found = ["rules"]
        for section in SECTIONS:
            names = self.said({section: {"x": 1}}, f"{section}.x", "write one of: (.*)")[0]
            found += [f"{section}.{name}" for name in names.split(", ")]
        names = self.said({"rules": [{"x": 1}]}, "rules[0].x", "write one of: (.*)")[0]
        return found + [f"rules[].{name}" for name in names.split(", ")]

    def range(self, key):
        """As the page writes it."""
        if key == "rules":
            return f"at most {self.said({'rules': [{}] * 999}, 'rules', RULES)[0]} rules"
        section, _, name = key.rpartition(".")
        if key == "rules[].types":
            types = self.said({"rules": [{"types": {"x": "any"}}]}, "rules[0].types.x", "write one of: (.*)")[0]
            return f"1..{len(types.split(', '))} types"
        if key == "rules[].access_max":
            none = self.said({"rules": [{"access_max": 0}]}, "rules[0].access_max", "(lets nothing through)")
            return "a MASK, not 0" if none else "a MASK"

        def wrong(value):
            return {"rules": [{name: value}]} if section == "rules[]" else {section: {name: value}}
        asked = key.replace("[]", "[0]")
        integer = self.said(wrong(-1), asked, INTEGER)
        if integer:
            return "..".join(integer)
        text = self.said(wrong("x" * 5000), asked, TEXT)
        if text is None:
            raise SystemExit(f"settings: what range has {key}? The service does not say")
        return f"at most {text[0]} bytes"

    def defaults(self):
        text = self.check({"audit": {"file": "C:\\a\\a.jsonl"}, "metrics": {"file": "C:\\a\\m.prom"}})
        found = {f"limits.{name}": value for name, value in re.findall(r"^  (\w+) +(\d+)$", text, re.MULTILINE)}
        audit = re.search(r"begun anew at (\d+) bytes, (\d+) kept", text)
        found["audit.file_bytes"], found["audit.files"] = audit.groups()
        found["metrics.interval_ms"] = re.search(r"every (\d+) ms", text)[1]
        return found


def rows(page):
    """{key: {column: what stands there}} of the tables whose first column is a key; and what is there twice."""
    found, twice, columns, section = {}, [], None, ""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            columns = None
        elif cells[0] in ("key", "key in `limits`"):
            columns, section = cells, "limits." if "limits" in cells[0] else ""
        elif columns and not cells[0].startswith("---"):
            for name in re.findall(r"`([^`]+)`", cells[0]):
                twice += [section + name] if section + name in found else []
                found[section + name] = dict(zip(columns[1:], cells[1:]))
    return found, twice


def check(page, keys, ranges, defaults):
    """What is wrong, a line each."""
    found, twice = rows(page)
    wrong = [f"{key} stands there twice" for key in twice]
    wrong += [f"{key} is missing" for key in keys if key not in found]
    wrong += [f"{key} is no setting" for key in found if key not in keys]
    for key, row in found.items():
        for column in ("default", "range", "danger"):
            if not row.get(column):
                wrong.append(f"{key} has no {column}")
        if key in ranges and row.get("range") != ranges[key]:
            wrong.append(f"{key} has the range {ranges[key]}, not {row.get('range')}")
        if key in defaults and row.get("default") != defaults[key]:
            wrong.append(f"{key} has the default {defaults[key]}, not {row.get('default')}")
    return wrong


PLANTED = (
    ("| `stop_ms` | 5000 |", "| `stop_ms` | 5001 |", "limits.stop_ms has the default 5000"),
    ("| 5 | 1..100 |", "| 6 | 1..100 |", "audit.files has the default 5"),
    ("| 1024 | 1..65536 |", "| 1024 | 1..65535 |", "limits.pins_per_session has the range"),
    ("| none: required | at most 260 bytes |", "| none: required | at most 261 bytes |", "rules[].name has the range"),
    ("| none | at most 256 rules |", "| none | at most 255 rules |", "rules has the range"),
    ("| `metrics.interval_ms` |", "| `metrics.interval` |", "metrics.interval_ms is missing"),
    ("| `metrics.interval_ms` |", "| `metrics.interval` |", "metrics.interval is no setting"),
    ("| `pins` |", "| `requests` |", "limits.requests stands there twice"),
    ("| a long one shows a flood late |", "| |", "metrics.interval_ms has no danger"),
)


def main():
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    page = Path(sys.argv[1]).read_text(encoding="utf-8")
    service = Service(*sys.argv[2:])
    keys, defaults = service.keys(), service.defaults()
    ranges = {key: service.range(key) for key in keys}
    unknown = [key for key in keys if key not in defaults and key not in WORDS]
    if unknown:
        raise SystemExit(f"settings: which default has {unknown}? The service does not say")
    wrong = check(page, keys, ranges, defaults)
    if wrong:
        raise SystemExit("\n".join(["settings: FAILED", *wrong]))
    for old, new, wanted in PLANTED:
        assert old in page, f"the page has no {old!r} to spoil"
        wrong = check(page.replace(old, new, 1), keys, ranges, defaults)
        assert any(wanted in line for line in wrong), f"{new!r} was planted, and not found: {wrong}"
    print(f"settings: {len(keys)}, as the service has them; {len(PLANTED)} faults found where they were planted")


if __name__ == "__main__":
    main()
