'use strict';
// The same drain for HTTP over TLS and HTTP/2, the private probe socket, and the control channel's own rules.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const http2 = require('node:http2');
const tls = require('node:tls');
const { Shim, Client, get, inTime, until } = require('./shim.cjs');

async function world(t, source, options) {
  const shim = await Shim.start();
  t.after(() => shim.end());
  const held = await shim.hold();
  const app = shim.app(source, options && options(shim));
  await shim.said('listening', app);
  return { shim, held, app };
}

/** A pre-shared key needs no certificate. */
const PSK = `{ ciphers: 'PSK', maxVersion: 'TLSv1.2', pskCallback: () => Buffer.alloc(16, 7), pskIdentityHint: 'x' }`;
const HTTPS = `require('https').createServer(${PSK}, (q, r) => { console.log(q.url);
  if (q.url === '/gate') return void process.once('SIGUSR2', () => r.end('gate'));
  r.end('secure ' + Boolean(q.socket.encrypted) + ' ' + q.socket.remoteAddress); }).listen(PORT0);`;

class SecureClient extends Client {
  static async open(place) {
    const client = Object.create(SecureClient.prototype);
    const psk = () => ({ psk: Buffer.alloc(16, 7), identity: 'x' });
    Object.assign(client, { text: '', ended: undefined });
    client.socket = tls.connect({ ...place, ciphers: 'PSK', maxVersion: 'TLSv1.2', pskCallback: psk, checkServerIdentity: () => {} });
    client.socket.on('data', (data) => (client.text += data));
    client.socket.on('end', () => (client.ended = client.ended || 'fin'));
    client.socket.on('error', (error) => (client.ended = error.code));
    await new Promise((resolve, reject) => client.socket.once('secureConnect', resolve).once('error', reject));
    return client;
  }
}

const request = (url) => `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`;

test('https: in progress is answered, idle is served or ended by FIN, a silent handshake is no obstacle', async (t) => {
  const { shim, held, app } = await world(t, HTTPS);
  const busy = await SecureClient.open(held.place);
  const idle = await SecureClient.open(held.place);
  const used = await SecureClient.open(held.place);
  const silent = await Client.open(held.place);
  t.after(() => [busy, idle, used, silent].forEach((client) => client.close()));
  busy.write(request('/gate'));
  used.write(request('/'));
  await used.see(/secure true/);
  used.text = '';
  await until(() => app.out.includes('/gate'), () => app.out + app.err);
  shim.stop(400, 10000);
  await shim.said('stopped');
  const start = Date.now();
  used.write(request('/'));
  assert.strictEqual(await used.finish(), 'fin');
  assert.match(used.text, /Connection: close[^]*secure true/);
  assert.ok(Date.now() - start < 300);
  assert.strictEqual(await idle.finish(), 'fin');
  assert.strictEqual(await silent.finish(), 'fin');
  assert.ok(Date.now() - start >= 350);
  process.kill(app.pid, 'SIGUSR2');
  assert.strictEqual(await busy.finish(), 'fin');
  assert.match(busy.text, /Connection: close[^]*gate/);
  assert.strictEqual(await shim.said('drained', app), 'drained 2 0');
  assert.strictEqual(app.err, '');
});

const H2 = `const server = require('http2').createServer();
  server.on('stream', (stream, headers) => { console.log(headers[':path']); stream.respond({ ':status': 200 });
    if (headers[':path'] === '/gate') process.once('SIGUSR2', () => stream.end('gate')); else stream.end('fast'); });
  server.listen(PORT0);`;

const stream = (session, url) => {
  const one = session.request({ ':path': url });
  one.text = '';
  one.setEncoding('utf8');
  one.on('data', (data) => (one.text += data));
  one.done = new Promise((resolve) => one.on('close', () => resolve(one.rstCode)).on('error', () => {}));
  return one;
};

test('http2: the client is told which stream is the last, it finishes, then the session ends', async (t) => {
  const { shim, held, app } = await world(t, H2);
  const session = http2.connect(`http://127.0.0.1:${held.port}`);
  t.after(() => session.destroy());
  const goaways = [];
  session.on('goaway', (code, last) => goaways.push([code, last]));
  const gate = stream(session, '/gate');
  await until(() => app.out.includes('/gate'), () => app.out + app.err);
  shim.stop(5000, 10000);
  await until(() => goaways.length > 0, 'GOAWAY');
  assert.deepStrictEqual(goaways, [[0, 1]]);
  process.kill(app.pid, 'SIGUSR2');
  assert.strictEqual(await inTime(gate.done, 'the stream'), 0);
  assert.strictEqual(gate.text, 'gate');
  await shim.said('drained 0 0', app);
});

