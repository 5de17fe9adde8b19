#!/usr/bin/env python3
"""What the MSI says: the service is set up as install.cmd does it, the PATH and the event source; times and codes that
hang on nothing but what is in it. And that msi.py refuses what it does not understand, rather than leave it out.

    test_tables.py SOURCE_DIR BUILD_DIR
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

OLDER = "0.0.9"
EVENT_KEY = r"SYSTEM\CurrentControlSet\Services\EventLog\Application\HandleBroker"
ALWAYS_BUT_AT_REMOVAL = 'NOT REMOVE="ALL"'
PRIVILEGES = "SeChangeNotifyPrivilege/SeDebugPrivilege/SeImpersonatePrivilege"


def table(msi, name):
    """Rows, without the heads."""
    # Of a table with files in it, msiinfo writes them where it is.
    with tempfile.TemporaryDirectory() as folder:
        text = subprocess.run(["msiinfo", "export", Path(msi).resolve(), name], cwd=folder, check=True,
                              capture_output=True).stdout.decode("utf-8")
    return [row.split("\t") for row in text.splitlines()[3:]]


def summary(msi):
    text = subprocess.run(["msiinfo", "suminfo", msi], check=True, capture_output=True, env={"TZ": "UTC"}).stdout
    return dict(line.split(": ", 1) for line in text.decode("utf-8").splitlines())


def check_service(source, msi):
    """Each of install.cmd's commands that MSI has no column for is an action of the MSI, between the service's
    installation and its start; the rest is in ServiceInstall."""
    actions = {row[0]: row for row in table(msi, "CustomAction")}
    script = (source / "installer/install.cmd").read_text(encoding="ascii")
    wanted = set()
    for verb in ("failure", "sidtype", "privs"):
        arguments = re.search(rf'^"%SC%" {verb} %SERVICE% (.*)$', script, re.MULTILINE).group(1).strip()
        wanted.add(f'"[System64Folder]sc.exe" {verb} HandleBroker {arguments}')
    wanted.add(r'"[System64Folder]sc.exe" config HandleBroker binPath= "\"[INSTALLDIR]handlebroker.exe\""')
    assert {row[3] for row in actions.values()} == wanted, actions
    assert any("restart/1000/restart/5000/restart/30000" in one for one in wanted), "the failure actions"
    assert any(one.endswith(PRIVILEGES) for one in wanted), "the privileges"
    # 34: a program by its folder; 64: whatever it answers; 1024 and 2048: within the installation, as LocalSystem.
    assert all(row[1:3] == [str(34 + 64 + 1024 + 2048), "System64Folder"] for row in actions.values()), actions
    sequence = {row[0]: (row[1], int(row[2])) for row in table(msi, "InstallExecuteSequence")}
    for name in actions:
        condition, number = sequence[name]
        assert condition == ALWAYS_BUT_AT_REMOVAL, (name, condition)
        assert sequence["InstallServices"][1] < number < sequence["StartServices"][1], (name, number)
    assert sequence["RemoveEnvironmentStrings"] == ("", 3300) and sequence["WriteEnvironmentStrings"] == ("", 5200)
    # A service that is a process of its own (16), starts by itself (2), under LocalSystem.
    service, = table(msi, "ServiceInstall")
    assert service[1:5] == ["HandleBroker", "Handle Broker", "16", "2"] and service[8] == "LocalSystem", service


def check_around(msi):
    assert table(msi, "Environment") == [["Path", "=-*PATH", "[~];[INSTALLDIR]", "Tools"]]
    # -1 would be whoever installs; 2 is HKLM. "#7": a number.
    values = {(row[1], row[2], row[3]): row[4] for row in table(msi, "Registry")}
    assert values == {("2", EVENT_KEY, "EventMessageFile"): "[#handlebroker.exe]",
                      ("2", EVENT_KEY, "TypesSupported"): "#7"}, values
    properties = dict(table(msi, "Property"))
    assert properties["ARPPRODUCTICON"] == table(msi, "Icon")[0][0] == "handlebroker.ico", "the icon"
    # Program Files lets users read and administrators write, and that is what is wanted: no descriptors of its own.
    tables = subprocess.run(["msiinfo", "tables", msi], check=True, capture_output=True).stdout.decode("ascii").split()
    assert not {"LockPermissions", "MsiLockPermissionsEx"} & set(tables), tables
    return properties["ProductCode"]


def run(script, *arguments):
    return subprocess.run([sys.executable, script, *map(str, arguments)], check=False, capture_output=True)


def check_codes(script, msi, older, version, code):
    assert run(script, "code", version).stdout.decode("ascii").strip() == code, "the product code is of the version"
    assert dict(table(older, "Property"))["ProductCode"] not in ("", code), "each version has its own"
    said = summary(msi)
    assert said["Created"] == said["Last saved"] == "Tue Jan  1 00:00:00 1980", said
    with tempfile.TemporaryDirectory() as folder:
        codes = [said["Revision number (UUID)"], summary(older)["Revision number (UUID)"]]
        data = msi.read_bytes()
        other = bytearray(data)
        other[data.index(b"MSCF") + 200] ^= 1  # in the cabinet
        for content, epoch in ((data, 315532800), (other, 315532800), (data, 1000000000)):
            copy = Path(folder) / "copy.msi"
            copy.write_bytes(content)
            assert run(script, "seal", copy, epoch).returncode == 0
            codes.append(summary(copy)["Revision number (UUID)"])
        assert codes[2] == codes[0], "sealed twice, the same"
        assert len(set(codes)) == 4, f"another package has another code: {codes}"
        assert summary(copy)["Created"] == "Sun Sep  9 01:46:40 2001", "SOURCE_DATE_EPOCH"
        copy.write_bytes(data.replace(said["Revision number (UUID)"].encode("ascii"), b"{no code}".ljust(38)))
        assert b"no package code" in run(script, "seal", copy, 0).stderr
        copy.write_bytes(b"no package at all")
        assert run(script, "seal", copy, 0).returncode != 0


def check_refusals(script, source):
    """The source with each of these in the place of what is there is not taken."""
    text = (source / "installer/handlebroker.wxs").read_text(encoding="utf-8")
    for before, after in (('Part="last"', 'Part="first"'), ('System="yes"', 'System="no"'),
                          ('Permanent="no"', 'Permanent="yes"'), ('Return="ignore"', 'Return="check"'),
                          ('Impersonate="no"', 'Impersonate="yes"'), ('Execute="deferred"', 'Execute="commit"'),
                          ('Directory="System64Folder"', 'Property="System64Folder"'),
                          ('Sequence="5805"', 'After="InstallServices"')):
        assert before in text, before
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "source.wxs"
            path.write_text(text.replace(before, after, 1), encoding="utf-8")
            found = run(script, "tables", path, folder)
            assert found.returncode != 0 and b"not as is known here" in found.stderr, (after, found.stderr)


def main():
    source, packages = Path(sys.argv[1]), Path(sys.argv[2]) / "installer"
    script = source / "installer/msi.py"
    older = packages / f"HandleBroker-{OLDER}-x64.msi"
    msi, = [path for path in packages.glob("*.msi") if path != older]
    check_service(source, msi)
    code = check_around(msi)
    check_codes(script, msi, older, msi.name.split("-")[1], code)
    check_refusals(script, source)
    print(f"tables: {msi.name}")


if __name__ == "__main__":
    main()
