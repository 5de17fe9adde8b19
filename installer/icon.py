#!/usr/bin/env python3
"""Draws the icon: a handle, on its way from one process to another.

    icon.py OUT.ico            writes it; handlebroker.ico beside this script is what it wrote last
    icon.py OUT.png SIZE       one size alone, to look at

The built programs take handlebroker.ico, so that a build needs no drawing, and its bytes do not hang on the zlib of
the machine; tests/tidy/icon_drawn.py compares the two by their pixels.
"""
import struct
import sys
import zlib

SIZES = (16, 32, 48, 256)
SAMPLES = 4  # a side of a pixel: what lies on an edge is mixed of so many squared
GIVER, TAKER, HANDLE = (0x2B, 0x57, 0x8F), (0x1F, 0x8A, 0x70), (0xF0, 0x8C, 0x1E)

# All in units of the icon's side, y down.
TOP, RADIUS = 0.42, 0.295  # of the arch: where it becomes straight, and to the middle of the bar
BAR, GAP = 0.075, 0.045    # half the bar's width; what keeps it off what it crosses


def box(x, y, left, top, right, bottom, corner):
    """Distance to a box with round corners; below zero inside."""
    across = abs(x - (left + right) / 2) - (right - left) / 2 + corner
    down = abs(y - (top + bottom) / 2) - (bottom - top) / 2 + corner
    return min(max(across, down), 0) + (max(across, 0) ** 2 + max(down, 0) ** 2) ** 0.5 - corner


def handle(x, y):
    """Distance to the arch with its two feet, of which the right one is the head of an arrow."""
    if y <= TOP:
        arch = abs(((x - 0.5) ** 2 + (y - TOP) ** 2) ** 0.5 - RADIUS) - BAR
    else:
        foot = 0.66 if x < 0.5 else 0.5
        arch = max(abs(abs(x - 0.5) - RADIUS) - BAR, y - foot)
    # Pointing down, from a shoulder at 0.5 to a tip at 0.7.
    head = max(0.5 - y, (abs(x - 0.5 - RADIUS) - (0.7 - y)) * 0.7071)
    return min(arch, head)


def colour(x, y):
    """What there is at a point, or None."""
    distance = handle(x, y)
    if distance <= 0:
        return HANDLE
    if distance <= GAP:
        return None
    if box(x, y, 0.03, 0.54, 0.41, 0.97, 0.08) <= 0:
        return GIVER
    if box(x, y, 0.59, 0.54, 0.97, 0.97, 0.08) <= 0:
        return TAKER
    return None


def pixel(column, row, size):
    """Red, green, blue, alpha."""
    found = [colour((column + (i + 0.5) / SAMPLES) / size, (row + (j + 0.5) / SAMPLES) / size)
             for i in range(SAMPLES) for j in range(SAMPLES)]
    inside = [one for one in found if one is not None]
    if not inside:
        return (0, 0, 0, 0)
    mixed = tuple(round(sum(one[i] for one in inside) / len(inside)) for i in range(3))
    return mixed + (round(255 * len(inside) / len(found)),)


def draw(size):
    return [[pixel(column, row, size) for column in range(size)] for row in range(size)]


def png(rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    raw = b"".join(b"\0" + bytes(value for one in row for value in one) for row in rows)
    head = struct.pack(">IIBBBBB", len(rows), len(rows), 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")


def bitmap(rows):
    """As icons have it: no file header, twice the height, blue first, bottom up, then a mask that is not used."""
    size = len(rows)
    data = struct.pack("<IiiHHIIiiII", 40, size, 2 * size, 1, 32, 0, 0, 0, 0, 0, 0)
    for row in reversed(rows):
        data += b"".join(bytes((blue, green, red, alpha)) for red, green, blue, alpha in row)
    return data + bytes((size + 31) // 32 * 4 * size)


def icon():
    images = [(size, png(draw(size)) if size == 256 else bitmap(draw(size))) for size in SIZES]
    head, at = struct.pack("<HHH", 0, 1, len(images)), 6 + 16 * len(images)
    for size, data in images:
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), at)
        at += len(data)
    return head + b"".join(data for _, data in images)


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    data = icon() if len(sys.argv) == 2 else png(draw(int(sys.argv[2])))
    with open(sys.argv[1], "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
