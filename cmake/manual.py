#!/usr/bin/env python3
"""Makes HTML of the manual: a page for each of SOURCE/*.md, and an index of them. cmark-gfm does the work.

    manual.py CMARK_GFM SOURCE OUT
"""
import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

STYLE = """body { font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em; }
code, pre { font: 14px/1.4 monospace; background: #f4f4f4; }
pre { padding: .7em; overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border: 1px solid #ccc; padding: .2em .6em; text-align: left; vertical-align: top; }"""
LINK = re.compile(r"\]\((\w[\w-]*)\.md(#[\w-]+)?\)")
HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>")
# Where in the packages those other pages lie, seen from the manual.
ELSEWHERE = {"../../installer/ADMIN.md": "../../ADMIN.md", "../../proto/PROTOCOL.md": "../PROTOCOL.md"}
NAME = re.compile(r"^## NAME\n+(.+?) - (.+)$", re.MULTILINE)


def anchored(match):
    """A heading with the name that links have for it: hbctl store put is #hbctl-store-put."""
    name = re.sub(r"[^\w -]", "", re.sub("<.*?>", "", match[2])).lower().replace(" ", "-")
    return f'<h{match[1]} id="{name}">{match[2]}</h{match[1]}>'


def rendered(cmark, markdown):
    markdown = LINK.sub(r"](\1.html\2)", markdown)
    for link, place in ELSEWHERE.items():
        markdown = markdown.replace(f"]({link})", f"]({place})")
    body = subprocess.run([cmark, "-e", "table", "--to", "html"], input=markdown, stdout=subprocess.PIPE, text=True,
                          encoding="utf-8", check=True).stdout
    return HEADING.sub(anchored, body)


def whole(title, body):
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
            f"<style>\n{STYLE}\n</style>\n</head>\n<body>\n{body}</body>\n</html>\n")


def index(pages):
    """Markdown: what each page is on, the commands and then the functions."""
    lines = ["# Handle Broker: the manual", ""]
    for title, prefix in (("Commands", "hbctl"), ("Functions", "hbk_")):
        lines += [f"## {title}", "", "| page | |", "| --- | --- |"]
        for stem, text in pages.items():
            name = NAME.search(text)
            if stem.startswith(prefix):
                lines.append(f"| [{name[1]}]({stem}.md) | {name[2]} |")
        lines.append("")
    return "\n".join(lines)


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    cmark, source, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    pages = {path.stem: path.read_text(encoding="utf-8") for path in sorted(source.glob("*.md"))}
    # What is on nothing any more goes too.
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    up = '<p><a href="index.html">Handle Broker: the manual</a></p>\n'
    for stem, text in pages.items():
        (out / f"{stem}.html").write_bytes(whole(stem, up + rendered(cmark, text)).encode())
    (out / "index.html").write_bytes(whole("Handle Broker: the manual", rendered(cmark, index(pages))).encode())


if __name__ == "__main__":
    main()
