'use strict';
// Unmodified frameworks and shutdown libraries through a whole stop: drain first, then the app's own signal handling.
// Their packages come from the npm registry into a temporary directory; without a registry these tests are skipped.

const test = require('node:test');
const assert = require('node:assert');
const cp = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Shim, Client, until } = require('./shim.cjs');

const place = fs.mkdtempSync(path.join(os.tmpdir(), 'appctl-frameworks-'));
fs.copyFileSync(path.join(__dirname, 'package.json'), path.join(place, 'package.json'));
const npm = cp.spawnSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: place, encoding: 'utf8' });
test.after(() => fs.rmSync(place, { recursive: true, force: true }));
const skip = npm.status === 0 ? false : `npm install failed: ${String(npm.stderr).slice(-300)}`;

const onTerm = (work) => `process.on('SIGTERM', async () => { ${work}; console.log('bye'); process.exit(0); });`;
const CLOSE = onTerm(`await new Promise((done) => server.close(done))`);
const PLAIN = `const server = require('http').createServer((q, r) => q.url === '/slow' ? setTimeout(() => r.end('slow'), 500) : r.end('fast')).listen(PORT0);`;

/** Each answers `/` with "fast" at once and `/slow` with "slow" after half a second. */
const APPS = {
  'express': `const app = require('express')(); app.get('/', (q, r) => r.send('fast'));
    app.get('/slow', (q, r) => setTimeout(() => r.send('slow'), 500)); const server = app.listen(PORT0); ${CLOSE}`,
  'fastify, which answers 503 once it is closing': `const app = require('fastify')(); app.get('/', async () => 'fast');
    app.get('/slow', () => new Promise((done) => setTimeout(done, 500, 'slow'))); app.listen({ port: PORT0 }); ${onTerm('await app.close()')}`,
  'koa': `const Koa = require('koa'); const app = new Koa(); app.use(async (c) => {
    if (c.path === '/slow') await new Promise((done) => setTimeout(done, 500)); c.body = c.path === '/slow' ? 'slow' : 'fast'; });
    const server = app.listen(PORT0); ${CLOSE}`,
  'http-terminator': `${PLAIN} const terminator = require('http-terminator').createHttpTerminator({ server }); ${onTerm('await terminator.terminate()')}`,
  'stoppable': `${PLAIN} require('stoppable')(server); ${onTerm('await new Promise((done) => server.stop(done))')}`,
  'process.exit in the handler': `${PLAIN} ${onTerm('')}`,
  'no handler at all': PLAIN,
  'SIGINT and PM2\'s documented handler': `${PLAIN} process.on('SIGINT', () => server.close((error) => { console.log(error ? error : 'bye'); process.exit(error ? 1 : 0); }));`,
};

async function start(t, source, options) {
  const shim = await Shim.start();
  t.after(() => shim.end());
  fs.symlinkSync(path.join(place, 'node_modules'), path.join(shim.directory, 'node_modules'));
  const held = await shim.hold();
  const app = shim.app(source, options);
  await shim.said('listening', app);
  const open = async (text) => {
    const client = await Client.open(held.place);
    t.after(() => client.close());
    if (text !== undefined) client.write(text);
    return client;
  };
  return { shim, held, app, open };
}

const request = (url) => `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`;

for (const [name, source] of Object.entries(APPS)) {
  test(`${name}: in progress and idle connections are served, then the app ends in its own way`, { skip }, async (t) => {
    const { shim, app, open } = await start(t, source);
    const idle = await open(request('/'));
    await idle.see(/fast$/);
    const busy = await open(request('/slow'));
    // Answered on another connection after the slow request was sent, so that request is in progress.
    const later = await open(request('/'));
    await later.see(/fast$/);
    idle.text = '';
    shim.stop(300);
    await shim.said('stopped', app);
    idle.write(request('/'));
    assert.strictEqual(await idle.finish(), 'fin');
    assert.match(idle.text, /^HTTP\/1.1 200 OK\r\n[^]*connection: close\r\n[^]*fast$/i);
    assert.strictEqual(await busy.finish(), 'fin');
    assert.match(busy.text, /^HTTP\/1.1 200 OK\r\n[^]*connection: close\r\n[^]*slow$/i);
    assert.strictEqual(await later.finish(), 'fin');
    for (const client of [idle, busy, later]) client.socket.end();
    assert.strictEqual(await shim.said('drained', app), 'drained 2 0');
    process.kill(app.pid, source.includes('SIGINT') ? 'SIGINT' : 'SIGTERM');
    const handled = /SIGTERM|SIGINT/.test(source);
    assert.deepStrictEqual(await app.exited, handled ? { code: 0, signal: null } : { code: null, signal: 'SIGTERM' });
    assert.strictEqual(app.err, '');
    assert.strictEqual(app.out, handled ? 'bye\n' : '');
  });
}

/** A WebSocket client, once it is open: what it heard, and the code it was closed with. */
async function connect(t, { port }, url = '/') {
  const WebSocket = require(path.join(place, 'node_modules', 'ws'));
  const socket = new WebSocket(`ws://127.0.0.1:${port}${url}`);
  t.after(() => socket.terminate());
  socket.heard = [];
  socket.on('message', (data) => socket.heard.push(String(data)));
  socket.gone = new Promise((resolve) => socket.on('close', resolve));
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  return socket;
}

const streams = (words) => ({ env: { APPCTL_STREAMS: words } });

