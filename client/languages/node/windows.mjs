// The calls of Windows that a client of Handle Broker takes. Handles are numbers, as they are in JSON.
import koffi from 'koffi';

const kernel32 = koffi.load('kernel32.dll');
const advapi32 = koffi.load('advapi32.dll');
export const CloseHandle = kernel32.func('int CloseHandle(intptr_t)');
export const CreateEventW = kernel32.func('intptr_t CreateEventW(void *, int manual, int set, str16 name)');
export const CreateFileW = kernel32.func(
  'intptr_t CreateFileW(str16, uint32 access, uint32 share, void *, uint32 how, uint32 flags, intptr_t)');
export const ReadFile = kernel32.func('int ReadFile(intptr_t, _Out_ uint8 *, uint32, _Out_ uint32 *, void *)');
export const SetEvent = kernel32.func('int SetEvent(intptr_t)');
export const WaitForSingleObject = kernel32.func('uint32 WaitForSingleObject(intptr_t, uint32 ms)');
export const GetLastError = kernel32.func('uint32 GetLastError()');
export const GetNamedPipeServerProcessId = kernel32.func('int GetNamedPipeServerProcessId(intptr_t, _Out_ uint32 *)');
export const LocalFree = kernel32.func('void *LocalFree(void *)');
export const SetHandleInformation = kernel32.func('int SetHandleInformation(intptr_t, uint32 mask, uint32 flags)');
export const WaitNamedPipeW = kernel32.func('int WaitNamedPipeW(str16, uint32 ms)');
export const WriteFile = kernel32.func('int WriteFile(intptr_t, uint8 *, uint32, _Out_ uint32 *, void *)');
export const CloseServiceHandle = advapi32.func('int CloseServiceHandle(intptr_t)');
export const GetSecurityInfo = advapi32.func(
  'uint32 GetSecurityInfo(intptr_t, int, uint32, _Out_ void **owner, void *, void *, void *, _Out_ void **)');
export const IsWellKnownSid = advapi32.func('int IsWellKnownSid(void *, int)');
export const OpenSCManagerW = advapi32.func('intptr_t OpenSCManagerW(str16, str16, uint32)');
export const OpenServiceW = advapi32.func('intptr_t OpenServiceW(intptr_t, str16, uint32)');
export const QueryServiceStatusEx = advapi32.func(
  'int QueryServiceStatusEx(intptr_t, int, _Out_ uint32 *, uint32, _Out_ uint32 *)');

export function must(done, what) {
  if (!done) throw new Error(`${what} (Windows error ${GetLastError()})`);
}
