#!/usr/bin/env python3
"""Makes of a folder what the MSI's source and the zip need of it; build.sh calls it.

    pack.py fragment STAGE OUT.wxs     a component for each file of STAGE/sdk, as the group SdkFiles
    pack.py zip STAGE OUT.zip EPOCH    all of STAGE, in a folder named like OUT, as of EPOCH (seconds since 1970);
                                       equal files give equal bytes
"""
import sys
import time
import uuid
import zipfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

# A component at its place is the same in all versions, so its GUID is made of the place's name.
NAMESPACE = uuid.UUID("6dde75c8-26db-4f16-be89-7a1ac5d9a441")


def identifier(kind, path):
    return kind + uuid.uuid5(NAMESPACE, path).hex


def directory_lines(stage, folder, indent):
    """The directory @folder of @stage, and what is in it."""
    blanks = " " * indent
    path = folder.relative_to(stage).as_posix()
    lines = [f"{blanks}<Directory Id={quoteattr(identifier('d', path))} Name={quoteattr(folder.name)}>"]
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            lines += directory_lines(stage, entry, indent + 2)
            continue
        path = entry.relative_to(stage).as_posix()
        guid = str(uuid.uuid5(NAMESPACE, path)).upper()
        lines += [
            f"{blanks}  <Component Id={quoteattr(identifier('c', path))} Guid=\"{guid}\" Win64=\"yes\">",
            f"{blanks}    <File Id={quoteattr(identifier('f', path))} Source={quoteattr(path)} KeyPath=\"yes\" />",
            f"{blanks}  </Component>",
        ]
    return lines + [f"{blanks}</Directory>"]


def fragment(stage, out):
    sdk = stage / "sdk"
    files = sorted(path.relative_to(stage).as_posix() for path in sdk.rglob("*") if path.is_file())
    if not files:
        raise SystemExit(f"pack.py: nothing in {sdk}")
    lines = ['<?xml version="1.0" encoding="utf-8"?>', '<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">',
             "  <Fragment>", '    <DirectoryRef Id="INSTALLDIR">']
    lines += directory_lines(stage, sdk, 6)
    lines += ["    </DirectoryRef>", '    <ComponentGroup Id="SdkFiles">']
    lines += [f"      <ComponentRef Id={quoteattr(identifier('c', path))} />" for path in files]
    lines += ["    </ComponentGroup>", "  </Fragment>", "</Wix>", ""]
    out.write_text("\n".join(lines), encoding="utf-8")


def pack_zip(stage, out, epoch):
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in stage.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{out.stem}/{path.relative_to(stage).as_posix()}", time.gmtime(epoch)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def main():
    if sys.argv[1:2] == ["fragment"] and len(sys.argv) == 4:
        fragment(Path(sys.argv[2]).resolve(), Path(sys.argv[3]))
    elif sys.argv[1:2] == ["zip"] and len(sys.argv) == 5:
        pack_zip(Path(sys.argv[2]).resolve(), Path(sys.argv[3]), int(sys.argv[4]))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
