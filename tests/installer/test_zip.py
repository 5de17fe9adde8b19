#!/usr/bin/env python3
"""The zip holds what "cmake --install" puts down, byte for byte; and equal files give equal bytes.

    test_zip.py BUILD/installer
"""
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACK = Path(__file__).resolve().parents[2] / "installer" / "pack.py"
# One of each kind, so that a list that is empty on both sides is no success.
WANTED = ("handlebroker.exe", "hbctl.exe", "install.cmd", "LICENSE.txt", "sdk/include/handlebroker.h",
          "sdk/lib/cmake/HandleBroker/HandleBrokerConfig.cmake", "sdk/man/hbk_send.html", "sdk/bin/handlebroker.dll",
          "sdk/lib/handlebroker_dll.lib", "sdk/languages/powershell/windows.cs")


def packed(path):
    """Name without the zip's own folder -> bytes."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert all(name.startswith(path.stem + "/") for name in names), "all lies in one folder"
        return {name[len(path.stem) + 1:]: archive.read(name) for name in names}


def main():
    folder = Path(sys.argv[1])
    stage = folder / "stage"
    archives = list(folder.glob("*.zip"))
    assert len(archives) == 1, f"one zip, not {archives}"
    there = {path.relative_to(stage).as_posix(): path.read_bytes() for path in stage.rglob("*") if path.is_file()}
    assert packed(archives[0]) == there, "the zip is what is staged"
    strange = [name for name in there if name.endswith((".wxs", ".ico", ".idt"))]
    assert not strange, f"what the MSI is made of: {strange}"
    missing = [name for name in WANTED if name not in there]
    assert not missing, f"missing: {missing}"
    with tempfile.TemporaryDirectory() as again:
        path = Path(again) / archives[0].name
        subprocess.run([sys.executable, PACK, "zip", stage, path, "315532800"], check=True)
        assert path.read_bytes() == archives[0].read_bytes(), "the same bytes again"
    print(f"zip: {len(there)} files")


if __name__ == "__main__":
    main()
