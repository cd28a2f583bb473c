'use strict';
// What clients see, byte for byte, while an instance is emptied: raw connections, every one answered or cleanly ended.

const test = require('node:test');
const assert = require('node:assert');
const { Shim, get, until } = require('./shim.cjs');
const { APP, LINGER_MS, LONG_MS, request, world, idle, seen, stopped, closes } = require('./drain-world.cjs');

test('nothing open: drained at once, whatever the linger', async (t) => {
  const { shim } = await world(t);
  const start = await stopped(shim, LONG_MS);
  assert.strictEqual(await shim.said('drained'), 'drained 0 0');
  assert.ok(Date.now() - start < 1000);
});

test('new connections go to a sibling from `stopped` on, and the app does not notice', async (t) => {
  const { shim, held, app } = await world(t, `${APP}
    process.on('SIGTERM', () => { console.log('listening', server.listening); server.close((error) => { console.log('closed', error); process.exit(); }); });`);
  await stopped(shim);
  const waiting = get(held.place, request('/', 'Connection: close\r\n'));
  shim.app(`require('http').createServer((q, r) => r.end('sibling')).listen(PORT0)`);
  assert.match(await waiting, /sibling$/);
  assert.strictEqual(app.out, '');
  process.kill(app.pid, 'SIGTERM');
  assert.deepStrictEqual(await app.exited, { code: 0, signal: null });
  assert.strictEqual(app.out, 'listening true\nclosed undefined\n');
});

test('an idle connection is served within the linger, told to close, then ended by FIN', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  const start = await stopped(shim, LONG_MS);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.strictEqual(client.ended, undefined, 'idle is not ended at once');
  client.write(request('/'));
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(closes(client.text) && client.text.endsWith('fast'), client.text);
  client.socket.end();
  assert.strictEqual(await shim.said('drained'), 'drained 1 0');
  assert.ok(Date.now() - start < LONG_MS / 2, 'ends early');
});

test('the end of the last connection is the end of the drain, not the next look at it', async (t) => {
  const { shim, app, open } = await world(t, `${APP}
    const { setInterval } = globalThis;
    globalThis.setInterval = (look, ms) => setInterval(look, ms < 1000 ? 3600000 : ms);`);
  const clients = [await idle(open, app), await idle(open, app)];
  await stopped(shim, LONG_MS);
  for (const client of clients) {
    client.write(request('/'));
    assert.strictEqual(await client.finish(), 'fin');
    assert.ok(!shim.lines.some((line) => line.startsWith('drained')), 'one is open still');
    client.socket.end();
  }
  assert.strictEqual(await shim.said('drained'), 'drained 2 0');
});

test('an idle connection beyond the linger gets FIN, not RST, and not a moment earlier', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  const start = await stopped(shim);
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(Date.now() - start >= LINGER_MS - 50, `ended after ${Date.now() - start} ms`);
  client.write(request('/'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.strictEqual(client.ended, 'fin', 'a late request is not answered by a reset');
  assert.ok(!shim.lines.some((line) => line.startsWith('drained')), 'waits for the peer to close');
  client.socket.end();
  assert.strictEqual(await shim.said('drained'), 'drained 0 0');
});

test('a peer that never closes is waited for only a while', async (t) => {
  const { shim, app, open } = await world(t);
  await idle(open, app);
  const start = await stopped(shim, 50, 60000);
  assert.strictEqual(await shim.said('drained'), 'drained 0 0');
  assert.ok(Date.now() - start < 5000);
});

test('a connection accepted but silent lingers, and is served when it speaks in time', async (t) => {
  const { shim, held, app, open } = await world(t);
  const silent = await open();
  const late = await open();
  await until(async () => (await get(held.place, request('/', 'Connection: close\r\n'))).endsWith('fast'), 'both accepted before');
  const start = await stopped(shim);
  late.write(request('/'));
  await late.see(/fast$/);
  assert.ok(closes(late.text));
  assert.strictEqual(await silent.finish(), 'fin');
  assert.ok(Date.now() - start >= LINGER_MS - 50);
  assert.strictEqual(app.err, '');
});

test('a request in progress is answered in full with close, however long beyond the linger', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await open(request('/gate'));
  await seen(app, 'GET /gate');
  await stopped(shim, 50);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.strictEqual(client.ended, undefined);
  process.kill(app.pid, 'SIGUSR2');
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(closes(client.text) && client.text.endsWith('gate'), client.text);
  client.socket.end();
  assert.strictEqual(await shim.said('drained'), 'drained 1 0');
});

