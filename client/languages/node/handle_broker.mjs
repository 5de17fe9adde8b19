// Handle Broker from Node, over the bare protocol: a session with the service.
// The contract is PROTOCOL.md; most of this is its chapter "What a client must do itself". All calls block: a
// program that does other things meanwhile gives it a worker thread. Needs koffi (npm install --no-save koffi).
import {
  CloseHandle, CloseServiceHandle, CreateFileW, GetLastError, GetNamedPipeServerProcessId, GetSecurityInfo,
  IsWellKnownSid, LocalFree, OpenSCManagerW, OpenServiceW, QueryServiceStatusEx, ReadFile, SetEvent,
  SetHandleInformation, WaitNamedPipeW, WriteFile, must,
} from './windows.mjs';

function openPipe(name) {
  const access = 0x12019b; // to read and write, and not to make further instances
  const flags = 0x00100000 | 0x00010000; // SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION
  for (;;) {
    const pipe = CreateFileW(name, access, 0, null, 3 /* OPEN_EXISTING */, flags, 0);
    if (pipe !== -1) return pipe;
    must(GetLastError() === 231 /* ERROR_PIPE_BUSY */ && WaitNamedPipeW(name, 10000),
      'unavailable: the pipe cannot be opened; is the service running? sc start HandleBroker');
  }
}

// Whose pipe is it? Its owner must be SYSTEM or Administrators, its maker the process that runs as the service.
function verify(pipe) {
  const owner = [null], descriptor = [null], maker = [0], status = new Uint32Array(9);
  const told = GetSecurityInfo(pipe, 6 /* SE_KERNEL_OBJECT */, 1 /* OWNER */, owner, null, null, null, descriptor);
  // WinLocalSystemSid, WinBuiltinAdministratorsSid
  const trusted = told === 0 && (IsWellKnownSid(owner[0], 22) || IsWellKnownSid(owner[0], 26));
  LocalFree(descriptor[0]);
  const manager = OpenSCManagerW(null, null, 1 /* SC_MANAGER_CONNECT */);
  const service = OpenServiceW(manager, 'HandleBroker', 4 /* SERVICE_QUERY_STATUS */);
  const asked = QueryServiceStatusEx(service, 0, status, status.byteLength, [0]);
  CloseServiceHandle(service);
  CloseServiceHandle(manager);
  const pid = status[7]; // dwProcessId of SERVICE_STATUS_PROCESS
  if (!trusted || !asked || pid === 0 || !GetNamedPipeServerProcessId(pipe, maker) || maker[0] !== pid)
    throw new Error('untrusted: this is not the pipe of the service HandleBroker; nothing was sent to it');
}

// With which flags the target is to have it, and the end of it.
export function applyFlags({ handle, inherit, protect }) {
  must(SetHandleInformation(handle, 0x3, (inherit ? 0x1 : 0) | (protect ? 0x2 : 0)), 'SetHandleInformation');
}

export function closeItem({ handle }) {
  SetHandleInformation(handle, 0x2, 0); // HANDLE_FLAG_PROTECT_FROM_CLOSE
  must(CloseHandle(handle), 'CloseHandle');
}

export class Session {
  #pipe; #received = Buffer.alloc(0); #lastId = 0; #notifications = [];

  // unverified: for a broker in the console ("handlebroker run --pipe NAME"), which cannot be told from an impostor.
  constructor({ pipe = String.raw`\\.\pipe\ProtectedPrefix\Administrators\HandleBroker`, unverified = false } = {}) {
    this.#pipe = openPipe(pipe);
    if (!unverified) verify(this.#pipe);
    const { proof } = this.request('session.hello', { protocol: [1], client: { name: 'node', version: '1' } });
    must(SetEvent(proof), 'the proof cannot be set'); // as only this process can; the service closes it
    this.request('session.prove');
  }

  // Sends a request and reads up to its answer. It is the only one under way, so the answer can be no other's.
  request(method, params) {
    const line = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: ++this.#lastId, method, params }) + '\n');
    must(WriteFile(this.#pipe, line, line.length, [0], null), 'the service has ended the session');
    for (;;) {
      const message = this.#read();
      if (message.id !== undefined) return message.result;
      this.#notifications.push(message); // it came in between
    }
  }

  // The next notification: one that came in between, or the next that comes.
  notification() {
    return this.#notifications.shift() ?? this.#read();
  }

  // Leaves: what was delivered and is not wanted any more is closed, then the pipe.
  close() {
    for (const { method, params } of this.#notifications.splice(0))
      if (method === 'handle.delivered') params.items.forEach(closeItem);
    CloseHandle(this.#pipe);
  }

  #read() {
    let end;
    while ((end = this.#received.indexOf('\n')) < 0) {
      const bytes = Buffer.alloc(65536), count = [0];
      must(ReadFile(this.#pipe, bytes, bytes.length, count, null), 'the service has ended the session');
      this.#received = Buffer.concat([this.#received, bytes.subarray(0, count[0])]);
    }
    const line = this.#received.subarray(0, end);
    this.#received = this.#received.subarray(end + 1);
    const message = JSON.parse(line.toString());
    if (message.error) throw new Error(`${message.error.message}: ${message.error.data?.detail ?? ''}`);
    return message;
  }
}
