'use strict';
// A blocked event loop tells its stack when it is asked by SIGUSR1, and only then.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const { Shim, Client, get, until } = require('./shim.cjs');

const WATCHED = { APPCTL_WATCHDOG_MS: '200', NODE_OPTIONS: `--require ${require('./shim.cjs').ADAPTER} --inspect-publish-uid=stderr` };

/** An app whose /block does `work` and never comes back. */
async function world(t, work, more = '') {
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  const child = shim.app(
    `${more}
     function holdTheLoop() { ${work} }
     require('http').createServer(function answer(q, r) { if (q.url === '/block') { process.stdout.write('blocked'); holdTheLoop(); } r.end('pid ' + process.pid); }).listen(PORT0);`,
    { env: WATCHED },
  );
  await shim.said('listening', child);
  return { shim, child };
}

/** Hundredths of a second that its main thread has run. */
function busy(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Blocks it, and asks once its heart is late. */
async function asked({ shim, child }) {
  const client = await Client.open(shim.held[0].place);
  client.write('GET /block HTTP/1.1\r\nHost: x\r\n\r\n');
  await until(() => child.out.includes('blocked'), () => child.err);
  const before = busy(child.pid);
  await until(() => busy(child.pid) - before > 150, 'a heart that is late');
  process.kill(child.pid, 'SIGUSR1');
  return client;
}

const BLOCKS = {
  'a loop': 'while (true) {}',
  'a regular expression': `/^(a+)+$/.test('a'.repeat(60) + 'b')`,
  'JSON without end': 'for (;;) JSON.stringify(Array(1000).fill({ a: 1 }))',
};

for (const [name, work] of Object.entries(BLOCKS)) {
  test(`the stack of ${name} names the function`, async (t) => {
    const here = await world(t, work, `Error.prepareStackTrace = () => { throw new Error('the app was asked') }; Error.stackTraceLimit = 1;`);
    await here.shim.said('traceable', here.child);
    const client = await asked(here);
    t.after(() => client.close());
    await here.shim.said('traced', here.child);
    const lines = here.shim.lines.filter((line) => line.startsWith('stack '));
    assert.match(lines.join('\n'), /holdTheLoop \(.*app-0\.cjs:\d+:\d+\)\nstack at Server\.answer \(/);
    assert.ok(lines.length <= 32 && lines.every((line) => line.length < 320), lines.join('\n'));
    assert.doesNotMatch(lines.join('\n'), /stack\.cjs/);
    const port = /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(here.child.err)[1];
    assert.strictEqual(await get({ port: Number(port), host: '127.0.0.1' }), 'ECONNREFUSED');
  });
}

test('whoever debugs an app that turns finds the debugger, and no stack is told', async (t) => {
  const { shim, child } = await world(t, '');
  await shim.said('traceable', child);
  process.kill(child.pid, 'SIGUSR1');
  await until(() => /ws:\/\/127\.0\.0\.1:\d+/.test(child.err), () => child.err);
  assert.match(await get(shim.held[0].place), /pid \d+$/);
  assert.strictEqual(shim.lines.includes('traced'), false);
});

test('an app that has SIGUSR1 for itself, or no watchdog, is not traceable', async (t) => {
  const own = await world(t, '', `process.on('SIGUSR1', () => process.stdout.write('mine'));`);
  await own.shim.said('beat', own.child);
  process.kill(own.child.pid, 'SIGUSR1');
  await until(() => own.child.out.includes('mine'), () => own.child.err);
  own.shim.app(`require('http').createServer().listen(PORT0)`);
  await until(() => own.shim.lines.filter((line) => line.startsWith('listening')).length === 2, () => own.shim.lines.join());
  assert.strictEqual(own.shim.lines.includes('traceable'), false);
});

test('a worker thread with an environment of its own still starts under a watchdog', async (t) => {
  const { child } = await world(t, '', `new (require('worker_threads').Worker)('console.log("worker")', { eval: true, env: { ...process.env } });`);
  await until(() => child.out.includes('worker'), () => child.err);
});
