#!/usr/bin/env python3
"""Writes client/man/hbctl-json.md: what client/man/hbctl.schema.json says, for people.

    json_page.py ROOT            rewrites the page; tidy.py finds one that is not up to date
"""
import json
import sys
from pathlib import Path

SCHEMA = "client/man/hbctl.schema.json"
PAGE = "client/man/hbctl-json.md"

HEAD = """# hbctl-json(1)

## NAME

hbctl-json - what the commands of hbctl print with --json

## SYNOPSIS

```
hbctl COMMAND --json
```

## DESCRIPTION

With `--json` a line of standard output is one object, and what it has in it is told below by command. Where a command fails, standard
error has an object [error](#error), and standard output what came before that; where something is only worth knowing, a
[notice](#notice). Nothing else is printed, and nobody is asked: `hbctl receive --ask` and `hbctl send --revocable` read the answer
all the same. Numbers are integers up to 9007199254740991 unless a row says otherwise; texts are UTF-8, not cut, and may hold
any character that JSON can, so a program that shows them on a console has to take care.

`hbctl.schema.json`, beside this page, says the same as a JSON Schema (2020-12).

What may change in a later version: objects may get more keys, texts whose words are not told here or are told as "such as" may
get other words, and a command may print more kinds of objects. So a reader passes over what it does not know. No key is
removed or renamed, or changes its type or its meaning, without a change of the major version. `detail`, `why` and `rule` are
for people, and their words may change at any time.
"""
TAIL = """
## EXAMPLES

```bat
hbctl status --json
hbctl watch --json --count 100 > records.jsonl
```

## SEE ALSO

[hbctl](hbctl.md)
"""


def type_of(schema):
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return name if name == "number" else f"[{name}](#{name})"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    name = schema["type"]
    if isinstance(name, list):
        return " or ".join(name)
    if name == "array":
        items = schema["items"]
        return "array of " + (f"{type_of(items)}" if "properties" not in items else "objects")
    return {"string": "text", "integer": "number", "number": "decimal", "boolean": "true, false"}.get(name, name)


def rows(schema, prefix=""):
    """One for each key, those inside of others behind them."""
    for key, value in schema["properties"].items():
        inner, mark = value, ""
        if value.get("type") == "array":
            inner, mark = value["items"], "[]"
        optional = "" if key in schema["required"] else "maybe"
        yield f"`{prefix}{key}`", type_of(value).replace("string", "text"), optional, value.get("description", "")
        if "properties" in inner:
            yield from rows(inner, f"{prefix}{key}{mark}.")


def table(schema):
    lines = []
    if schema.get("description"):
        lines += [schema["description"], ""]
    lines += ["| key | what | | meaning |", "| --- | --- | --- | --- |"]
    lines += ["| " + " | ".join(row) + " |" for row in rows(schema)]
    return lines


def page_of(schema):
    """The page's text."""
    lines = ["", "\"maybe\" marks a key that is absent where its row says so, or where there is nothing to say."]
    for name, definition in schema["$defs"].items():
        if name == "number":
            continue
        lines += ["", f"### {name}", ""]
        kinds = definition.get("oneOf", [definition])
        for index, kind in enumerate(kinds):
            lines += ([""] if index > 0 else []) + table(kind)
    return HEAD + "\n".join(lines) + "\n" + TAIL


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = Path(sys.argv[1])
    schema = json.loads((root / SCHEMA).read_text(encoding="utf-8"))
    (root / PAGE).write_text(page_of(schema), encoding="utf-8")


if __name__ == "__main__":
    main()
