"""Handle Broker from Python, over the bare protocol: a session with the service.

The contract is PROTOCOL.md; most of this is its chapter "What a client must do itself". All calls block. Nothing but
the standard library is needed; Python 3.8 or later.
"""
import ctypes
import json
from collections import deque
from ctypes import byref, c_void_p
from ctypes.wintypes import DWORD

from windows import (
    INVALID_HANDLE_VALUE, CloseHandle, CloseServiceHandle, CreateFileW, Error, GetNamedPipeServerProcessId,
    GetSecurityInfo, IsWellKnownSid, LocalFree, OpenSCManagerW, OpenServiceW, QueryServiceStatusEx, ReadFile, SetEvent,
    SetHandleInformation, WaitNamedPipeW, WriteFile, must)

SERVICE_PIPE = r"\\.\pipe\ProtectedPrefix\Administrators\HandleBroker"


def open_pipe(name):
    access = 0x12019B  # to read and write, and not to make further instances
    flags = 0x00100000 | 0x00010000  # SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION
    while True:
        pipe = CreateFileW(name, access, 0, None, 3, flags, None)  # OPEN_EXISTING
        if pipe != INVALID_HANDLE_VALUE:
            return pipe
        must(ctypes.get_last_error() == 231 and WaitNamedPipeW(name, 10000),  # ERROR_PIPE_BUSY
             "unavailable: the pipe cannot be opened; is the service running? sc start HandleBroker")


def verify(pipe):
    """Whose pipe is it? Its owner must be SYSTEM or Administrators, its maker the process that runs as the service."""
    owner, descriptor, maker, size, status = c_void_p(), c_void_p(), DWORD(), DWORD(), (DWORD * 9)()
    told = GetSecurityInfo(pipe, 6, 1, byref(owner), None, None, None, byref(descriptor))  # SE_KERNEL_OBJECT, OWNER
    trusted = told == 0 and (IsWellKnownSid(owner, 22) or IsWellKnownSid(owner, 26))  # SYSTEM, Administrators
    LocalFree(descriptor)
    manager = OpenSCManagerW(None, None, 1)  # SC_MANAGER_CONNECT
    service = OpenServiceW(manager, "HandleBroker", 4)  # SERVICE_QUERY_STATUS
    asked = QueryServiceStatusEx(service, 0, status, ctypes.sizeof(status), byref(size))
    CloseServiceHandle(service)
    CloseServiceHandle(manager)
    pid = status[7]  # dwProcessId of SERVICE_STATUS_PROCESS
    if not (trusted and asked and pid and GetNamedPipeServerProcessId(pipe, byref(maker)) and maker.value == pid):
        raise Error("untrusted: this is not the pipe of the service HandleBroker; nothing was sent to it")


def apply_flags(item):
    """With which flags the target is to have it."""
    flags = (1 if item["inherit"] else 0) | (2 if item["protect"] else 0)
    must(SetHandleInformation(item["handle"], 3, flags), "SetHandleInformation")


def close_item(item):
    SetHandleInformation(item["handle"], 2, 0)  # HANDLE_FLAG_PROTECT_FROM_CLOSE
    must(CloseHandle(item["handle"]), "CloseHandle")


class Session:
    """unverified: for a broker in the console ("handlebroker run --pipe NAME"): it cannot be told from an impostor."""

    def __init__(self, pipe=SERVICE_PIPE, unverified=False):
        self._received, self._last_id, self._notifications = b"", 0, deque()
        self._pipe = open_pipe(pipe)
        if not unverified:
            verify(self._pipe)
        hello = self.request("session.hello", {"protocol": [1], "client": {"name": "python", "version": "1"}})
        must(SetEvent(hello["proof"]), "the proof cannot be set")  # as only this process can; the service closes it
        self.request("session.prove")

    def request(self, method, params=None):
        """Sends a request and reads up to its answer. It is the only one under way, so the answer is no other's."""
        self._last_id += 1
        line = json.dumps({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params or {}}) + "\n"
        must(WriteFile(self._pipe, line.encode(), len(line), byref(DWORD()), None), "the service has ended the session")
        while True:
            message = self._read()
            if "id" in message:
                return message["result"]
            self._notifications.append(message)  # it came in between

    def notification(self):
        """The next notification: one that came in between, or the next that comes."""
        return self._notifications.popleft() if self._notifications else self._read()

    def close(self):
        """Leaves: what was delivered and is not wanted any more is closed, then the pipe."""
        while self._notifications:
            message = self._notifications.popleft()
            for item in message["params"]["items"] if message["method"] == "handle.delivered" else []:
                close_item(item)
        CloseHandle(self._pipe)

    def _read(self):
        while b"\n" not in self._received:
            buffer, count = ctypes.create_string_buffer(65536), DWORD()
            must(ReadFile(self._pipe, buffer, len(buffer), byref(count), None), "the service has ended the session")
            self._received += buffer.raw[:count.value]
        line, self._received = self._received.split(b"\n", 1)
        message = json.loads(line)
        if "error" in message:
            error = message["error"]
            raise Error(f"{error['message']}: {error.get('data', {}).get('detail', '')}")
        return message
