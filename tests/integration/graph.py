#!/usr/bin/env python3
"""Compares the three documents that hbctl graph makes of the same.

    graph.py JSON PAGE SVG    the page is well-formed, loads nothing and has no script; it and the drawing that Graphviz has
                              made of DOT have each node and each edge of JSON, and no others
    graph.py --hostile        prints records whose texts are anything but harmless
    graph.py --large          prints records of 300 processes
"""
import json
import re
import sys
import xml.etree.ElementTree as xml
from collections import Counter

HOSTILE = [
    "<script>alert(1)</script>", "\"];evil->nodes;[x=\"", "back\\", "\\N\\\"", "a\nb\rc\x1b[2J\x7f", "]]></style></title>",
    "&lt;&amp;", "\u202etfel", "' onload='x", "%n%s${x}", "日本語", "-->", "gr\u00fc\u00df \U0001f600", "\u2028x\ufffe",
]


def fail(text):
    raise SystemExit(f"graph.py: {text}")


def clean(text):
    """As documents have it: without what would steer them."""
    def one(character):
        code = ord(character)
        steers = (code < 0x20 or 0x7F <= code < 0xA0 or 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE
                  or code in (0x61C, 0x200E, 0x200F, 0x2028, 0x2029) or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069)
        return "\ufffd" if steers else character
    return "".join(map(one, text))


def title(node):
    if node["kind"] == "process":
        return clean(node["client"]) if node["client"] else f"process {node['pid']}"
    if node["name"]:
        return clean(node["name"])
    return f"ticket, entry {node['entry']}" if "entry" in node else "tickets"


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def check_harmless(page):
    for element in page.iter():
        if local(element) in ("script", "link", "iframe", "object", "embed", "img", "image", "base", "form", "foreignObject"):
            fail(f"<{local(element)}> in the page")
        for key, value in element.attrib.items():
            if key.startswith("on") or key.rsplit("}", 1)[-1] in ("href", "src", "srcset", "action"):
                fail(f"{key}={value!r} in the page")
    text = xml.tostring(page, encoding="unicode")
    if "://" in text or "@import" in text or re.search(r"url\((?!#)", text):
        fail("the page refers to something outside of it")


def cells(page, table):
    return [["".join(cell.itertext()) for cell in row.iter("td")] for row in page.iterfind(f".//table[@id='{table}']/tbody/tr")]


