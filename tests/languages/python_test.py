#!/usr/bin/env python3
"""Runs the programs of client/languages/python without Windows: unchanged, over a kernel32, an advapi32 and a pipe that
are made up here, with the answers and notifications of PROTOCOL.md's example lines. Each call goes through ctypes, by
the types that windows.py has declared.

    python_test.py ROOT
"""
import ctypes
import ctypes.wintypes
import io
import json
import re
import sys
import types
import unittest
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
PROGRAMS = ROOT / "client" / "languages" / "python"
PIPE, EVENT, FILE, MANAGER, SERVICE = 0x40, 0x80, 0x84, 0x88, 0x8C
OWNER, DESCRIPTOR = 0x1000, 0x2000
SYSTEM, ADMINISTRATORS, EVERYBODY = 22, 26, 1  # WELL_KNOWN_SID_TYPE
PIPE_BUSY, NOT_FOUND, BROKEN_PIPE = 231, 2, 109
TEXT = "Grüße\n".encode()


class FakeWindows:  # pylint: disable=invalid-name
    """What the programs meet: its methods are Windows' functions, named and called as those are."""

    def __init__(self):
        self.calls, self.lines, self.incoming, self.requests = [], [], b"", []
        self.owner, self.maker, self.runs, self.last_error = SYSTEM, 77, 77, 0
        self.open_errors, self.wait, self.piece = [], 0, 65536
        self.files = {}

    # --- the service: what is in self.lines is answered to one request after the other

    def answer(self, *lines):
        self.lines.append(lines)

    def WriteFile(self, pipe, data, size, done, _):
        assert pipe == PIPE
        line = ctypes.string_at(data, size)
        assert line.endswith(b"\n") and line.count(b"\n") == 1, line
        request = json.loads(line)
        assert request.pop("jsonrpc") == "2.0"
        self.requests.append(request)
        self.calls.append(request["method"])
        for reply in self.lines.pop(0) if self.lines else ():
            reply = dict(reply)
            if reply.get("id") is not None:
                reply["id"] = request["id"]
            self.incoming += json.dumps(reply, ensure_ascii=False).encode() + b"\n"
        done[0] = size
        return True

    def ReadFile(self, handle, buffer, size, done, _):
        if handle != PIPE:
            data, self.files[handle] = self.files[handle][:size], self.files[handle][size:]
        else:
            size = min(size, self.piece)
            data, self.incoming = self.incoming[:size], self.incoming[size:]
            if not data:
                self.last_error = BROKEN_PIPE
                return False
        ctypes.memmove(buffer, data, len(data))
        done[0] = len(data)
        return True

    # --- the pipe, and whose it is

    def CreateFileW(self, name, access, share, security, how, flags, template):
        self.calls.append(("open", name))
        assert (access, share, security, how, flags, template) == (0x12019B, 0, None, 3, 0x110000, None)
        if self.open_errors:
            self.last_error = self.open_errors.pop(0)
            return -1
        return PIPE

    def WaitNamedPipeW(self, name, _):
        self.calls.append(("wait", name))
        return True

    def GetSecurityInfo(self, handle, kind, which, owner, group, dacl, sacl, descriptor):
        assert (handle, kind, which, group, dacl, sacl) == (PIPE, 6, 1, None, None, None)
        if self.owner is None:
            return 5
        owner[0], descriptor[0] = OWNER, DESCRIPTOR
        return 0

    def IsWellKnownSid(self, sid, kind):
        assert sid == OWNER
        return kind == self.owner

    def LocalFree(self, memory):
        assert memory in (DESCRIPTOR, None)

    def OpenSCManagerW(self, machine, database, access):
        assert (machine, database, access) == (None, None, 1)
        return MANAGER

    def OpenServiceW(self, manager, name, access):
        assert (manager, name, access) == (MANAGER, "HandleBroker", 4)
        return SERVICE if self.runs is not None else None

    def QueryServiceStatusEx(self, service, level, status, size, _):
        assert level == 0 and size == 9 * ctypes.sizeof(ctypes.wintypes.DWORD)
        # What is written by a call that fails says nothing.
        ctypes.cast(status, ctypes.POINTER(ctypes.wintypes.DWORD))[7] = self.maker if self.runs is None else self.runs
        return service is not None

    def CloseServiceHandle(self, _):
        return True

    def GetNamedPipeServerProcessId(self, pipe, pid):
        assert pipe == PIPE
        pid[0] = self.maker
        return True

    # --- handles

    def CreateEventW(self, security, manual, state, name):
        assert (security, manual, state, name) == (None, 1, 0, None)
        return EVENT

    def SetEvent(self, handle):
        self.calls.append(("set", handle))
        return True

    def WaitForSingleObject(self, handle, _):
        assert handle == EVENT
        return self.wait

    def SetHandleInformation(self, handle, mask, flags):
        self.calls.append(("flags", handle, mask, flags))
        return True

    def CloseHandle(self, handle):
        self.calls.append(("close", handle))
        return True


