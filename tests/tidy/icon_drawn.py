#!/usr/bin/env python3
"""installer/handlebroker.ico is what installer/icon.py draws, pixel by pixel; and one pixel that is another shows."""
import struct
import sys
import zlib
from pathlib import Path

INSTALLER = Path(__file__).resolve().parents[2] / "installer"
sys.dont_write_bytecode = True
sys.path.insert(0, str(INSTALLER))
# pylint: disable=wrong-import-position
import icon  # noqa: E402


def read_png(data):
    at, packed, size = 8, b"", 0
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunk = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack_from(">I", chunk)[0]
        elif kind == b"IDAT":
            packed += chunk
        at += 12 + length
    raw = zlib.decompress(packed)
    line = 1 + 4 * size
    assert len(raw) == line * size and not any(raw[::line]), "as icon.py writes it, without filters"
    return [[tuple(raw[line * row + 1 + 4 * i:][:4]) for i in range(size)] for row in range(size)]


def read_bitmap(data):
    size = struct.unpack_from("<i", data, 4)[0]
    rows = []
    for row in range(size):
        line = data[40 + 4 * size * row:][:4 * size]
        rows.insert(0, [(line[i + 2], line[i + 1], line[i], line[i + 3]) for i in range(0, 4 * size, 4)])
    return rows


def read(data):
    """Size -> rows of pixels."""
    images = {}
    for i in range(struct.unpack_from("<H", data, 4)[0]):
        side = data[6 + 16 * i] or 256
        size, at = struct.unpack_from("<II", data, 6 + 16 * i + 8)
        one = data[at:at + size]
        images[side] = read_png(one) if one[:4] == b"\x89PNG" else read_bitmap(one)
    return images


def main():
    data = (INSTALLER / "handlebroker.ico").read_bytes()
    drawn = {size: icon.draw(size) for size in icon.SIZES}
    assert read(data) == drawn, "run installer/icon.py installer/handlebroker.ico"
    spoilt = bytearray(data)
    spoilt[struct.unpack_from("<I", data, 18)[0] + 40 + 4 * 16] ^= 1
    assert read(bytes(spoilt)) != drawn, "a pixel is another, and nobody minds"
    print(f"icon: {len(drawn)} sizes, as they are drawn")


if __name__ == "__main__":
    main()
