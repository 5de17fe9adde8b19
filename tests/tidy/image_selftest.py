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


def root_entries(data):
    """Number and offset of each entry of the resources' first level."""
    found = image.Image(bytes(data), X86)
    at = found.offset(found.directory(image.DIRECTORY_RESOURCE))
    for i in range(struct.unpack_from("<H", data, at + 14)[0]):
        yield struct.unpack_from("<I", data, at + 16 + 8 * i)[0], at + 16 + 8 * i


def renumber_resource(number, other):
    def plant(data):
        for found, at in root_entries(data):
            if found == number:
                put(data, "<I", at, other)
    return plant


def resource_at(data, kind):
    """Where the bytes of the first resource of its type are in the file."""
    found = image.Image(bytes(data), X86)
    tree = image.resources.Resources(found, found.directory(image.DIRECTORY_RESOURCE))
    return bytes(data).index(next(iter(tree.types[kind].values())))


def other_text(before, after):
    """In the version resource, whose texts are UTF-16."""
    def plant(data):
        start = resource_at(data, image.resources.VERSION)
        at = bytes(data).index((before + "\0").encode("utf-16-le"), start)
        data[at:at + 2 * len(after)] = after.encode("utf-16-le")
    return plant


def other_byte(kind, offset, value):
    def plant(data):
        data[resource_at(data, kind) + offset] = value
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
    ("hbctl.exe", "no resources", clear_directory(2), "no resources"),
    ("handlebroker.exe", "no version", renumber_resource(16, 10), "no version resource"),
    ("hbctl.exe", "the version of another", other_text("hbctl.exe", "other.exe"), "OriginalFilename is 'other.exe'"),
    ("handlebroker.dll", "a description of another", other_text("Handle Broker client library", "Xandle"),
     "FileDescription is 'Xandle Broker"),
    ("hbctl.exe", "another company", other_text("The Handle Broker authors", "X"), "CompanyName is 'Xhe"),
    ("hbctl.exe", "another copyright", other_text("Copyright (c) 2026 The Handle Broker authors", "X"),
     "LegalCopyright is 'Xopy"),
    # 40: the fixed part, behind the head and "VS_VERSION_INFO"; 8 and 16: the file's and the product's version.
    ("hbctl.exe", "another file version", other_byte(16, 40 + 8, 7), "version in numbers is (0, 7, 0, 0)"),
    ("hbctl.exe", "another product version", other_byte(16, 40 + 16, 7), "version in numbers is (0, 7, 0, 0)"),
    ("handlebroker.dll", "a DLL that says it is a program", other_byte(16, 40 + 36, 1), "another kind"),
    ("handlebroker.dll", "no icon", renumber_resource(14, 13), "no icon"),
    ("hbctl.exe", "another icon", other_byte(3, 40, 7), "not that of handlebroker.ico"),
    ("hbctl.exe", "another size", other_byte(14, 6, 24), "icon has the sizes [24, 32, 48, 256]"),
    ("handlebroker.exe", "no messages", renumber_resource(11, 10), "no messages"),
    ("handlebroker.dll", "no messages", renumber_resource(11, 10), "no messages"),
    # The first block is 0 to 16.
    ("hbctl.exe", "one message fewer", other_byte(11, 8, 15), "nobody knows: [16]"),
    ("handlebroker.exe", "another first event", other_byte(11, 4, 99), "nobody knows: [1073741923]"),
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
