'use strict';
// Connections and responses without an end: closed over a window, waited for, or ended at once, never in mid-message.

const test = require('node:test');
const assert = require('node:assert');
const http2 = require('node:http2');
const { inTime, until } = require('./shim.cjs');
const { request, world, stopped } = require('./drain-world.cjs');

/** `/events` is an endless event stream, `/tokens` one that answers a POST and ends at SIGUSR2, `/upgrade` echoes. */
const APP = `
  const server = require('http').createServer((q, r) => {
    console.log(q.method + ' ' + q.url);
    r.on('close', () => console.log('closed ' + q.url));
    r.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
    r.write('data: 0\\n\\n');
    if (q.url === '/tokens') return void process.once('SIGUSR2', () => r.end('data: last\\n\\n'));
    setInterval(() => r.write('data: tick\\n\\n', () => {}), 10);
  });
  server.on('upgrade', (q, s) => {
    console.log('UPGRADE ' + q.url);
    s.on('data', (d) => s.write(d));
    if (q.url === '/late') return void process.once('SIGUSR2', () => s.write('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n'));
    s.write('HTTP/1.1 101 Switching Protocols\\r\\n\\r\\n');
    if (q.url === '/chatty') setInterval(() => s.write('chat'), 5);
  });
  server.listen(PORT0);`;

const policy = (words) => ({ APPCTL_STREAMS: words });
const upgrade = (url) => `GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`;

/** Every chunk of the body is whole, and so is the terminator. */
function wholeEvents(text) {
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return /^(?:[0-9a-f]+\r\ndata: \w+\n\n\r\n)+0\r\n\r\n$/.test(body);
}

for (const words of ['close 0', 'cut']) {
  test(`${words}: an event stream ends cleanly and the app, which goes on writing, does not notice`, async (t) => {
    const { shim, app, open } = await world(t, APP, policy(words));
    const client = await open(request('/events'));
    await client.see(/tick/);
    await stopped(shim, 100);
    await client.see(/\r\n0\r\n\r\n$/);
    assert.ok(wholeEvents(client.text), client.text);
    assert.strictEqual(await client.finish(), 'fin');
    client.socket.end();
    assert.strictEqual(await shim.said('drained', app), 'drained 1 0');
    await until(() => app.out.includes('closed /events'), () => app.out);
    assert.strictEqual(app.err, '');
  });

  test(`${words}: an upgraded connection is half-closed, and what it is sent afterwards harms nobody`, async (t) => {
    const { shim, app, open } = await world(t, APP, policy(words));
    const quiet = await open(upgrade('/quiet'));
    const chatty = await open(upgrade('/chatty'));
    await quiet.see(/101/);
    await chatty.see(/chat/);
    await stopped(shim, 50);
    assert.strictEqual(await quiet.finish(), 'fin');
    quiet.write('too late');
    assert.strictEqual(await chatty.finish(), 'fin', 'one that is never quiet ends too');
    assert.match(chatty.text, /\r\n\r\n(chat)+$/);
    for (const client of [quiet, chatty]) client.socket.end();
    assert.strictEqual(await shim.said('drained', app), 'drained 0 0');
    assert.strictEqual(app.err, '');
  });
}

test('close: streams end one after the other over the window', async (t) => {
  const { shim, app, open } = await world(t, APP, policy('close 800'));
  const clients = await Promise.all(Array.from({ length: 4 }, () => open(request('/events'))));
  for (const client of clients) await client.see(/tick/);
  await stopped(shim, 50);
  const ended = () => clients.filter((client) => wholeEvents(client.text)).length;
  const seen = new Set();
  await until(() => seen.add(ended()).has(4), () => [...seen].join());
  assert.deepStrictEqual([...seen].filter((count) => count > 0), [1, 2, 3, 4]);
  clients.forEach((client) => client.socket.end());
  assert.strictEqual(await shim.said('drained', app), 'drained 4 0');
});

