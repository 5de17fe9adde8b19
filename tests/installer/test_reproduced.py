#!/usr/bin/env python3
"""Two builds give the same bytes: a copy of the sources is built and packed elsewhere, in folders with blanks in
their names, at another time, in another time zone, with another umask, and each file that is shipped, the zip and
the MSI are compared with those of this build. Then the time, and the place, are planted in a source of the copy,
and must show.

    test_reproduced.py SOURCE_DIR BUILD_DIR        BUILD_DIR/installer is what build.sh has made of it
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tidy"))
# pylint: disable=wrong-import-position
import image  # noqa: E402

# What is in the tree but is made, not written.
NOT_COPIED = shutil.ignore_patterns("build", ".deps", ".git", ".cache", "__pycache__", "node_modules",
                                    "vcpkg_installed")
OTHERWISE = {"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
PLANTED = "client/lib/result.c"


def run(log, *command):
    with open(log, "ab") as file:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, umask=0o077,
                              env={**os.environ, **OTHERWISE}, check=False)
    if done.returncode:
        sys.stderr.write(Path(log).read_text(encoding="utf-8", errors="replace")[-8000:])
        raise SystemExit(f"test_reproduced: failed: {' '.join(map(str, command))}")


class Again:
    """The other build."""

    def __init__(self, source, build):
        self.folder = build / "again"
        self.source, self.build, self.log = self.folder / "a tree", self.folder / "its build", self.folder / "log"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        # No times are taken along.
        shutil.copytree(source, self.source, ignore=NOT_COPIED, copy_function=shutil.copy)
        cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
        options = dict(re.findall(r"^(CMAKE_BUILD_TYPE|CMAKE_PREFIX_PATH|CMAKE_TOOLCHAIN_FILE):\w+=(.*)$", cache,
                                  re.MULTILINE))
        options["CMAKE_TOOLCHAIN_FILE"] = options["CMAKE_TOOLCHAIN_FILE"].replace(str(source), str(self.source), 1)
        run(self.log, "cmake", "-S", self.source, "-B", self.build, "-G", "Ninja",
            *(f"-D{name}={value}" for name, value in options.items()))

    def pack(self):
        """The folder with the packages, and with "stage"."""
        run(self.log, "cmake", "--build", self.build, "--parallel", "2", "--target", "hbk_ship")
        run(self.log, "bash", self.source / "installer" / "build.sh", self.build)
        return self.build / "installer"


def where(name, first, second):
    """In words, where two files begin to differ."""
    at = next((i for i, pair in enumerate(zip(first, second)) if pair[0] != pair[1]), min(len(first), len(second)))
    section = ""
    if name.endswith((".exe", ".dll")):
        section = next((f" in section {found[0]}" for found in image.Image(first).sections
                        if found[3] <= at < found[3] + found[4]), " in its head")
    shown = [data[max(0, at - 16):at + 48] for data in (first, second)]
    return (f"{name}: {len(first)} and {len(second)} bytes, which differ from {at:#x} on{section}: "
            f"{shown[0]} and {shown[1]}")


def compare(first, second):
    """All that differs in two folders that build.sh has made."""
    def shipped(folder):
        files = [path for path in (folder / "stage").rglob("*") if path.is_file()]
        files += [path for path in folder.iterdir() if path.suffix in (".msi", ".zip") and "-0.0.9-" not in path.name]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    one, other = shipped(first), shipped(second)
    for kind in (".msi", ".zip", ".exe", ".dll", ".a", ".h"):
        assert any(name.endswith(kind) for name in one), f"nothing is shipped that ends in {kind}"
    findings = [f"{name}: is in one of them alone" for name in sorted(one.keys() ^ other.keys())]
    findings += [where(name, one[name], other[name]) for name in sorted(one.keys() & other.keys())
                 if one[name] != other[name]]
    return findings, len(one)


def check_planted(again, here, code):
    """What comes into one source of the library changes each file that has it in it, and no other."""
    path = again.source / PLANTED
    before = path.read_text(encoding="utf-8")
    path.write_text(before + code, encoding="utf-8")
    findings, _ = compare(here, again.pack())
    path.write_text(before, encoding="utf-8")
    wrong = {finding.partition(":")[0] for finding in findings}
    if {"stage/sdk/bin/handlebroker.dll", "stage/sdk/lib/libhandlebroker.a"} - wrong \
            or not any(name.endswith(".msi") for name in wrong) or not any(name.endswith(".zip") for name in wrong) \
            or "stage/handlebroker.exe" in wrong:
        raise SystemExit(f"test_reproduced: planted: {code.strip()}\nfound: {findings}")


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    source, build = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    here, again = build / "installer", Again(source, build)
    findings, count = compare(here, again.pack())
    for line in findings:
        print(line)
    if findings:
        raise SystemExit(f"test_reproduced: {len(findings)} of {count} files differ; {again.folder} is what was built")
    # Exported, so that no linker leaves it out.
    for what in ("__TIME__", f'"{again.source}"'):
        check_planted(again, here, f"\nHBK_API const char *hbk_planted(void);\n"
                                   f"const char *hbk_planted(void)\n{{\n    return {what};\n}}\n")
    shutil.rmtree(again.folder)
    print(f"reproduced: {count} files")


if __name__ == "__main__":
    main()
