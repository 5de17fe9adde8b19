#!/usr/bin/env python3
"""Makes a message table of the results and their texts, and the resource script that takes it in.

    message_table.py OUT.bin OUT.rc FILE.def...

Each HBK_RESULT(NAME, number, "word", "text") becomes a message whose id is the number and which is the text, without
an end of line. Message compilers cannot do this: they put a severity and a facility where these numbers have a sign.
"""
import re
import struct
import sys
from pathlib import Path

RESULT = re.compile(r'\bHBK_RESULT\(\s*\w+,\s*(-?\d+),\s*"\w+",\s*"((?:[^"\\]|\\.)*)"\)')
UNICODE = 1


def read(paths):
    """Message id -> text."""
    texts = {}
    for path in paths:
        source = re.sub(r"/\*.*?\*/", "", Path(path).read_text(encoding="utf-8"), flags=re.DOTALL)
        found = RESULT.findall(source)
        if not found or len(found) != source.count("HBK_RESULT("):
            raise SystemExit(f"message_table.py: {path}: not every HBK_RESULT could be read")
        for number, text in found:
            # An escape would be C's here and FormatMessage's there.
            if re.search(r"[\\%]", text) or not text.isascii():
                raise SystemExit(f"message_table.py: {path}: no plain text: {text}")
            if texts.setdefault(int(number) & 0xFFFFFFFF, text) != text:
                raise SystemExit(f"message_table.py: {path}: {number} is there twice")
    return texts


def entry(text):
    data = (text + "\0").encode("utf-16-le")
    data += bytes(-len(data) % 4)
    return struct.pack("<HH", 4 + len(data), UNICODE) + data


def table(texts):
    """MESSAGE_RESOURCE_DATA: a block for each run of ids that follow each other."""
    blocks = []
    for number in sorted(texts):
        if blocks and number == blocks[-1][-1] + 1:
            blocks[-1].append(number)
        else:
            blocks.append([number])
    head, entries = struct.pack("<I", len(blocks)), b""
    for block in blocks:
        head += struct.pack("<III", block[0], block[-1], 4 + 12 * len(blocks) + len(entries))
        entries += b"".join(entry(texts[number]) for number in block)
    return head + entries


def main():
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    binary, script = Path(sys.argv[1]), Path(sys.argv[2])
    binary.write_bytes(table(read(sys.argv[3:])))
    # 9, 1: English of the United States. 11: a message table, as message compilers write it too.
    script.write_text(f'LANGUAGE 9, 1\n1 11 "{binary.as_posix()}"\n', encoding="utf-8")


if __name__ == "__main__":
    main()
