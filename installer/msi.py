#!/usr/bin/env python3
"""What wixl leaves to be done on the MSI; build.sh calls it.

    msi.py code VERSION           the product code: each version has its own, and always the same
    msi.py tables SOURCE.wxs OUT  OUT/Environment.idt and OUT/CustomAction.idt, and the rows of InstallExecuteSequence
                                  on standard output: what WiX makes of the elements that wixl does not know
    msi.py seal FILE.msi EPOCH    sets its times to EPOCH, and its package code by what is in it: equal packages then
                                  have equal bytes, and different ones different codes, as Windows Installer wants it
"""
import hashlib
import re
import struct
import sys
import uuid
import xml.etree.ElementTree
from pathlib import Path

NAMESPACE = uuid.UUID("6dde75c8-26db-4f16-be89-7a1ac5d9a441")
WIX = "{http://schemas.microsoft.com/wix/2006/wi}"
# Of the type of a custom action.
EXE_IN_DIRECTORY, IGNORE_RESULT, DEFERRED, NO_IMPERSONATION = 34, 64, 1024, 2048
# What WiX adds for Environment, at the places that Windows' documentation gives them.
ENVIRONMENT_ACTIONS = ("RemoveEnvironmentStrings", 3300), ("WriteEnvironmentStrings", 5200)
# "{F29F85E0-4FF9-1068-AB91-08002B27B3D9}", the properties that every document has.
SUMMARY = uuid.UUID("f29f85e0-4ff9-1068-ab91-08002b27b3d9").bytes_le
PACKAGE_CODE, CREATED, SAVED = 9, 12, 13
VT_LPSTR, VT_FILETIME = 30, 64
SECONDS_TO_1970 = 11644473600


def guid(text):
    return "{" + str(uuid.uuid5(NAMESPACE, text)).upper() + "}"


def attributes(element, *fixed, **wanted):
    """Values of @fixed; the element has those of @wanted as well, and no others."""
    found = dict(element.attrib)
    values = [found.pop(name, None) for name in fixed]
    if found != wanted or None in values:
        raise SystemExit(f"msi.py: {element.tag.replace(WIX, '')} {element.get('Id')}: not as is known here: {found}")
    return values


def environment_rows(root):
    """'=' sets it at installation, '-' takes it away at removal, '*' is the machine's; '[~]' is what is there."""
    for component in root.iter(WIX + "Component"):
        for element in component.iter(WIX + "Environment"):
            name, key, value = attributes(element, "Name", "Id", "Value",
                                          Part="last", Action="set", System="yes", Permanent="no")
            yield key, "=-*" + name, "[~];" + value, component.get("Id")


def action_rows(root):
    for element in root.iter(WIX + "CustomAction"):
        key, directory, command = attributes(element, "Id", "Directory", "ExeCommand",
                                             Execute="deferred", Impersonate="no", Return="ignore")
        kind = EXE_IN_DIRECTORY + IGNORE_RESULT + DEFERRED + NO_IMPERSONATION
        yield key, str(kind), directory, command, ""


def sequence_rows(root):
    if any(environment_rows(root)):
        yield from ((action, str(number), "") for action, number in ENVIRONMENT_ACTIONS)
    for element in root.iter(WIX + "Custom"):
        action, number = attributes(element, "Action", "Sequence")
        yield action, number, element.text or ""


def write_table(path, heads, rows):
    """As msibuild reads it: fields parted by tabs, and CR LF; names, types, then the table's own name and its keys."""
    text = "".join("\t".join(row) + "\r\n" for row in [*heads, *rows])
    path.write_bytes(text.encode("ascii"))


def tables(source, out):
    root = xml.etree.ElementTree.parse(source).getroot()
    write_table(out / "Environment.idt", [("Environment", "Name", "Value", "Component_"),
                                          ("s72", "l255", "L255", "s72"), ("Environment", "Environment")],
                environment_rows(root))
    write_table(out / "CustomAction.idt", [("Action", "Type", "Source", "Target", "ExtendedType"),
                                           ("s72", "i2", "S72", "S255", "I4"), ("CustomAction", "Action")],
                action_rows(root))
    for row in sequence_rows(root):
        print("\t".join(row))


def summary(data):
    """Number -> (type, offset of the value in @data) of the properties of the summary; it lies in one piece."""
    at = data.index(SUMMARY)
    if data.find(SUMMARY, at + 1) >= 0:
        raise SystemExit("msi.py: more than one summary")
    # The set begins 28 bytes before its first identifier; behind that stands where its section is.
    section = at - 28 + struct.unpack_from("<I", data, at + 16)[0]
    found = {}
    for i in range(struct.unpack_from("<I", data, section + 4)[0]):
        number, offset = struct.unpack_from("<II", data, section + 8 + 8 * i)
        found[number] = struct.unpack_from("<I", data, section + offset)[0], section + offset + 4
    return found


def seal(path, epoch):
    data = bytearray(path.read_bytes())
    found = summary(data)
    kind, code = found[PACKAGE_CODE]
    nobody = guid("no package")
    place = slice(code + 4, code + 4 + len(nobody))
    if kind != VT_LPSTR or not re.fullmatch(rb"\{[0-9A-F-]{36}\}", data[place]):
        raise SystemExit(f"msi.py: {path}: no package code where it should be")
    for number in (CREATED, SAVED):
        kind, value = found[number]
        if kind != VT_FILETIME:
            raise SystemExit(f"msi.py: {path}: property {number} is no time")
        struct.pack_into("<Q", data, value, (epoch + SECONDS_TO_1970) * 10_000_000)
    data[place] = nobody.encode("ascii")
    data[place] = guid(hashlib.sha256(data).hexdigest()).encode("ascii")
    path.write_bytes(data)


def main():
    made = {"code": lambda version: print(guid("product " + version)),
            "tables": lambda source, out: tables(source, Path(out)),
            "seal": lambda path, epoch: seal(Path(path), int(epoch))}
    if len(sys.argv) < 2 or len(sys.argv) != {"code": 3}.get(sys.argv[1], 4) or sys.argv[1] not in made:
        raise SystemExit(__doc__)
    made[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