test('a response whose headers are out ends whole; its connection then counts as idle', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await open(request('/stream'));
  await client.see(/first,/);
  await stopped(shim, 500);
  process.kill(app.pid, 'SIGUSR2');
  await client.see(/4\r\nlast\r\n0\r\n\r\n$/);
  assert.ok(!closes(client.text));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.strictEqual(client.ended, undefined);
  client.write(request('/'));
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(closes(client.text) && client.text.endsWith('fast'), client.text);
});

test('a stream that ends after the linger leaves its connection a linger of its own', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await open(request('/stream'));
  await client.see(/first,/);
  const start = await stopped(shim, 300);
  await until(() => Date.now() - start > 400, 'the linger to pass');
  process.kill(app.pid, 'SIGUSR2');
  await client.see(/last\r\n0\r\n\r\n$/);
  const end = Date.now();
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(Date.now() - end >= 250, `ended after ${Date.now() - end} ms`);
});

test('a slow upload straddles the drain', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await open('POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345');
  await seen(app, 'POST /upload');
  await stopped(shim, 50);
  await new Promise((resolve) => setTimeout(resolve, 200));
  client.write('67890');
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(closes(client.text) && client.text.endsWith('got 10'), client.text);
});

test('a request whose head is half here when the linger ends is waited for and served', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  await stopped(shim, 200);
  client.write('GET / HTTP/1.1\r\nHo');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.strictEqual(client.ended, undefined);
  client.write('st: x\r\n\r\n');
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(client.text.endsWith('fast'), client.text);
});

test('a request beyond the deadline is counted as cut, an idle connection is not', async (t) => {
  const { shim, app, open } = await world(t);
  await open(request('/gate'));
  await idle(open, app);
  await seen(app, 'GET /gate');
  await stopped(shim, LONG_MS, 300);
  assert.strictEqual(await shim.said('drained'), 'drained 0 1');
  await until(() => app.err.endsWith('\n'), () => app.err);
  assert.match(app.err, /^appctl: cut at the stop deadline: GET \/gate after \d+\.\d s\n$/);
});

test('a request that heartbeats have seen is named with its age since then, not since the stop', async (t) => {
  const { shim, app, open } = await world(t);
  await open(request('/never'));
  // A second apart.
  await until(() => shim.lines.filter((line) => /^beat \d+ 1 1 /.test(line)).length > 1, 'two beats that count it');
  shim.stop(0, 100);
  await shim.said('drained', app);
  const [, age] = /GET \/never after (\d+\.\d) s/.exec(app.err);
  assert.ok(Number(age) >= 0.9, `after ${age} s`);
});

test('of many requests beyond the deadline the first twenty are named, without their queries', async (t) => {
  const { shim, app, open } = await world(t);
  for (let n = 0; n < 23; n += 1) await open(request('/gate').replace('/gate', `/never/${n}?token=secret`));
  await until(() => app.out.includes('/never/22'), () => app.out + app.err);
  await stopped(shim, 50, 200);
  assert.strictEqual(await shim.said('drained'), 'drained 0 23');
  await until(() => /3 more\n$/.test(app.err), () => app.err);
  assert.strictEqual(app.err.match(/cut at the stop deadline: GET \/never\/\d+ after \d+\.\d s\n/g).length, 20);
  assert.ok(!app.err.includes('secret'));
});

test('a peer that sends half a request and falls silent is named too', async (t) => {
  const { shim, held, app, open } = await world(t);
  const client = await open();
  await until(async () => (await get(held.place, request('/', 'Connection: close\r\n'))).endsWith('fast'), 'it is accepted');
  await stopped(shim, 200, 600);
  client.write('POST /half');
  assert.strictEqual(await shim.said('drained', app), 'drained 0 1');
  await until(() => /an unfinished request from 127\.0\.0\.1 after/.test(app.err), () => app.err);
});

test('a connection of a plain net server is waited for until it ends', async (t) => {
  const { shim, open, app } = await world(t, `require('net').createServer((s) => s.on('data', (d) => s.write(d))).listen(PORT0);`);
  const client = await open('one');
  await client.see(/one/);
  await stopped(shim, 50);
  await new Promise((resolve) => setTimeout(resolve, 200));
  client.write('two');
  await client.see(/onetwo/);
  client.socket.end();
  assert.strictEqual(await shim.said('drained', app), 'drained 0 0');
});

test('a process that never listens takes no part', async (t) => {
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  shim.app('setInterval(() => {}, 1000)');
  await shim.said('hello');
  shim.stop(0, 100);
  await shim.said('beat');
  await shim.said('beat');
  assert.deepStrictEqual(shim.lines.filter((line) => !/^(hello|beat)/.test(line)), []);
});

test('a second stop changes nothing', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  await stopped(shim, 300);
  shim.stop(0, 0);
  await until(() => client.ended, 'the end');
  client.socket.end();
  await shim.said('drained');
  assert.strictEqual(shim.lines.filter((line) => line === 'stopped').length, 1);
});
