// node receive.mjs NAME [--pipe PIPE] [--unverified]
//
// Opens the endpoint NAME (such as user/inbox), takes one delivery and uses it: what a file has in it is printed, an
// event is set. Exit code 0 only if that was done.
import { parseArgs } from 'node:util';
import { Session, applyFlags, closeItem } from './handle_broker.mjs';
import { ReadFile, SetEvent, must } from './windows.mjs';

const options = { pipe: { type: 'string' }, unverified: { type: 'boolean' } };

function use({ type, handle }) {
  if (type === 'Event') {
    must(SetEvent(handle), 'the event cannot be set');
    console.log('target: the event is set');
    return;
  }
  const bytes = Buffer.alloc(65536), count = [0];
  do {
    must(ReadFile(handle, bytes, bytes.length, count, null), 'the file cannot be read');
    process.stdout.write(Buffer.from(bytes.subarray(0, count[0])));
  } while (count[0] > 0);
}

function receive(session, name) {
  // This is the consent: files to read, and events to set, and nothing else.
  session.request('endpoint.open', { name, types: { File: 'read', Event: 0x2 /* EVENT_MODIFY_STATE */ } });
  console.log(`target: ${name} is open`);
  for (let done = false; !done; ) {
    const { method, params } = session.notification();
    if (method !== 'handle.delivered') continue;
    // Without an endpoint it is another process that has put a handle into this one: not for us, but ours to close.
    done = params.endpoint === name;
    if (done) console.log(`target: process ${params.from.pid} has sent ${params.items.length} handles`);
    for (const item of params.items) {
      applyFlags(item);
      if (done) use(item);
      closeItem(item);
    }
  }
  session.request('endpoint.close', { name });
  session.close();
}

try {
  const { positionals: [name], values } = parseArgs({ allowPositionals: true, options });
  if (!name) throw new Error('usage: node receive.mjs NAME [--pipe PIPE] [--unverified]');
  receive(new Session(values), name);
} catch (error) {
  console.error(`target: ${error.message}`);
  process.exitCode = 1;
}
