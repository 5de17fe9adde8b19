"""The calls of Windows that a client of Handle Broker takes. Handles are numbers, as they are in JSON."""
import ctypes
from ctypes import POINTER, c_int, c_void_p, c_wchar_p
from ctypes.wintypes import BOOL, DWORD, HANDLE

INVALID_HANDLE_VALUE = c_void_p(-1).value


def declare(library, result, name, *arguments):
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
CloseHandle = declare(kernel32, BOOL, "CloseHandle", HANDLE)
CreateEventW = declare(kernel32, HANDLE, "CreateEventW", c_void_p, BOOL, BOOL, c_wchar_p)
CreateFileW = declare(kernel32, HANDLE, "CreateFileW", c_wchar_p, DWORD, DWORD, c_void_p, DWORD, DWORD, HANDLE)
GetNamedPipeServerProcessId = declare(kernel32, BOOL, "GetNamedPipeServerProcessId", HANDLE, POINTER(DWORD))
LocalFree = declare(kernel32, c_void_p, "LocalFree", c_void_p)
ReadFile = declare(kernel32, BOOL, "ReadFile", HANDLE, c_void_p, DWORD, POINTER(DWORD), c_void_p)
SetEvent = declare(kernel32, BOOL, "SetEvent", HANDLE)
SetHandleInformation = declare(kernel32, BOOL, "SetHandleInformation", HANDLE, DWORD, DWORD)
WaitForSingleObject = declare(kernel32, DWORD, "WaitForSingleObject", HANDLE, DWORD)
WaitNamedPipeW = declare(kernel32, BOOL, "WaitNamedPipeW", c_wchar_p, DWORD)
WriteFile = declare(kernel32, BOOL, "WriteFile", HANDLE, c_void_p, DWORD, POINTER(DWORD), c_void_p)
advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
CloseServiceHandle = declare(advapi32, BOOL, "CloseServiceHandle", HANDLE)
GetSecurityInfo = declare(advapi32, DWORD, "GetSecurityInfo", HANDLE, c_int, DWORD, POINTER(c_void_p), c_void_p,
                          c_void_p, c_void_p, POINTER(c_void_p))
IsWellKnownSid = declare(advapi32, BOOL, "IsWellKnownSid", c_void_p, c_int)
OpenSCManagerW = declare(advapi32, HANDLE, "OpenSCManagerW", c_wchar_p, c_wchar_p, DWORD)
OpenServiceW = declare(advapi32, HANDLE, "OpenServiceW", HANDLE, c_wchar_p, DWORD)
QueryServiceStatusEx = declare(advapi32, BOOL, "QueryServiceStatusEx", HANDLE, c_int, c_void_p, DWORD, POINTER(DWORD))


class Error(Exception):
    """What the service has refused, or Windows."""


def must(done, what):
    if not done:
        raise Error(f"{what} (Windows error {ctypes.get_last_error()})")
