#!/usr/bin/env python3
"""The manual as it is shipped: a page for each of the sources, links that lead somewhere, and nothing from elsewhere.

    manual.py SOURCE SHIPPED     then plants each fault in a copy, and wants it found
"""
import re
import shutil
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

# What makes a browser fetch something, or run something.
FETCHING = {"src", "srcset", "data", "poster", "background", "action"}
TAGS = {"script", "iframe", "object", "embed", "link", "base", "form"}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.names, self.tags, self.foreign = [], set(), {}, []
        self.feed(text)
        if re.search(r"url\(|@import", text):
            self.foreign.append("a style from elsewhere")

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.names |= {value for name, value in attrs if name == "id"}
        self.links += [value for name, value in attrs if tag == "a" and name == "href"]
        self.foreign += [f"<{tag}>"] if tag in TAGS else []
        self.foreign += [f"{name}={value}" for name, value in attrs if name in FETCHING or name.startswith("on")]


def tables(markdown):
    return len(re.findall(r"^\|(?: ?-+ ?\|)+$", markdown, re.MULTILINE))


def leads(pages, shipped, name, link):
    """Whether @link of the page @name leads to a place in another, or to a file of the packages."""
    target, _, place = link.partition("#")
    if re.fullmatch(r"[\w-]+\.html", target) or not target:
        page = pages.get(target.removesuffix(".html") if target else name)
        return page is not None and (not place or place in page.names)
    return re.fullmatch(r"(\.\./)*[\w.-]+", target) is not None and (shipped / target).is_file() and not place


def check(source, shipped):
    """What is wrong, a line each."""
    wrong = []
    markdown = {path.stem: path.read_text(encoding="utf-8") for path in source.glob("*.md")}
    pages = {path.stem: Page(path.read_text(encoding="utf-8")) for path in shipped.glob("*.html")}
    wrong += [f"{name}: is not shipped" for name in sorted({*markdown, "index"} - set(pages))]
    wrong += [f"{name}: is on nothing" for name in sorted(set(pages) - {*markdown, "index"})]
    for name, page in pages.items():
        for link in page.links:
            if not leads(pages, shipped, name, link):
                wrong.append(f"{name}: leads to {link}")
        wrong += [f"{name}: takes {what} from elsewhere" for what in page.foreign]
        if name in markdown and page.tags.get("table", 0) != tables(markdown[name]):
            wrong.append(f"{name}: has another number of tables")
        if name in markdown and "index.html" not in page.links:
            wrong.append(f"{name}: does not lead to the index")
    listed = {link.removesuffix(".html") for link in pages["index"].links} if "index" in pages else set()
    wrong += [f"index: does not list {name}" for name in sorted(set(markdown) - listed)]
    return wrong


# A file, what is put in the place of what, and what is then wrong; None in the place of all: the file is gone.
PLANTED = (
    ("hbk_send.html", None, None, "hbk_send: is not shipped"),
    ("index.html", None, None, "index: is not shipped"),
    ("hbk_gone.html", "", "<p>", "hbk_gone: is on nothing"),
    ("hbk_send.html", "hbk_receive.html", "hbk_opened.html", "leads to hbk_opened.html"),
    ("hbk_send.html", "hbk_receive.html", "hbk_open.md", "leads to hbk_open.md"),
    ("hbk_send.html", "hbk_receive.html", "https://example.org/", "leads to https://example.org/"),
    ("hbctl-send.html", "hbctl-json.html#hbctl-send", "hbctl-json.html#sent", "leads to hbctl-json.html#sent"),
    ("hbctl-check-config.html", "../../ADMIN.md", "../ADMIN.md", "leads to ../ADMIN.md"),
    ("hbctl-json.html", 'href="#party"', 'href="#parties"', "leads to #parties"),
    ("hbk_send.html", "<body>", '<body><img src="x.png">', "src=x.png"),
    ("hbk_send.html", "<body>", "<body><script>x()</script>", "<script>"),
    ("hbk_send.html", "<style>", "<style>body { background: url(x.png) }", "a style"),
    ("hbk_send.html", "<table>", "<div>", "another number of tables"),
    ("hbk_send.html", 'href="index.html"', 'href="hbctl.html"', "does not lead to the index"),
    ("index.html", 'href="hbk_send.html"', 'href="hbk_open.html"', "does not list hbk_send"),
)


def plant(source, shipped):
    for name, old, new, wanted in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "sdk/man"
            shutil.copytree(shipped, copy)
            for beside in ("ADMIN.md", "sdk/PROTOCOL.md"):
                shutil.copy(shipped.parents[1] / beside, Path(folder) / beside)
            if old is None:
                (copy / name).unlink()
            else:
                text = (copy / name).read_text(encoding="utf-8") if old else ""
                assert old in text, f"{name} has no {old}"
                (copy / name).write_text(text.replace(old, new) if old else new, encoding="utf-8")
            wrong = check(source, copy)
            assert any(wanted in line for line in wrong), f"{name}: {new!r} was planted, and not found: {wrong}"


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    source, shipped = Path(sys.argv[1]), Path(sys.argv[2])
    wrong = check(source, shipped)
    if wrong:
        raise SystemExit("\n".join(["manual: FAILED", *wrong]))
    plant(source, shipped)
    print(f"manual: {len(list(shipped.glob('*.html')))} pages, {len(PLANTED)} faults found where they were planted")


if __name__ == "__main__":
    main()