class FakeFunction:  # pylint: disable=too-few-public-methods
    restype, argtypes = None, ()

    def __init__(self, name):
        self.name = name

    def __call__(self, *arguments):
        failures = []

        def body(*received):
            try:
                return getattr(fake, self.name)(*received)
            except Exception as failure:  # pylint: disable=broad-except
                failures.append(failure)
                return 0

        value = ctypes.CFUNCTYPE(self.restype, *self.argtypes)(body)(*arguments)
        if failures:
            raise failures[0]
        return value


class FakeLibrary:  # pylint: disable=too-few-public-methods
    def __init__(self, name, use_last_error):
        assert name in ("kernel32", "advapi32") and use_last_error

    def __getattr__(self, name):
        return FakeFunction(name)


def examples():
    """The first answer to each method, the first notification of each name, the lines that answer with an error."""
    answers, notices, errors, method = {}, {}, {}, None
    for line in re.findall(r"^([→✗←] \{.*\})$", (ROOT / "proto" / "PROTOCOL.md").read_text("utf-8"), re.M):
        message = json.loads(line[2:])
        if line[0] != "←":
            method = message["method"]
        elif "method" in message:
            notices.setdefault(message["method"], message)
        elif "result" in message:
            answers.setdefault(method, message)
        else:
            errors.setdefault(message["error"]["message"], message)
    return answers, notices, errors


fake = FakeWindows()
ctypes.WinDLL = FakeLibrary
ctypes.get_last_error = lambda: fake.last_error
sys.modules["msvcrt"] = types.SimpleNamespace(get_osfhandle=lambda descriptor: FILE if descriptor > 2 else -1)
sys.dont_write_bytecode = True
sys.path.insert(0, str(PROGRAMS))
import receive  # noqa: E402  pylint: disable=wrong-import-position
import send  # noqa: E402  pylint: disable=wrong-import-position

ANSWERS, NOTICES, ERRORS = examples()
PROOF = ANSWERS["session.hello"]["result"]["proof"]
NAME = "user/target"  # as the page's delivery has it
HELLO = {"protocol": [1], "client": {"name": "python", "version": "1"}}


def run(program, *arguments):
    """Return: what would be the exit code, or the error's text; and what was printed."""
    output, sys.argv = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), ["program", *arguments]
    with redirect_stdout(output):
        try:
            program.main()
            code = 0
        except SystemExit as end:
            code = end.code
    return code, output.buffer.getvalue().decode()


def delivered(endpoint, **flags):
    """The page's delivery, of an Event (412) and, in the place of its Section (416), a File."""
    message = json.loads(json.dumps(NOTICES["handle.delivered"]).replace("Section", "File"))
    message["params"]["endpoint"] = endpoint
    for item in message["params"]["items"]:
        item.update(flags)
    return message