test('an event stream that answers a POST is a request in progress', async (t) => {
  const { shim, app, open } = await world(t, APP, policy('cut'));
  const client = await open('POST /tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
  await client.see(/data: 0/);
  await stopped(shim, 50);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(!client.text.endsWith('\r\n0\r\n\r\n'), 'not cut');
  process.kill(app.pid, 'SIGUSR2');
  await client.see(/data: last\n\n\r\n0\r\n\r\n$/);
});

test('an upgrade that is not answered yet is a request in progress', async (t) => {
  const { shim, app, open } = await world(t, APP, policy('cut'));
  const client = await open(upgrade('/late'));
  await until(() => app.out.includes('UPGRADE /late'), () => app.out + app.err);
  await stopped(shim, 50);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.strictEqual(client.ended, undefined);
  process.kill(app.pid, 'SIGUSR2');
  await client.see(/101/);
  assert.strictEqual(await client.finish(), 'fin', 'then it ends like the others');
});

test('a stream that begins during the drain is ended at once, so that its client goes on to a sibling', async (t) => {
  const { shim, app, open } = await world(t, APP, policy('close 60000'));
  const client = await open();
  const older = [await open(request('/events')), await open(request('/events'))];
  for (const one of older) await one.see(/tick/);
  await stopped(shim, 5000, 60000);
  client.write(request('/events'));
  assert.strictEqual(await client.finish(), 'fin');
  assert.ok(/Connection: close/i.test(client.text) && wholeEvents(client.text), client.text);
  // Which of them has the first place is Node's choice: its list goes by the address of an object.
  const ended = () => older.filter((one) => wholeEvents(one.text)).length;
  await until(() => ended() > 0, () => older.map((one) => one.text).join('\n'));
  assert.strictEqual(ended(), 1, 'the window is not over for both of those that were there');
});

test('wait: streams live until the deadline, then they are counted and named', async (t) => {
  const { shim, app, open } = await world(t, APP, policy('wait'));
  const events = await open(request('/events'));
  const echo = await open(upgrade('/socket?ticket=secret'));
  await events.see(/tick/);
  await echo.see(/101/);
  const start = await stopped(shim, 50, 700);
  await new Promise((resolve) => setTimeout(resolve, 300));
  echo.write('still here');
  await echo.see(/still here/);
  assert.strictEqual(await shim.said('drained', app), 'drained 0 2');
  assert.ok(Date.now() - start >= 650 && echo.ended === undefined && events.ended === undefined);
  await until(() => app.err.split('\n').length === 3, () => app.err);
  assert.match(app.err, /GET \/events after \d\.\d s\n/);
  assert.match(app.err, /GET \/socket \(upgraded\) after \d\.\d s\n/);
});

test('connections of a plain net server: cut ends them, close leaves them alone', async (t) => {
  const source = `require('net').createServer((s) => s.on('data', (d) => s.write(d))).listen(PORT0);`;
  for (const words of ['cut', 'close 0']) {
    const { shim, app, open } = await world(t, source, policy(words));
    const client = await open('one');
    await client.see(/one/);
    await stopped(shim, 50, words === 'cut' ? 10000 : 500);
    if (words === 'cut') assert.strictEqual(await client.finish(), 'fin');
    client.socket.end();
    assert.strictEqual(await shim.said('drained', app), 'drained 0 0');
  }
});

test('an app without upgrades goes on answering those who ask for one with a plain response', async (t) => {
  const { shim, app, open } = await world(t, `const server = require('http').createServer((q, r) => r.end('plain')).listen(PORT0);
    const listener = () => {}; server.on('upgrade', listener); server.removeListener('upgrade', listener);
    console.log(server.listenerCount('upgrade'));`);
  const client = await open(upgrade('/'));
  await client.see(/200 OK[^]*plain$/);
  assert.strictEqual(app.out, '0\n');
  shim.stop(0);
});

test('http2: an event stream ends cleanly, the session after it', async (t) => {
  const { shim, held, app } = await world(t, `require('http2').createServer((q, r) => {
    r.setHeader('content-type', 'text/event-stream'); setInterval(() => r.write('data: tick\\n\\n'), 10); }).listen(PORT0);`, policy('close 0'));
  const session = http2.connect(`http://127.0.0.1:${held.port}`);
  t.after(() => session.destroy());
  const events = session.request({ ':path': '/events' });
  let text = '';
  events.setEncoding('utf8').on('data', (data) => (text += data));
  const closed = new Promise((resolve) => events.on('close', () => resolve(events.rstCode)));
  await until(() => text.includes('tick'), () => text + app.err);
  shim.stop(5000);
  assert.strictEqual(await inTime(closed, 'the end of the stream'), 0);
  assert.match(text, /^(data: tick\n\n)+$/);
  assert.strictEqual(await shim.said('drained', app), 'drained 0 0');
  assert.strictEqual(app.err, '');
});

test('http2: streams beyond the deadline are counted one by one and named', async (t) => {
  const { shim, held, app } = await world(t, `require('http2').createServer((q) => console.log(q.url)).listen(PORT0);`);
  const session = http2.connect(`http://127.0.0.1:${held.port}`);
  t.after(() => session.destroy());
  for (const path of ['/one', '/two?x=1']) session.request({ ':path': path }).on('error', () => {});
  await until(() => app.out.includes('/two'), () => app.out + app.err);
  shim.stop(50, 400);
  assert.strictEqual(await shim.said('drained', app), 'drained 0 2');
  await until(() => /GET \/one after .*\n.*GET \/two after .*\n/.test(app.err), () => app.err);
});
