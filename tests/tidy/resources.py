"""What is looked at of an image's resources: version, icon and messages; and what they are to say."""
import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ICON, MESSAGES, ICON_GROUP, VERSION = 3, 11, 14, 16
ICON_SIZES = (16, 32, 48, 256)
FIXED_INFO = 0xFEEF04BD
VFT_APP, VFT_DLL = 1, 2

DESCRIPTIONS = {
    "handlebroker.exe": "Handle Broker service",
    "hbctl.exe": "Handle Broker command line",
    "handlebroker.dll": "Handle Broker client library",
}


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def expected_strings(name):
    """What the version resource of the file @name says: all of it."""
    version = re.search(r"\n    VERSION ([0-9.]+)\n", text("CMakeLists.txt")).group(1)
    return {
        "CompanyName": "The Handle Broker authors",
        "FileDescription": DESCRIPTIONS[name],
        "FileVersion": version,
        "InternalName": name.partition(".")[0],
        "LegalCopyright": re.search(r"^Copyright .*$", text("LICENSE"), re.MULTILINE).group(0),
        "OriginalFilename": name,
        "ProductName": "Handle Broker",
        "ProductVersion": version,
    }


def expected_messages(name):
    """Ids: of the events with their severities, or of the results."""
    if name == "handlebroker.exe":
        severities = {"Informational": 1, "Warning": 2, "Error": 3}
        found = re.findall(r"^MessageId=(\d+)\nSeverity=(\w+)$", text("installer/handlebroker_messages.mc"),
                           re.MULTILINE)
        return {severities[severity] << 30 | int(number) for number, severity in found}
    both = text("proto/base/results.def") + text("client/lib/own_results.def")
    return {int(number) & 0xFFFFFFFF for number in re.findall(r'^HBK_RESULT\(\w+, (-?\d+), "', both, re.MULTILINE)}


class Resources:
    """The tree of an image's resources: type -> name -> bytes, in the first language; numbered ones alone."""

    def __init__(self, image, directory):
        self.image = image
        self.start = image.offset(directory)
        self.types = {kind: {name: self.leaf(at) for name, at in self.entries(at)}
                      for kind, at in self.entries(self.start)}

    def entries(self, at):
        named, numbered = self.image.u16(at + 12), self.image.u16(at + 14)
        for i in range(named, named + numbered):
            yield self.image.u32(at + 16 + 8 * i), self.start + (self.image.u32(at + 20 + 8 * i) & 0x7FFFFFFF)

    def leaf(self, at):
        _, data = next(self.entries(at))
        offset = self.image.offset(self.image.u32(data))
        return self.image.data[offset:offset + self.image.u32(data + 4)]

    def one(self, kind):
        """The bytes of the only resource of its type, or None."""
        found = self.types.get(kind, {})
        return next(iter(found.values())) if len(found) == 1 else None


def version_blocks(data, at, end):
    """(key, value's offset, value's length, end) of each block of a version resource from @at on."""
    while at + 6 <= end:
        size, value_size, is_text = struct.unpack_from("<HHH", data, at)
        if size < 6:
            raise ValueError("a broken version resource")
        key_end = at + 6
        while data[key_end:key_end + 2] != b"\0\0":
            key_end += 2
        value = (key_end + 2 + 3) & ~3
        yield data[at + 6:key_end].decode("utf-16-le"), value, value_size * (2 if is_text else 1), at + size
        at = (at + size + 3) & ~3


def version(data):
    """The numbers, the kind of the file, and the strings."""
    _, value, size, end = next(version_blocks(data, 0, len(data)))
    fixed = struct.unpack_from("<13I", data, value)
    if fixed[0] != FIXED_INFO:
        raise ValueError("a broken version resource")
    numbers = [tuple(half for word in fixed[i:i + 2] for half in (word >> 16, word & 0xFFFF)) for i in (2, 4)]
    strings = {}
    for key, inner, _, inner_end in version_blocks(data, (value + size + 3) & ~3, end):
        if key != "StringFileInfo":
            continue
        for _, table, _, table_end in version_blocks(data, inner, inner_end):
            for name, at, length, _ in version_blocks(data, table, table_end):
                strings[name] = data[at:at + length].decode("utf-16-le").rstrip("\0")
    return numbers, fixed[9], strings


def check_version(name, resources):
    data = resources.one(VERSION)
    if data is None:
        return [f"{name}: has no version resource"]
    wanted = expected_strings(name)
    numbers, kind, strings = version(data)
    findings = [f"{name}: its {key} is {strings.get(key)!r}, not {wanted.get(key)!r}"
                for key in sorted(wanted.keys() | strings.keys()) if strings.get(key) != wanted.get(key)]
    for numbered in numbers:
        if ".".join(map(str, numbered)) != wanted["FileVersion"] + ".0":
            findings.append(f"{name}: its version in numbers is {numbered}")
    if kind != (VFT_DLL if name.endswith(".dll") else VFT_APP):
        findings.append(f"{name}: its version resource is of a file of another kind")
    return findings


def check_icon(name, resources):
    """The images of installer/handlebroker.ico, which is one of each size."""
    group = resources.one(ICON_GROUP)
    if group is None:
        return [f"{name}: has no icon"]
    file = (ROOT / "installer/handlebroker.ico").read_bytes()
    sizes = []
    for i in range(struct.unpack_from("<H", group, 4)[0]):
        sizes.append(group[6 + 14 * i] or 256)
        number = struct.unpack_from("<H", group, 6 + 14 * i + 12)[0]
        size, at = struct.unpack_from("<II", file, 6 + 16 * i + 8)
        if resources.types.get(ICON, {}).get(number) != file[at:at + size]:
            return [f"{name}: its icon {number} is not that of handlebroker.ico"]
    return [] if tuple(sizes) == ICON_SIZES else [f"{name}: its icon has the sizes {sizes}"]


def check_messages(name, resources):
    data = resources.one(MESSAGES)
    if data is None:
        return [f"{name}: has no messages"]
    ids = set()
    for i in range(struct.unpack_from("<I", data)[0]):
        low, high = struct.unpack_from("<II", data, 4 + 12 * i)
        ids |= set(range(low, high + 1))
    different = sorted(ids ^ expected_messages(name))
    return [f"{name}: messages that are missing, or nobody knows: {different}"] if different else []


def check(name, image, directory):
    """All findings on the resources of @image, which is shipped as @name."""
    if not directory:
        return [f"{name}: has no resources"]
    resources = Resources(image, directory)
    return check_version(name, resources) + check_icon(name, resources) + check_messages(name, resources)