class Programs(unittest.TestCase):
    def setUp(self):
        global fake  # pylint: disable=global-statement
        fake = FakeWindows()

    def greeted(self):
        fake.answer(ANSWERS["session.hello"])
        fake.answer(ANSWERS["session.prove"])

    def test_receives(self):
        self.greeted()
        fake.piece = 100  # lines come in pieces
        fake.files[416] = TEXT
        # What is for no endpoint, and unknown notifications, are none of ours; a second delivery comes too late.
        fake.answer(NOTICES["session.gone"], delivered(None), ANSWERS["endpoint.open"],
                    {"method": "x.y", "params": {"items": 1}}, delivered(NAME))
        fake.answer(delivered(NAME), {"method": "x.y", "params": {}}, ANSWERS["endpoint.close"])
        self.assertEqual(run(receive, NAME), (0, f"target: {NAME} is open\n"
                                              "target: process 4300 has sent 2 handles\n"
                                              f"target: the event is set\n{TEXT.decode()}"))
        self.assertEqual([r["id"] for r in fake.requests], [1, 2, 3, 4])
        self.assertEqual([(r["method"], r["params"]) for r in fake.requests], [
            ("session.hello", HELLO), ("session.prove", {}),
            ("endpoint.open", {"name": NAME, "types": {"File": "read", "Event": 2}}),
            ("endpoint.close", {"name": NAME})])
        unused = [("flags", 412, 3, 0), ("flags", 412, 2, 0), ("close", 412),
                  ("flags", 416, 3, 1), ("flags", 416, 2, 0), ("close", 416)]
        used = unused[:1] + [("set", 412)] + unused[1:]
        late = unused[1:3] + unused[4:]
        self.assertEqual(fake.calls[1:], ["session.hello", ("set", PROOF), "session.prove", "endpoint.open",
                                          *unused, *used, "endpoint.close", *late, ("close", PIPE)])

    def test_protected(self):
        self.greeted()
        fake.files[416] = TEXT
        fake.answer(ANSWERS["endpoint.open"], delivered(NAME, inherit=True, protect=True))
        fake.answer(ANSWERS["endpoint.close"])
        self.assertEqual(run(receive, NAME)[0], 0)
        self.assertEqual([call for call in fake.calls if call[1] == 412], [
            ("flags", 412, 3, 3), ("set", 412), ("flags", 412, 2, 0), ("close", 412)])

    def test_sends(self):
        self.greeted()
        fake.answer(NOTICES["session.gone"], delivered(None), ANSWERS["handle.send"])
        code, text = run(send, NAME, __file__)
        self.assertEqual(code, 0, text)
        self.assertIn("source: the target has a handle to this Event, access 0x1f0003\n", text)
        self.assertIn("source: the target has set the event\n", text)
        self.assertEqual(fake.requests[2], {"id": 3, "method": "handle.send", "params": {"to": NAME, "items": [
            {"handle": FILE, "type": "File", "access": "read"}, {"handle": EVENT, "type": "Event", "access": 2}]}})
        # What somebody has put into this process meanwhile is closed too.
        self.assertEqual([call for call in fake.calls if call[0] == "close"],
                         [("close", EVENT), ("close", 412), ("close", 416), ("close", PIPE)])

    def test_not_signalled(self):
        self.greeted()
        fake.answer(ANSWERS["handle.send"])
        fake.wait = 258  # WAIT_TIMEOUT
        code, text = run(send, NAME, __file__)
        self.assertEqual(code, "source: the target has not set the event within 10 s")
        self.assertNotIn("has set", text)

    def test_no_file(self):
        self.greeted()
        code, _ = run(send, NAME, "/no-such-file")
        self.assertIn("no-such-file", code)
        self.assertNotIn("handle.send", fake.calls)

    def test_refused(self):
        for word in ("timeout", "denied", "not_found", "quota"):
            self.setUp()
            self.greeted()
            fake.answer(ERRORS[word])
            detail = ERRORS[word]["error"]["data"]["detail"]
            self.assertEqual(run(send, NAME, __file__), (f"source: {word}: {detail}", ""))
        self.setUp()
        self.greeted()
        fake.answer({"id": 3, "error": {"code": 99, "message": "of_a_later_service"}})
        self.assertEqual(run(receive, NAME), ("target: of_a_later_service: ", ""))

    def test_session_ends(self):
        fake.answer(ERRORS["quota"])  # with id null
        self.assertIn("source: quota: this user has 2048 sessions", run(send, NAME, __file__)[0])
        self.setUp()
        self.greeted()
        fake.answer(ANSWERS["endpoint.open"])
        self.assertEqual(run(receive, NAME)[0],
                         f"target: the service has ended the session (Windows error {BROKEN_PIPE})")

    def test_verifies(self):
        for owner, maker, runs in ((EVERYBODY, 77, 77), (None, 77, 77), (SYSTEM, 78, 77), (SYSTEM, 0, 0),
                                   (SYSTEM, 77, None)):
            self.setUp()
            fake.owner, fake.maker, fake.runs = owner, maker, runs
            code, _ = run(send, NAME, __file__)
            self.assertTrue(code.startswith("source: untrusted: "), code)
            self.assertEqual(fake.requests, [])
        self.setUp()
        self.greeted()
        fake.owner = ADMINISTRATORS
        fake.answer(ANSWERS["handle.send"])
        self.assertEqual(run(send, NAME, __file__)[0], 0)

    def test_unverified(self):
        self.greeted()
        fake.owner = EVERYBODY
        fake.answer(ANSWERS["handle.send"])
        pipe = r"\\.\pipe\my-broker"
        self.assertTrue(run(send, NAME, __file__, "--pipe", pipe)[0].startswith("source: untrusted: "))
        self.assertEqual(run(send, NAME, __file__, "--pipe", pipe, "--unverified")[0], 0)
        self.assertEqual(fake.calls[:2], [("open", pipe)] * 2)

    def test_pipe(self):
        pipe = r"\\.\pipe\ProtectedPrefix\Administrators\HandleBroker"
        self.greeted()
        fake.open_errors = [PIPE_BUSY]
        fake.answer(ANSWERS["handle.send"])
        self.assertEqual(run(send, NAME, __file__)[0], 0)
        self.assertEqual(fake.calls[:3], [("open", pipe), ("wait", pipe), ("open", pipe)])
        self.setUp()
        fake.open_errors = [NOT_FOUND]
        self.assertTrue(run(receive, NAME)[0].startswith("target: unavailable: "))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