def check_page(graph, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not text.startswith("<!DOCTYPE html>\n"):
        fail("the page does not begin with its type")
    try:
        page = xml.fromstring(text.split("\n", 1)[1])
    except xml.ParseError as error:
        fail(f"the page is not well-formed: {error}")
    check_harmless(page)
    titles = {node["id"]: title(node) for node in graph["nodes"]}
    drawn = {element.get("id"): element for element in page.iter("g") if element.get("class", "").startswith("node ")}
    if set(drawn) != set(titles):
        fail(f"the page draws {sorted(drawn)}, not {sorted(titles)}")
    boxes = []
    picture = page.find(".//svg[@class='picture']")
    for node in graph["nodes"]:
        card = drawn[node["id"]]
        if titles[node["id"]] not in card.findtext("title"):
            fail(f"{titles[node['id']]!r} is not the title of {node['id']}: {card.findtext('title')!r}")
        boxes.append([float(card.find("svg").get(key)) for key in ("x", "y", "width", "height")])
    for at, (x, y, width, height) in enumerate(boxes):
        if x < 0 or y < 0 or x + width > float(picture.get("width")) or y + height > float(picture.get("height")):
            fail("a card is outside of the picture")
        for other in boxes[:at]:
            if x < other[0] + other[2] and other[0] < x + width and y < other[1] + other[3] and other[1] < y + height:
                fail("one card is over another")
    for label in (rect for rect in picture.iter("rect") if rect.get("class") == "behind"):
        x, y, width, height = (float(label.get(key)) for key in ("x", "y", "width", "height"))
        for other in boxes:
            if x < other[0] + other[2] and other[0] < x + width and y < other[1] + other[3] and other[1] < y + height:
                fail(f"a label is over a card: {label.attrib}, {other}")
    pairs = {(edge["from"], edge["to"], edge["outcome"], edge["how"] == "revoke") for edge in graph["edges"]}
    lines = [g for g in page.find(".//svg[@class='picture']").iter("g") if g.get("class", "").startswith("link ")]
    if len(lines) != len(pairs):
        fail(f"the page draws {len(lines)} lines, not {len(pairs)}")
    nodes = {node["id"]: node for node in graph["nodes"]}
    def end(number):
        node = nodes[number]
        return titles[number] + (f" ({node['pid']})" if node["kind"] == "process" and node["client"] else "")
    wanted = Counter((end(edge["from"]), end(edge["to"]), edge["how"], clean(edge["name"] or "-"),
                      clean(edge.get("error") or edge.get("state") or edge["outcome"]), str(edge["count"]),
                      str(edge["handles"])) for edge in graph["edges"])
    found = Counter(tuple(row[:7]) for row in cells(page, "edges"))
    if wanted != found:
        fail(f"the table of edges has {found - wanted} too many, and lacks {wanted - found}")
    if Counter(titles.values()) != Counter(row[1] for row in cells(page, "nodes")):
        fail("the table of nodes is not that of JSON")


def check_drawing(graph, path):
    drawing = xml.parse(path).getroot()
    kinds = Counter(element.get("class") for element in drawing.iter() if local(element) == "g")
    if kinds["node"] != len(graph["nodes"]) or kinds["edge"] != len(graph["edges"]):
        fail(f"Graphviz has drawn {kinds['node']} nodes and {kinds['edge']} edges, "
             f"not {len(graph['nodes'])} and {len(graph['edges'])}")
    texts = {"".join(element.itertext()).replace("\xa0", " ") for element in drawing.iter() if local(element) == "text"}
    for node in graph["nodes"]:
        wanted = title(node)
        if len(wanted) <= 16 and wanted.replace("\xa0", " ") not in texts:
            fail(f"Graphviz has not drawn {wanted!r}: {sorted(texts)}")


def record(serial, source, target, **more):
    return json.dumps({"serial": serial, "time_ms": 1700000000000 + serial, "event": "handle.send", "outcome": "done",
                       "caller": {"pid": source, "user": "S-1-5-19"}, "target": {"pid": target, "user": "S-1-5-19"},
                       "endpoint": "user/a", **more}, separators=(",", ":"))


def print_hostile():
    serial = 0
    for at, text in enumerate(HOSTILE):
        other = HOSTILE[(at + 1) % len(HOSTILE)]
        for event in ("handle.send", "store.put", "store.get", "handle.transfer", "delivery.revoke"):
            serial += 1
            print(record(serial, 4 + 4 * at, 8 + 4 * at, event=event, outcome="refused" if at % 3 == 0 else "done",
                         error=other, items=[{"type": text, "access": 2}]))
    print(record(serial + 1, 4, 4))


def print_large():
    for serial in range(1, 601):
        source, target = serial * 7 % 300, serial * 13 % 300 if serial % 3 == 0 else (serial * 7 + serial % 5) % 300
        print(record(serial, 4 + 4 * source, 4 + 4 * target, endpoint=f"user/a/rather/long/name/{serial % 4}",
                     items=[{"type": "Section", "access": 4}, {"type": "Semaphore", "access": 2}]))


def main():
    if sys.argv[1:] == ["--hostile"]:
        print_hostile()
    elif sys.argv[1:] == ["--large"]:
        print_large()
    elif len(sys.argv) == 4:
        with open(sys.argv[1], encoding="utf-8") as file:
            graph = json.load(file)
        check_page(graph, sys.argv[2])
        check_drawing(graph, sys.argv[3])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
