#!/usr/bin/env python3
"""Checks what the linker made: the executables and the DLL that are shipped.

    image.py FOLDER          FOLDER/handlebroker.exe, hbctl.exe and handlebroker.dll; exits 1 on any finding
    image.py FOLDER x86      the same of 32 bits, but for the service, of which there is none

Each imports from the DLLs that are named here and no others, may be moved anywhere in memory, has no page
that is writable and executable, and has its version, the icon and its messages. image_selftest.py plants each
violation.
"""
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
import resources  # noqa: E402

# DLL -> what for. One more is one more thing that is loaded into a process of SYSTEM.
SYSTEM = {
    "kernel32.dll": "processes, handles, pipes",
    "advapi32.dll": "tokens, descriptors, the Service Control Manager, the event log",
}
C_LIBRARY = {"msvcrt.dll": "the C library of builds by mingw; Microsoft's is linked in"}
SERVICE = {
    "ntdll.dll": "NtQueryObject",
    "bcrypt.dll": "random numbers, SHA-256",
    "ws2_32.dll": "what a target makes its socket from; libuv's start-up",
    "crypt32.dll": "base64 of that",
    "userenv.dll": "the folder of the machine's program data",
    # Of libuv, whose parts come with each other; none of it is called but for the loop, timers and workers.
    "iphlpapi.dll": "libuv: uv_interface_addresses()",
    "user32.dll": "libuv: terminals",
    "shell32.dll": "libuv: the folders of a user",
    "ole32.dll": "libuv: frees what the one above returns",
    "dbghelp.dll": "libuv: the dump that uv_kill() can ask for",
}
SHIPPED = {
    "handlebroker.exe": SYSTEM | C_LIBRARY | SERVICE,
    # It reads a configuration file by the service's own code.
    "hbctl.exe": SYSTEM | C_LIBRARY | {"ntdll.dll": "NtQueryObject"},
    "handlebroker.dll": SYSTEM | C_LIBRARY,
}

PE32, PE32_PLUS = 0x10B, 0x20B
HIGH_ENTROPY_VA = 0x20
FLAGS = {0x20: "HIGH_ENTROPY_VA", 0x40: "DYNAMIC_BASE", 0x100: "NX_COMPAT"}
RELOCATIONS_STRIPPED = 0x1
EXECUTE, WRITE, SHARED = 0x20000000, 0x80000000, 0x10000000
DIRECTORY_IMPORT, DIRECTORY_RESOURCE, DIRECTORY_RELOCATION, DIRECTORY_DELAYED = 1, 2, 5, 13


class Image:
    """As much of a PE file as is looked at here."""

    def __init__(self, data, x86=False):
        self.data = data
        if data[:2] != b"MZ":
            raise ValueError("no executable")
        header = self.u32(0x3C)
        if data[header:header + 4] != b"PE\0\0":
            raise ValueError("no PE image")
        sections = self.u16(header + 6)
        optional_size = self.u16(header + 20)
        self.characteristics = self.u16(header + 22)
        optional = header + 24
        if self.u16(optional) != (PE32 if x86 else PE32_PLUS):
            raise ValueError(f"no {32 if x86 else 64}-bit image")
        self.flags = self.u16(optional + 70)
        self.first_directory = optional + (96 if x86 else 112)
        self.directories = [struct.unpack_from("<II", data, self.first_directory + 8 * i)
                            for i in range(self.u32(self.first_directory - 4))]
        self.sections = []  # name, address, size, file offset, file size, flags
        for i in range(sections):
            at = optional + optional_size + 40 * i
            name = data[at:at + 8].rstrip(b"\0").decode("ascii", "replace")
            size, address, raw_size, raw = struct.unpack_from("<4I", data, at + 8)
            self.sections.append((name, address, max(size, raw_size), raw, raw_size, self.u32(at + 36)))

    def u16(self, offset):
        return struct.unpack_from("<H", self.data, offset)[0]

    def u32(self, offset):
        return struct.unpack_from("<I", self.data, offset)[0]

    def offset(self, address):
        for _, start, _, raw, raw_size, _ in self.sections:
            if start <= address < start + raw_size:
                return address - start + raw
        raise ValueError(f"address {address:#x} is in no section")

    def directory(self, index):
        """Address of a directory, or 0."""
        return self.directories[index][0] if index < len(self.directories) else 0

    def imports(self):
        names = []
        for index, size, name in ((DIRECTORY_IMPORT, 20, 12), (DIRECTORY_DELAYED, 32, 4)):
            if not self.directory(index):
                continue
            at = self.offset(self.directory(index))
            while self.u32(at + name):
                start = self.offset(self.u32(at + name))
                names.append(self.data[start:self.data.index(b"\0", start)].decode("ascii").lower())
                at += size
        return names


def shipped(x86):
    return {name: imports for name, imports in SHIPPED.items() if not x86 or name != "handlebroker.exe"}


def check(name, data, x86=False):
    """All findings on the image @data, which is shipped as @name."""
    try:
        image = Image(data, x86)
        imports, findings = image.imports(), resources.check(name, image, image.directory(DIRECTORY_RESOURCE))
    except (ValueError, struct.error) as error:
        return [f"{name}: {error}"]
    for dll in imports:
        if dll not in SHIPPED[name]:
            findings.append(f"{name}: imports from {dll}, which is not in the list")
    for bit, flag in FLAGS.items():
        if not image.flags & bit and not (x86 and bit == HIGH_ENTROPY_VA):
            findings.append(f"{name}: {flag} is not set")
    if image.characteristics & RELOCATIONS_STRIPPED or not image.directory(DIRECTORY_RELOCATION):
        findings.append(f"{name}: has no relocations, so it cannot be moved")
    for section, _, _, _, _, flags in image.sections:
        if flags & EXECUTE and flags & WRITE:
            findings.append(f"{name}: section {section} is writable and executable")
        if flags & SHARED and flags & WRITE:
            findings.append(f"{name}: section {section} is writable and shared between processes")
    return findings


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["x86"]):
        raise SystemExit(__doc__)
    findings = []
    x86 = sys.argv[2:] == ["x86"]
    for name in shipped(x86):
        findings += check(name, (Path(sys.argv[1]) / name).read_bytes(), x86)
    for line in findings:
        print(line)
    print(f"image: {len(shipped(x86))} images, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