test('http2: an idle session is served once more, and told so with that stream', async (t) => {
  const { shim, held, app } = await world(t, H2);
  const session = http2.connect(`http://127.0.0.1:${held.port}`);
  t.after(() => session.destroy());
  const goaways = [];
  session.on('goaway', (code, last) => goaways.push([code, last]));
  await inTime(stream(session, '/').done, 'a first stream');
  shim.stop(8000, 10000);
  await shim.said('stopped');
  const last = [stream(session, '/'), stream(session, '/')];
  for (const one of last) assert.deepStrictEqual([await inTime(one.done, 'a stream'), one.text], [0, 'fast']);
  await until(() => goaways.length > 0, 'GOAWAY');
  assert.deepStrictEqual(goaways, [[0, 5]]);
  await shim.said('drained 0 0', app);
});

test('http2: a stream that crosses the GOAWAY is known to be undone, and never hangs', async (t) => {
  const { shim, held, app } = await world(t, H2);
  const session = http2.connect(`http://127.0.0.1:${held.port}`);
  t.after(() => session.destroy());
  const gate = stream(session, '/gate');
  await until(() => app.out.includes('/gate'), () => app.out + app.err);
  let crossing;
  const flow = setInterval(() => session.closed || (crossing = stream(session, '/')), 0);
  t.after(() => clearInterval(flow));
  await until(() => crossing, 'a stream in flight');
  const goaway = new Promise((resolve) => session.once('goaway', resolve));
  shim.stop(5000, 10000);
  await goaway;
  clearInterval(flow);
  const code = await inTime(crossing.done, 'the crossing stream');
  assert.ok(code === 0 ? crossing.text === 'fast' : code === http2.constants.NGHTTP2_REFUSED_STREAM, `${code}`);
  process.kill(app.pid, 'SIGUSR2');
  assert.strictEqual(await inTime(gate.done, 'the stream'), 0);
});

test('http2: an idle session that stays idle is closed after the linger', async (t) => {
  const { shim, held, app } = await world(t, H2);
  const session = http2.connect(`http://127.0.0.1:${held.port}`);
  t.after(() => session.destroy());
  await inTime(stream(session, '/').done, 'a first stream');
  const last = new Promise((resolve) => session.on('goaway', (code, id) => resolve([code, id])));
  shim.stop(400, 10000);
  await shim.said('stopped');
  const start = Date.now();
  assert.deepStrictEqual(await inTime(last, 'GOAWAY'), [0, 1]);
  assert.ok(Date.now() - start >= 350);
  await shim.said('drained 0 0', app);
});

test('http2 over TLS: GOAWAY, the stream finishes, the session ends; HTTP/1.1 on the same port too', async (t) => {
  const { shim, held, app } = await world(t, `const server = require('http2').createSecureServer({ ...${PSK}, allowHTTP1: true }, (q, r) => {
    console.log(q.url); process.once('SIGUSR2', () => r.end('gate ' + q.httpVersion)); }).listen(PORT0);`);
  const psk = () => ({ psk: Buffer.alloc(16, 7), identity: 'x' });
  const session = http2.connect(`https://127.0.0.1:${held.port}`, { ciphers: 'PSK', maxVersion: 'TLSv1.2', pskCallback: psk, checkServerIdentity: () => {} });
  const old = await SecureClient.open(held.place);
  t.after(() => [session, old.socket].forEach((one) => one.destroy()));
  const goaways = [];
  session.on('goaway', (code, last) => goaways.push([code, last]));
  const gate = stream(session, '/two');
  old.write(request('/one'));
  await until(() => app.out.includes('/one') && app.out.includes('/two'), () => app.out + app.err);
  shim.stop(5000, 10000);
  await until(() => goaways.length > 0, 'GOAWAY');
  assert.deepStrictEqual(goaways, [[0, 1]]);
  process.kill(app.pid, 'SIGUSR2');
  assert.strictEqual(await inTime(gate.done, 'the stream'), 0);
  assert.strictEqual(gate.text, 'gate 2.0');
  assert.strictEqual(await old.finish(), 'fin');
  assert.match(old.text, /Connection: close[^]*gate 1.1$/);
  old.socket.end();
  await shim.said('drained', app);
});