test('ws: a WebSocket lives on through the drain when streams are waited for', { skip }, async (t) => {
  const { shim, held, app } = await start(t, `const server = require('http').createServer().listen(PORT0);
    new (require('ws').WebSocketServer)({ server }).on('connection', (s) => s.on('message', (m) => s.send('echo ' + m)));`, streams('wait'));
  const socket = await connect(t, held);
  shim.stop(50, 10000);
  await shim.said('stopped', app);
  await new Promise((resolve) => setTimeout(resolve, 300));
  socket.send('hello');
  await until(() => socket.heard.includes('echo hello'), () => socket.heard.join() + app.err);
  socket.close();
  assert.strictEqual(await shim.said('drained', app), 'drained 0 0');
});

for (const deflate of [false, true]) {
  test(`ws${deflate ? ', compressed' : ''}: closed with 1001 between two messages, of which none is lost or torn`, { skip }, async (t) => {
    const { shim, held, app } = await start(t, `const server = require('http').createServer().listen(PORT0);
      new (require('ws').WebSocketServer)({ server, perMessageDeflate: ${deflate} && { threshold: 0 } }).on('connection', (s) => {
        let n = 0;
        const timer = setInterval(() => s.send(n++ + ':' + 'x'.repeat(100000)), 1);
        s.on('close', (code) => { clearInterval(timer); console.log('closed', code); });
      });`, streams('close 300'));
    const sockets = await Promise.all([1, 2, 3].map(() => connect(t, held)));
    for (const socket of sockets) await until(() => socket.heard.length > 3, 'some messages');
    shim.stop(50, 20000);
    for (const socket of sockets) {
      assert.strictEqual(await socket.gone, 1001);
      socket.heard.forEach((text, n) => assert.strictEqual(text, `${n}:${'x'.repeat(100000)}`));
    }
    assert.strictEqual(await shim.said('drained', app), 'drained 0 0');
    await until(() => app.out === 'closed 1001\n'.repeat(3), () => app.out + app.err);
    assert.strictEqual(app.err, '');
  });
}

test('socket.io: its WebSockets are closed with 1001, and the app hears of it', { skip }, async (t) => {
  const { shim, held, app } = await start(t, `const server = require('http').createServer().listen(PORT0); const { Server } = require('socket.io');
    new Server(server).on('connection', (s) => { console.log('connected'); s.on('disconnect', (reason) => console.log(reason)); });`, streams('cut'));
  const socket = await connect(t, held, '/socket.io/?EIO=4&transport=websocket');
  socket.send('40');
  await until(() => app.out === 'connected\n', () => app.out + app.err);
  shim.stop(50, 20000);
  assert.strictEqual(await socket.gone, 1001);
  assert.strictEqual(await shim.said('drained', app), 'drained 0 0');
  // The app writes that to another pipe than the adapter its last word.
  await until(() => app.out === 'connected\ntransport close\n', () => app.out + app.err);
});

test('compression: an event stream that is packed on its way ends as a whole archive', { skip }, async (t) => {
  const { shim, app, open } = await start(t, `const app = require('express')(); app.use(require('compression')({ threshold: 0 }));
    app.get('/', (q, r) => { r.set('Content-Type', 'text/event-stream'); setInterval(() => { r.write('data: tick\\n\\n'); r.flush(); }, 10); });
    app.listen(PORT0);`, streams('cut'));
  const client = await open(request('/').replace('Host', 'Accept-Encoding: gzip\r\nHost'));
  await client.see(/Content-Encoding: gzip[^]*\r\n\r\n[^]{40}/);
  shim.stop(50, 20000);
  await client.see(/\r\n0\r\n\r\n$/);
  const chunks = client.text.slice(client.text.indexOf('\r\n\r\n') + 4);
  let [body, rest] = ['', chunks];
  for (let size; (size = parseInt(rest, 16)) > 0; rest = rest.slice(rest.indexOf('\r\n') + 4 + size)) {
    body += rest.slice(rest.indexOf('\r\n') + 2, rest.indexOf('\r\n') + 2 + size);
  }
  assert.match(require('node:zlib').gunzipSync(Buffer.from(body, 'latin1')).toString(), /^(data: tick\n\n)+$/);
  client.socket.end();
  assert.strictEqual(await shim.said('drained', app), 'drained 1 0');
  assert.strictEqual(app.err, '');
});

test('socket.io: its long polling is answered with close, though it takes over the request listeners', { skip }, async (t) => {
  const { shim, app, open } = await start(t, `const server = require('http').createServer((q, r) => r.end('fast'));
    const { Server } = require('socket.io'); new Server(server); server.listen(PORT0);`);
  const client = await open(request('/socket.io/?EIO=4&transport=polling'));
  const sid = /"sid":"([^"]+)"/.exec(await client.see(/"sid":"[^"]+"/))[1];
  client.text = '';
  shim.stop(500, 10000);
  await shim.said('stopped', app);
  const body = '40';
  client.write(`POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  assert.strictEqual(await client.finish(), 'fin');
  assert.match(client.text, /connection: close[^]*ok$/i);
  client.socket.end();
  assert.strictEqual(await shim.said('drained', app), 'drained 1 0');
});

test('tsx: a TypeScript app adopts and drains', { skip }, async (t) => {
  const shim = await Shim.start();
  t.after(() => shim.end());
  fs.symlinkSync(path.join(place, 'node_modules'), path.join(shim.directory, 'node_modules'));
  await shim.hold();
  fs.writeFileSync(path.join(shim.directory, 'app.ts'), `import { createServer } from 'node:http'; const port: number = Number(process.env.HELD); createServer((q, r) => r.end('typed')).listen(port);`);
  const child = shim.spawn(['node', path.join(place, 'node_modules', 'tsx', 'dist', 'cli.mjs'), 'app.ts']);
  await shim.said('listening', child);
  const client = await Client.open(shim.held[0].place);
  t.after(() => client.close());
  client.write(request('/'));
  await client.see(/typed$/);
  client.close();
  shim.stop(0);
  await shim.said('drained', child);
});
