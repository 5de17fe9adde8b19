// node send.mjs NAME FILE [--pipe PIPE] [--unverified]
//
// Opens FILE to read it and hands it, with an event to say that it was read, to who has opened the endpoint NAME (such
// as user/inbox). Exit code 0 only if the target has set the event.
import { parseArgs } from 'node:util';
import { Session } from './handle_broker.mjs';
import { CloseHandle, CreateEventW, CreateFileW, WaitForSingleObject, must } from './windows.mjs';

const options = { pipe: { type: 'string' }, unverified: { type: 'boolean' } };

function send(session, name, path) {
  const file = CreateFileW(path, 0x80000000 /* GENERIC_READ */, 1 /* FILE_SHARE_READ */, null, 3, 0, 0);
  must(file !== -1, `${path} cannot be opened`);
  const event = CreateEventW(null, 1, 0, null);
  must(event !== 0, 'CreateEvent');
  const { items } = session.request('handle.send', {
    to: name,
    items: [
      { handle: file, type: 'File', access: 'read' },
      { handle: event, type: 'Event', access: 0x2 /* EVENT_MODIFY_STATE */ },
    ],
  });
  for (const { type, access } of items)
    console.log(`source: the target has a handle to this ${type}, access 0x${access.toString(16)}`);
  CloseHandle(file); // the target has its own
  if (WaitForSingleObject(event, 10000) !== 0) throw new Error('the target has not set the event within 10 s');
  console.log('source: the target has set the event');
  session.close();
}

try {
  const { positionals: [name, path], values } = parseArgs({ allowPositionals: true, options });
  if (!path) throw new Error('usage: node send.mjs NAME FILE [--pipe PIPE] [--unverified]');
  send(new Session(values), name, path);
} catch (error) {
  console.error(`source: ${error.message}`);
  process.exitCode = 1;
}
