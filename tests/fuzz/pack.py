#!/usr/bin/env python3
"""Fuzzer inputs as one text file a target, and back.

    pack.py unpack FOLDER FILE...     each input of each FILE into a file of its own, named by its content
    pack.py pack FILE FOLDER BYTES    the inputs of FOLDER into FILE, the shortest first, until it has BYTES

FILE.inputs has one input a line, in which \\\\, \\n and \\xNN stand for a byte; lines that begin with # are comments,
and stay when a FILE is packed again, with the inputs that follow them until the next empty line: what is kept by
hand. FILE.lines (tests/vectors) has one input a line, as it is. replay.c reads both.
"""
import hashlib
import re
import sys
from pathlib import Path


def unescape(line):
    def byte(match):
        text = match.group(1)
        return b"\\" if text == b"\\" else b"\n" if text == b"n" else bytes([int(text[1:], 16)])

    if re.sub(rb"\\(\\|n|x[0-9a-f]{2})", b"", line).count(b"\\"):
        raise SystemExit(f"pack: no such escape: {line[:80]!r}")
    return re.sub(rb"\\(\\|n|x[0-9a-f]{2})", byte, line)


def escape(data):
    out = bytearray()
    for i, byte in enumerate(data):
        if byte == 0x5C:
            out += b"\\\\"
        elif byte == 0x0A:
            out += b"\\n"
        elif byte < 0x20 or byte > 0x7E or (i == 0 and byte == 0x23):
            out += b"\\x%02x" % byte
        else:
            out.append(byte)
    return bytes(out)


def inputs_of(path):
    lines = path.read_bytes().split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    if path.suffix == ".inputs":
        return [unescape(line) for line in lines if not line.startswith(b"#")]
    return lines


def kept_of(path):
    """What is kept by hand: each comment with what follows it until an empty line."""
    kept, on = [], False
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:
        on = (on or line.startswith(b"#")) and line != b""
        if on:
            kept.append(line)
        elif kept and kept[-1] != b"":
            kept.append(b"")
    return kept if not kept or kept[-1] == b"" else kept + [b""]


def unpack(folder, paths):
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        for data in inputs_of(path):
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(path, folder, most):
    lines = kept_of(path)
    seen = set(lines)
    size = sum(len(line) + 1 for line in lines)
    for data in sorted((file.read_bytes() for file in folder.iterdir()), key=lambda data: (len(data), data)):
        line = escape(data)
        if line in seen or not line:
            continue
        size += len(line) + 1
        if size > most:
            break
        lines.append(line)
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    print(f"{path}: {len(lines)} lines")


def main():
    if len(sys.argv) >= 4 and sys.argv[1] == "unpack":
        unpack(Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
    elif len(sys.argv) == 5 and sys.argv[1] == "pack":
        pack(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