test('https: a handshake that gets on is waited for, one that stopped half-way is not', async (t) => {
  const { shim, held, app } = await world(t, HTTPS);
  const stuck = await Client.open(held.place);
  const slow = await Client.open(held.place);
  const later = await SecureClient.open(held.place);
  t.after(() => [stuck, slow, later].forEach((client) => client.close()));
  later.close();
  stuck.write('\x16\x03\x01');
  shim.stop(1000, 10000);
  await shim.said('stopped');
  const start = Date.now();
  const hello = Buffer.from('1603010100010000fc0303', 'hex');
  for (const byte of hello) {
    slow.socket.write(Buffer.of(byte));
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.ok(Date.now() - start > 1450 && slow.ended === undefined, 'longer than the linger');
  assert.ok(await stuck.finish());
  assert.ok(await slow.finish());
  assert.strictEqual(await shim.said('drained', app), 'drained 0 0');
});

const probing = (shim) => ({ env: { APPCTL_PROBE: shim.probePath } });

for (const [name, source, answer] of [
  ['http', `require('http').createServer((q, r) => r.end('here ' + q.socket.remoteAddress)).listen(PORT0);`, 'here 127.0.0.1'],
  ['https', HTTPS, 'secure true 127.0.0.1'],
]) {
  test(`the probe socket answers for this instance in plain HTTP: ${name}`, async (t) => {
    const { shim, app } = await world(t, source, probing);
    await shim.said('probe', app);
    const text = await get({ path: shim.probePath });
    assert.ok(text.startsWith('HTTP/1.1 200') && text.endsWith(answer), text + app.err);
  });
}

test('probe connections count nowhere and do not hold up the drain', async (t) => {
  const { shim, app } = await world(t, `require('http').createServer((q, r) => {}).listen(PORT0);`, probing);
  await shim.said('probe', app);
  const client = await Client.open({ path: shim.probePath });
  t.after(() => client.close());
  client.write(request('/'));
  await shim.said('beat', app);
  await until(() => shim.lines.filter((line) => line.startsWith('beat')).length > 1, 'a second beat');
  assert.match(shim.lines.filter((line) => line.startsWith('beat')).pop(), /^beat \d+ 0 0 0 0$/);
  shim.stop(1000);
  assert.strictEqual(await shim.said('drained', app), 'drained 0 0');
});

test('a probe path left behind by a killed process is taken over; a path in use is left', async (t) => {
  const leave = (shim) => {
    const child = require('node:child_process').spawnSync(process.execPath, ['-e', `require('net').createServer().listen('${shim.probePath}', () => process.kill(process.pid, 'SIGKILL'))`]);
    assert.ok(child.signal === 'SIGKILL' && fs.existsSync(shim.probePath));
    return probing(shim);
  };
  const { shim, app } = await world(t, `require('http').createServer((q, r) => r.end('first')).listen(PORT0);`, leave);
  await shim.said('probe', app);
  const second = shim.app(`require('http').createServer((q, r) => r.end('second')).listen(PORT0, () => setTimeout(() => console.log('up'), 300));`, probing(shim));
  await until(() => second.out === 'up\n', () => second.err);
  assert.match(await get({ path: shim.probePath }), /first$/);
});

test('the beat tells the delay of the event loop, requests in progress and open connections', async (t) => {
  const { shim, held, app } = await world(t, `require('http').createServer((q, r) => { if (q.url === '/block') { const end = Date.now() + 1500; while (Date.now() < end); } }).listen(PORT0);`);
  const clients = await Promise.all([1, 2, 3].map(() => Client.open(held.place)));
  t.after(() => clients.forEach((client) => client.close()));
  clients[0].write(request('/'));
  await until(() => shim.lines.some((line) => /^beat \d+ 1 3 0 0$/.test(line)), () => shim.lines.join());
  clients[1].write(request('/block'));
  const late = await until(() => shim.lines.find((line) => /^beat (\d{3,})/.test(line)), () => shim.lines.join() + app.err);
  const delay = Number(late.split(' ')[1]);
  assert.ok(delay >= 400 && delay < 5000, late);
});

test('garbage on the channel is ignored, an endless line closes it, and the app goes on', async (t) => {
  const { shim, held, app } = await world(t, `require('http').createServer((q, r) => r.end('alive')).listen(PORT0);`);
  for (const line of ['', 'stop', 'stop x y', 'stop -1 5', 'stop 1 2 3', 'constructor 1 2', '__proto__ 1 2', 'STOP 1 2', '\u0000\uffff', 'stop 1e9 1e9']) shim.send(line);
  await shim.said('beat', app);
  assert.ok(!shim.lines.includes('stopped'), shim.lines.join());
  shim.send('x'.repeat(5000));
  await until(() => shim.channels.size === 0, 'the channel to close');
  assert.match(await get(held.place, request('/').replace('Host', 'Connection: close\r\nHost')), /alive$/);
  assert.strictEqual(app.err, '');
});

test('a stop that arrives in pieces is understood', async (t) => {
  const { shim } = await world(t, `require('http').createServer().listen(PORT0);`);
  const [channel] = shim.channels;
  for (const piece of ['st', 'op 1', '00 10', '00\n']) {
    channel.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  await shim.said('drained 0 0');
});

test('no shim to talk to: the app serves all the same', async (t) => {
  const shim = await Shim.start();
  t.after(() => shim.end());
  const held = await shim.hold();
  const app = shim.app(`require('http').createServer((q, r) => r.end('alive')).listen(PORT0, () => console.log('up'));`, { env: { APPCTL_CONTROL: `${shim.directory}/absent.sock` } });
  await until(() => app.out === 'up\n', () => app.err);
  assert.match(await get(held.place), /alive$/);
  assert.strictEqual(app.err, '');
});

test('the channel keeps no process alive, and what was said before the end arrives', async (t) => {
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  const app = shim.app(`const s = require('http').createServer().listen(PORT0, () => setTimeout(() => s.close(), 50));`);
  assert.deepStrictEqual(await app.exited, { code: 0, signal: null });
  await shim.said('listening', app);
});
