#!/usr/bin/env python3
"""Runs every command of hbctl with --json against the service, and compares what it prints to the schema.

    hbctl_json.py WINE HBCTL SCHEMA

Each line must be what the schema has under the command's name, errors and notices too, with no key that the
schema does not know. And the schema must be able to refuse: each object that passed is changed, by a key more, by
each key that must be there less, and by another type for each, and must not pass then. Every command, and each kind of object that it
may print, must have been seen."""
import copy
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jsonschema

RUN_S, STEP_S = 60, 0.2
NAME = "user/test/json"


def strict(schema):
    """The same for this version alone: no keys but those that are told."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: strict(value) for key, value in schema.items()}
    if "properties" in out:
        out.setdefault("additionalProperties", False)
    return out


class Checker:
    def __init__(self, schema):
        jsonschema.Draft202012Validator.check_schema(schema)
        self.schema = strict(schema)
        self.seen = set()
        self.objects = 0

    def validator(self, definition):
        return jsonschema.Draft202012Validator({**definition, "$defs": self.schema["$defs"]})

    def kinds(self, name):
        definition = self.schema["$defs"][name]
        return definition.get("oneOf", [definition])

    def check(self, name, line):
        """@line is one of the kinds of object that @name has; it becomes seen."""
        value = json.loads(line)
        matching = [index for index, kind in enumerate(self.kinds(name)) if self.validator(kind).is_valid(value)]
        if len(matching) != 1:
            errors = [error.message for kind in self.kinds(name) for error in self.validator(kind).iter_errors(value)]
            sys.exit(f"{name}: {line}\nis not as the schema has it: {errors}")
        self.seen.add((name, matching[0]))
        self.objects += 1
        self.check_refusals(name, value)
        return value

    def check_refusals(self, name, value):
        validator = self.validator({"$ref": f"#/$defs/{name}"})
        required = set.intersection(*[set(kind["required"]) for kind in self.kinds(name)])
        for changed in changes(value, required):
            if validator.is_valid(changed):
                sys.exit(f"{name}: the schema takes {changed}, which is not {value}")

    def unseen(self):
        return [f"{name} (kind {index})" for name in self.schema["$defs"]
                if name.startswith("hbctl ") or name in ("error", "notice")
                for index in range(len(self.kinds(name))) if (name, index) not in self.seen]


def changes(value, required):
    """@value with something wrong at its outermost level."""
    yield {**value, "surplus": 1}
    for key in value:
        if key in required:
            yield {other: value[other] for other in value if other != key}
        changed = copy.copy(value)
        changed[key] = [value[key]]
        yield changed


class Running:
    """One hbctl, with its output in files."""

    def __init__(self, tool, command, arguments, stdin):
        self.tool, self.command, self.arguments = tool, command, arguments
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        line = [tool.wine, tool.hbctl, *command.split(), *arguments, "--json"]
        self.process = subprocess.Popen(line, stdin=stdin, stdout=self.out, stderr=self.err)

    def text(self, file):
        file.seek(0)
        return file.read().decode("utf-8")

    def line(self, index=0):
        """The line @index of its output, as soon as it is there, while it runs."""
        for _ in range(int(RUN_S / STEP_S)):
            lines = self.text(self.out).split("\n")
            if len(lines) > index + 1:
                return json.loads(lines[index])
            time.sleep(STEP_S)
        sys.exit(f"hbctl {self.command} prints nothing: {self.text(self.err)}")

    def end(self, code=0):
        """Its objects, on both streams, once all of them were checked."""
        got = self.process.wait(RUN_S)
        out, err = self.text(self.out), self.text(self.err)
        if got != code:
            sys.exit(f"hbctl {self.command} {self.arguments}: exit code {got}, not {code}\n{out}\n{err}")
        objects = [self.tool.checker.check(f"hbctl {self.command}", line) for line in out.splitlines()]
        for line in err.splitlines():
            kind = "notice" if line.startswith('{"notice"') else "error"
            value = self.tool.checker.check(kind, line)
            if kind == "error" and value["error"]["exit_code"] != code:
                sys.exit(f"hbctl {self.command}: exit code {code}, and yet {line}")
        if code != 0 and not err and self.command not in ("explain", "check-config"):
            sys.exit(f"hbctl {self.command} fails, and does not say why")
        return objects


class Tool:
    def __init__(self, wine, hbctl, checker):
        self.wine, self.hbctl, self.checker = wine, hbctl, checker

    def start(self, command, *arguments, stdin=subprocess.DEVNULL):
        return Running(self, command, arguments, stdin)

    def run(self, command, *arguments, code=0):
        return self.start(command, *arguments).end(code)


def windows(path):
    return "Z:" + str(path).replace("/", "\\")


def look(tool):
    for command in ("status", "endpoints", "sessions", "metrics", "deliveries", "store list", "graph"):
        tool.run(command)
    tool.run("explain", "open", NAME)
    tool.run("explain", "open", "global/x", code=1)
    tool.run("bench", "--count", "20")


def hand_over(tool, file):
    receiver = tool.start("receive", NAME, "--timeout", "60000")
    tool.run("send", NAME, "--file", file, "--wait", "30000", "--data", "a \"word\"", "--access", "read")
    receiver.end()
    with tempfile.TemporaryFile() as yes:
        yes.write(b"y\n")
        yes.seek(0)
        receiver = tool.start("receive", NAME, "--ask", "--timeout", "60000", stdin=yes)
        tool.run("send", NAME, "--file", file, "--wait", "30000", "--timeout", "30000")
        offer, delivery = receiver.end()
        assert "offer" in offer and "delivery" in delivery
    # Too late an answer.
    receiver = tool.start("receive", NAME, "--ask", "--timeout", "60000", stdin=subprocess.PIPE)
    tool.run("send", NAME, "--file", file, "--wait", "30000", "--timeout", "300", code=4)
    receiver.process.stdin.write(b"y\n")
    receiver.process.stdin.close()
    receiver.end()


def take_back(tool, file):
    """By its sender, and by an administrator; and a handle out of the receiver while it has it."""
    with tempfile.TemporaryFile() as enter:
        enter.write(b"\n")
        enter.seek(0)
        receiver = tool.start("receive", NAME, "--revocable", "--timeout", "60000")
        tool.start("send", NAME, "--file", file, "--wait", "30000", "--revocable", stdin=enter).end()
        receiver.end()
    receiver = tool.start("receive", NAME, "--revocable", "--timeout", "60000")
    sender = tool.start("send", NAME, "--file", file, "--wait", "30000", "--revocable", stdin=subprocess.PIPE)
    sent, received = sender.line(), receiver.line()
    entries = tool.run("deliveries")[0]["deliveries"]
    entry = next(entry for entry in entries if entry["delivery"] == sent["delivery"])
    pid, handle = str(entry["to"]["pid"]), str(received["items"][0]["handle"])
    assert handle in [str(one["handle"]) for one in tool.run("handles", pid)[0]["handles"]]
    assert pid in [str(one["pid"]) for one in tool.run("holders", pid, handle)[0]["holders"]]
    tool.run("transfer", "--from", pid, "--handle", handle)
    tool.run("graph")
    tool.run("revoke", str(sent["delivery"]))
    sender.process.stdin.close()
    sender.end()
    receiver.end()


def store(tool, file):
    tool.run("store put", NAME, "--file", file)
    put = tool.run("store put", "--ticket", "--file", file, "--ttl", "60000", "--data", "it")[0]
    tool.run("store list")
    tool.run("store get", NAME, "--access", "read")
    tool.run("store get", "--ticket", put["ticket"])
    tool.run("store remove", NAME)


def configuration(tool, folder):
    good, bad = folder / "good.json", folder / "bad.json"
    good.write_text('{"limits": {"hello_ms": 5000}}')
    bad.write_text('{"limits": {"hello_ms": 1}, "rules": [{"name": "x", "send": "O:BA"}]}')
    tool.run("check-config", windows(good))
    tool.run("check-config", windows(bad), code=1)
    tool.run("check-config", windows(folder / "none.json"), code=2)


def failures(tool, file):
    tool.run("store get", NAME, code=1)
    tool.run("send", NAME, "--file", file, code=1)
    tool.run("send", NAME, "--file", file, "--wait", "soon", code=2)
    tool.run("receive", NAME, "--timeout", "100", code=4)
    tool.run("status", "--pipe", "no-such-pipe", "--unverified", code=3)
    for command in ("revoke", "transfer", "handles", "holders"):
        tool.run(command, code=2)
    tool.run("watch", "--timeout", "1", "--count", "many", code=2)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    schema = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    checker = Checker(schema)
    tool = Tool(sys.argv[1], sys.argv[2], checker)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "file").write_text("what is handed over\n")
        file = windows(folder / "file")
        watcher = tool.start("watch", "--count", "12", "--timeout", "60000")
        look(tool)
        hand_over(tool, file)
        take_back(tool, file)
        store(tool, file)
        configuration(tool, folder)
        failures(tool, file)
        assert len(watcher.end()) == 12
    if checker.unseen():
        sys.exit(f"never seen: {', '.join(checker.unseen())}")
    print(f"{checker.objects} objects are as the schema has them")


if __name__ == "__main__":
    main()
