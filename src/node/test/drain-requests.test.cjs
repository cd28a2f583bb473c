'use strict';
// What becomes of requests while an instance is emptied: behind one another, half sent, with a body, read slowly.

const test = require('node:test');
const assert = require('node:assert');
const { until } = require('./shim.cjs');
const { request, world, idle, seen, stopped, closes } = require('./drain-world.cjs');

test('pipelined requests in progress are both answered, close on the last', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await open(request('/gate') + request('/slow'));
  await seen(app, 'GET /slow');
  await stopped(shim);
  process.kill(app.pid, 'SIGUSR2');
  assert.strictEqual(await client.finish(), 'fin');
  const [first, second] = client.text.split(/(?<=gate)/);
  assert.ok(first.endsWith('gate') && !closes(first), client.text);
  assert.ok(second.endsWith('slow'), client.text);
});

test('pipelined requests that arrive during the drain are both answered while the first has no headers out', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  await stopped(shim);
  client.write(request('/slow') + request('/slow'));
  assert.strictEqual(await client.finish(), 'fin');
  const [first, second] = client.text.split(/(?<=slow)/);
  assert.ok(!closes(first) && closes(second) && second.endsWith('slow'), client.text);
});

test('a request that arrives behind one in progress is answered too, close on the last', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await open(request('/gate'));
  await seen(app, 'GET /gate');
  await stopped(shim);
  client.write(request('/slow'));
  await seen(app, 'GET /slow');
  process.kill(app.pid, 'SIGUSR2');
  assert.strictEqual(await client.finish(), 'fin');
  const [first, second] = client.text.split(/(?<=gate)/);
  assert.ok(first.endsWith('gate') && !closes(first), client.text);
  assert.ok(closes(second) && second.endsWith('slow'), client.text);
});

test('requests that arrive together are all answered, however fast the handler, close on the last', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  await stopped(shim);
  client.write(request('/').repeat(5) + 'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody' + request('/set'));
  assert.strictEqual(await client.finish(), 'fin');
  const answers = client.text.split(/(?=HTTP\/1.1 200 OK)/);
  assert.deepStrictEqual(answers.map((answer) => answer.slice(answer.indexOf('\r\n\r\n') + 4)), [...Array(5).fill('fast'), 'got 4', 'set']);
  assert.deepStrictEqual(answers.map(closes), [...Array(6).fill(false), true]);
  client.socket.end();
  assert.strictEqual(await shim.said('drained', app), 'drained 7 0');
});

test('an upload behind a response that said close is read to its end and not carried out', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  await stopped(shim);
  client.write(request('/'));
  await client.see(/fast$/);
  client.write(`POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n`);
  client.socket.end('x'.repeat(5000000));
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(closes(client.text) && client.text.endsWith('fast'), client.text);
  await shim.said('drained', app);
  await until(() => client.socket.closed, 'both sides closed');
  assert.strictEqual(client.ended, 'fin');
  assert.ok(client.socket.writableFinished && !app.out.includes('/never'), app.out);
});

test('a request behind a response that said close is not carried out', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  await stopped(shim);
  client.write(request('/object'));
  await client.see(/object/);
  client.write(request('/never'));
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(closes(client.text) && client.text.includes('object'), client.text);
  assert.ok(!app.out.includes('/never'), app.out);
});

for (const url of ['/object', '/array', '/set']) {
  test(`an explicit keep-alive of the app is replaced: ${url}`, async (t) => {
    const { shim, app, open } = await world(t);
    const client = await idle(open, app);
    await stopped(shim);
    client.write(request(url));
    assert.strictEqual(await client.finish(), 'fin');
    assert.ok(closes(client.text) && !/keep-alive/i.test(client.text), client.text);
    assert.ok(client.text.includes(url.slice(1)) && client.text.endsWith('\r\n0\r\n\r\n') === (url !== '/set') && (url === '/set' || /X-A: b/.test(client.text)), client.text);
  });
}

test('HEAD is answered with close', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  await stopped(shim);
  client.write('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(closes(client.text) && client.text.endsWith('\r\n\r\n'), client.text);
});

test('Expect: 100-continue is continued and answered', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  await stopped(shim);
  client.write('POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
  await client.see(/100 Continue\r\n\r\n/);
  client.write('ab');
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(closes(client.text) && client.text.endsWith('got 2'), client.text);
});

test('an answer given before the upload is complete arrives, though bytes are still coming in', async (t) => {
  const { shim, app, open } = await world(t);
  const client = await idle(open, app);
  await stopped(shim);
  client.write(`POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n`);
  const feed = setInterval(() => client.write('x'.repeat(10000)), 5);
  t.after(() => clearInterval(feed));
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(closes(client.text) && client.text.endsWith('early'), client.text);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.strictEqual(client.ended, 'fin', 'lingers while the peer is sending');
});

test('a slow reader gets the whole of a large response', async (t) => {
  const { shim, app, open } = await world(t, `require('http').createServer((q, r) => { console.log('GET'); r.end(Buffer.alloc(20e6, 'z')); }).listen(PORT0);`);
  const client = await open();
  let size = 0;
  client.socket.removeAllListeners('data');
  client.socket.pause();
  client.write(request('/'));
  await seen(app, 'GET');
  await stopped(shim, 50, 60000);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  client.socket.on('data', (data) => (size += data.length));
  client.socket.resume();
  await until(() => size > 20e6, () => `all bytes, have ${size}`);
  assert.strictEqual(await client.finish(), 'fin');
});
