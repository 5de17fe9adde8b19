#!/usr/bin/env python3
"""Shows that image.py fails when it should: the images that were built have no findings, and each fault that is
planted in a copy of one is found.

    image_selftest.py FOLDER [x86]
"""
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import image  # noqa: E402

X86 = sys.argv[2:] == ["x86"]


def optional(data):
    return struct.unpack_from("<I", data, 0x3C)[0] + 24


def put(data, form, offset, value):
    struct.pack_into(form, data, offset, value)


def clear_flag(bit):
    def plant(data):
        at = optional(data) + 70
        put(data, "<H", at, struct.unpack_from("<H", data, at)[0] & ~bit)
    return plant


def set_section_flags(section, bits):
    def plant(data):
        found = image.Image(bytes(data), X86)
        size = struct.unpack_from("<H", data, optional(data) - 4)[0]
        for i, one in enumerate(found.sections):
            if one[0] == section:
                put(data, "<I", optional(data) + size + 40 * i + 36, one[5] | bits)
                return
        raise SystemExit(f"image_selftest: no section {section}")
    return plant


def clear_directory(index):
    def plant(data):
        put(data, "<Q", image.Image(bytes(data), X86).first_directory + 8 * index, 0)
    return plant


def strip_relocations(data):
    at = optional(data) - 2
    put(data, "<H", at, struct.unpack_from("<H", data, at)[0] | image.RELOCATIONS_STRIPPED)


def other_import(data):
    at = bytes(data).lower().index(b"kernel32.dll\0")
    data[at:at + 8] = b"somebody"


def renumber_resource(number, other):
    def plant(data):
        found = image.Image(bytes(data), X86)
        at = found.offset(found.directory(image.DIRECTORY_RESOURCE))
        for i in range(struct.unpack_from("<H", data, at + 14)[0]):
            if struct.unpack_from("<I", data, at + 16 + 8 * i)[0] == number:
                put(data, "<I", at + 16 + 8 * i, other)
    return plant


def truncate(data):
    del data[300:]


def other_bits(data):
    put(data, "<H", optional(data), image.PE32_PLUS if X86 else image.PE32)


CASES = [
    ("handlebroker.exe", "another DLL", other_import, "somebody.dll, which is not in the list"),
    ("hbctl.exe", "no address randomisation", clear_flag(0x40), "DYNAMIC_BASE is not set"),
    ("hbctl.exe", "little of it", clear_flag(0x20), "HIGH_ENTROPY_VA is not set"),
    ("handlebroker.dll", "executable data", clear_flag(0x100), "NX_COMPAT is not set"),
    ("handlebroker.exe", "relocations said to be gone", strip_relocations, "cannot be moved"),
    ("handlebroker.exe", "relocations that are gone", clear_directory(5), "cannot be moved"),
    ("handlebroker.exe", "code that can be written", set_section_flags(".text", image.WRITE),
     ".text is writable and executable"),
    ("handlebroker.exe", "data that can run", set_section_flags(".data", image.EXECUTE),
     ".data is writable and executable"),
    ("handlebroker.dll", "shared data", set_section_flags(".data", image.SHARED), "shared between processes"),
    ("hbctl.exe", "no resources", clear_directory(2), "no version resource"),
    ("handlebroker.exe", "no version", renumber_resource(16, 10), "no version resource"),
    ("handlebroker.exe", "no messages", renumber_resource(11, 10), "no messages"),
    ("hbctl.exe", "an image for other processors", other_bits, "-bit image"),
    ("hbctl.exe", "half a file", truncate, "hbctl.exe: "),
]


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["x86"]):
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    cases = [case for case in CASES if case[0] in image.shipped(X86)]
    if X86:
        # 32 bits have no room for high entropy.
        cases = [case for case in cases if "HIGH_ENTROPY_VA" not in case[3]]
    failed = 0
    for name, what, plant, expected in cases:
        data = bytearray((folder / name).read_bytes())
        before = image.check(name, bytes(data), X86)
        plant(data)
        found = image.check(name, bytes(data), X86)
        if before or len(found) != 1 or expected not in found[0]:
            print(f"{what}: before {before}, then {found}, not [… {expected} …]")
            failed += 1
    print(f"image_selftest: {len(cases)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
