'use strict';
// What listen() does on a held address, and that every other listen is Node's own.

const test = require('node:test');
const assert = require('node:assert');
const cp = require('node:child_process');
const path = require('node:path');
const { Shim, get, until } = require('./shim.cjs');

async function world(t, ...places) {
  const shim = await Shim.start();
  t.after(() => shim.end());
  for (const place of places.length > 0 ? places : [undefined]) await shim.hold(place);
  return shim;
}

const body = (text) => text.split('\r\n\r\n')[1];
const HELLO = `const server = require('http').createServer((q, r) => r.end('hello'));`;

const SIGNATURES = {
  'port and callback': `server.listen(PORT0, () => console.log('up'))`,
  'port as a string': `server.listen(String(PORT0), () => console.log('up'))`,
  'port, host, backlog, callback': `server.listen(PORT0, '0.0.0.0', 77, () => console.log('up'))`,
  'port, backlog, callback': `server.listen(PORT0, 77, () => console.log('up'))`,
  'options': `server.listen({ port: PORT0, host: 'localhost', exclusive: true }, () => console.log('up'))`,
  'options with a string port': `server.listen({ port: String(PORT0), host: '::' }, () => console.log('up'))`,
  'the listening event': `server.on('listening', () => console.log('up')).listen(PORT0)`,
};

for (const [name, call] of Object.entries(SIGNATURES)) {
  test(`adopts the held socket: ${name}`, async (t) => {
    const shim = await world(t);
    const [held] = shim.held;
    const app = shim.app(`${HELLO}\n${call}; console.log(server.listening, server.address().port === PORT0)`);
    assert.strictEqual(await shim.said('listening', app), `listening ${held.address}`);
    assert.strictEqual(body(await get(held.place)), 'hello');
    await until(() => app.out === 'true true\nup\n', () => `one callback, seen ${app.out}${app.err}`);
    assert.strictEqual(app.err, '');
  });
}

test('keeps the length of the shared queue at the operator\'s, or at a longer one the app asks for', async (t) => {
  const shim = await world(t);
  const [held] = shim.held;
  const queue = () => Number(cp.execFileSync('ss', ['-Hltn', `sport = :${held.port}`], { encoding: 'utf8' }).trim().split(/\s+/)[2]);
  assert.strictEqual(queue(), 512);
  const app = shim.app(`${HELLO} server.listen(PORT0, 20)`);
  await shim.said('listening', app);
  assert.strictEqual(queue(), 1000);
  shim.app(`${HELLO} server.listen({ port: PORT0, backlog: 1500 })`);
  await until(() => queue() === 1500, 'the longer queue');
});

test('adopts a unix socket by its path', async (t) => {
  const shim = await Shim.start();
  t.after(() => shim.end());
  const held = await shim.hold({ path: path.join(shim.directory, 'app.sock') });
  const app = shim.app(`${HELLO}
    const file = process.env.HELD;
    server.listen(file, () => { console.log(server.address() === file);
      server.close(() => server.listen({ path: file }, () => console.log('again'))); });`);
  await until(() => app.out === 'true\nagain\n', () => `both listens, seen ${app.out}${app.err}`);
  assert.strictEqual(body(await get(held.place)), 'hello');
});

test('listens again on the same address after close, as often as the app likes', async (t) => {
  const shim = await world(t);
  const [held] = shim.held;
  const app = shim.app(`${HELLO}
    const net = require('net');
    let rounds = 0;
    function probe() {
      if (rounds++ === 5) return server.listen(PORT0, () => console.log('up'));
      const other = net.createServer((c) => c.end('wrong')).listen(PORT0, () => other.close(probe));
    }
    probe();`);
  await until(() => app.out === 'up\n', () => `the last listen, seen ${app.out}${app.err}`);
  assert.strictEqual(body(await get(held.place)), 'hello');
});

test('a closed server accepts nothing: connections wait for whoever listens next', async (t) => {
  const shim = await world(t);
  const [held] = shim.held;
  const first = shim.app(`require('http').createServer((q, r) => r.end('first')).listen(PORT0, function () {
    process.on('SIGUSR2', () => this.close(() => console.log('closed'))); }); setInterval(() => {}, 1000);`);
  await shim.said('listening', first);
  process.kill(first.pid, 'SIGUSR2');
  await until(() => first.out === 'closed\n', 'close');
  const answer = get(held.place);
  const second = shim.app(`require('http').createServer((q, r) => r.end('second')).listen(PORT0)`);
  assert.strictEqual(body(await answer), 'second', second.err);
});

test('a process whose servers are closed ends', async (t) => {
  const shim = await world(t);
  const app = shim.app(`${HELLO} server.listen(PORT0, () => server.close())`);
  assert.deepStrictEqual(await app.exited, { code: 0, signal: null });
});

test('an aborted signal closes the server, on the first listen and on a later one', async (t) => {
  const shim = await world(t);
  const app = shim.app(`${HELLO}
    const first = new AbortController();
    server.listen({ port: PORT0, signal: first.signal }, () => first.abort());
    server.once('close', () => { const second = new AbortController();
      server.once('close', () => console.log('both'));
      server.listen({ port: PORT0, signal: second.signal }, () => second.abort()); });`);
  assert.deepStrictEqual(await app.exited, { code: 0, signal: null });
  assert.strictEqual(app.out, 'both\n');
});

test('a second listen on a server, and a second server on the address, fail as ever', async (t) => {
  const shim = await world(t);
  const app = shim.app(`${HELLO}
    server.listen(PORT0, '127.0.0.1', () => {
      try { server.listen(PORT0); } catch (error) { console.log(error.code); }
      require('http').createServer().on('error', (error) => console.log(error.code)).listen(PORT0, '127.0.0.1'); });`);
  await until(() => app.out === 'ERR_SERVER_ALREADY_LISTEN\nEADDRINUSE\n', () => `both errors, seen ${app.out}${app.err}`);
});

test('chooses by host among sockets of one port, and gives all of them to a wildcard listen', async (t) => {
  const shim = await Shim.start();
  t.after(() => shim.end());
  const one = await shim.hold({ port: 0, host: '127.0.0.1' });
  const two = await shim.hold({ port: one.port, host: '127.0.0.2' });
  const exact = shim.app(`require('http').createServer((q, r) => r.end('one')).listen(PORT0, '127.0.0.1');
    require('http').createServer((q, r) => r.end('two')).listen(PORT0, '127.0.0.2');`);
  await shim.said(`listening ${two.address}`, exact);
  assert.deepStrictEqual([body(await get(two.place)), body(await get(one.place))], ['two', 'one']);
  process.kill(exact.pid);
  await exact.exited;
  const wildcard = shim.app(`require('http').createServer((q, r) => r.end('all')).listen(PORT0, function () {
    process.on('SIGUSR2', () => this.close(() =>
      require('http').createServer((q, r) => r.end('new')).listen(PORT0, () => console.log('again')))); console.log('up'); });`);
  await until(() => wildcard.out === 'up\n', () => `the wildcard listen ${wildcard.err}`);
  assert.deepStrictEqual([body(await get(two.place)), body(await get(one.place))], ['all', 'all']);
  process.kill(wildcard.pid, 'SIGUSR2');
  await until(() => wildcard.out === 'up\nagain\n', () => `the second wildcard listen ${wildcard.err}`);
  assert.deepStrictEqual([body(await get(two.place)), body(await get(one.place))], ['new', 'new']);
});

test('never takes another host than the asked one while that is held, and the nearest when it is not', async (t) => {
  const shim = await Shim.start();
  t.after(() => shim.end());
  const far = await shim.hold({ port: 0, host: '127.0.0.2' });
  const near = await shim.hold({ port: far.port, host: '127.0.0.1' });
  const app = shim.app(`const http = require('http'); http.createServer((q, r) => r.end('near')).listen(PORT0, '::1', () =>
    http.createServer().on('error', (error) => console.log(error.code)).listen(PORT0, '127.0.0.1'));`);
  await until(() => app.out === 'EADDRINUSE\n', () => `the refusal, seen ${app.out}${app.err}`);
  assert.strictEqual(body(await get(near.place)), 'near');
});

test('a replaced function keeps its name, length and visibility', () => {
  const { replace } = require('../guard.cjs');
  const object = { shown(a, b, c) {} };
  const original = Object.getOwnPropertyDescriptor(object, 'shown');
  replace(object, 'shown', () => (...args) => args);
  const { value, ...flags } = Object.getOwnPropertyDescriptor(object, 'shown');
  delete original.value;
  assert.deepStrictEqual([value.name, value.length, flags], ['shown', 3, original]);
});

test('port 0, {fd}, handles and other ports are left alone', async (t) => {
  const shim = await world(t);
  const app = shim.app(`const net = require('net');
    net.createServer().listen(0, '127.0.0.1', function () {
      console.log(this.address().port !== PORT0);
      const handle = net._createServerHandle('127.0.0.1', 0, 4);
      net.createServer().listen({ fd: handle.fd }, () => console.log('fd'));
      const other = this.address().port;
      this.close(() => net.createServer().listen(other, '127.0.0.1', () => console.log('other'))); });`);
  await until(() => app.out.includes('other'), () => `all listens, seen ${app.out}${app.err}`);
  assert.match(app.out, /^true\n/);
  assert.ok(!shim.lines.some((line) => line.startsWith('listening')));
});

test('tells the shim and the log of a port the socket does not hold, once and only after it succeeded', async (t) => {
  const shim = await world(t);
  const other = await shim.hold();
  const free = await shim.hold();
  free.close();
  shim.held.splice(1);
  const app = shim.app(`const net = require('net');
    net.createServer().on('error', () => {
      const server = net.createServer().listen(${free.port}, '127.0.0.1', () => server.close(() => server.listen(${free.port}, '127.0.0.1')));
    }).listen(${other.port}, '127.0.0.1');`);
  await shim.said(`elsewhere ${free.port}`, app);
  await until(() => app.err.includes('probably a mistake'), 'the log line');
  await shim.said('beat', app);
  assert.strictEqual(shim.lines.filter((line) => line.startsWith('elsewhere')).length, 1);
  assert.match(app.err, new RegExp(`^appctl: the app listens on port ${free.port}, .*${shim.held[0].address}.*\n$`));
  other.close();
});

test('a descriptor that is not the named socket is never adopted', async (t) => {
  const shim = await world(t);
  const [held] = shim.held;
  const app = shim.app(`${HELLO} server.on('error', (error) => console.log(error.code)).listen(PORT0, '127.0.0.1')`, {
    listen: `3:${held.inode + 1}=${held.address}`,
  });
  await until(() => app.out === 'EADDRINUSE\n', () => `the error, seen ${app.out}${app.err}`);
  assert.match(app.err, /did not reach this process/);
});

test('nothing an app can see changes, and without our variables nothing is loaded', async (t) => {
  const shim = await world(t);
  const look = `const net = require('net'), cp = require('child_process');
    console.log(JSON.stringify([Object.keys(globalThis), Object.keys(net.Server.prototype).sort(), Object.keys(cp).sort(), Object.keys(net).sort(),
      net.Server.prototype.listen.length, net.Server.prototype.listen.name, cp.spawnSync.length, cp.spawnSync.name,
      cp.ChildProcess.prototype.spawn.length, Object.keys(process).sort()]));
    console.error(Object.keys(require.cache).filter((file) => file.includes('adopt.cjs')).length);`;
  const ours = shim.app(look);
  const bare = shim.app(look, { env: { APPCTL_LISTEN: '', APPCTL_CONTROL: '' } });
  const none = shim.app(look, { env: { NODE_OPTIONS: '' } });
  await Promise.all([ours.exited, bare.exited, none.exited]);
  await until(() => ours.out.endsWith('\n') && none.out.endsWith('\n'), 'output');
  assert.deepStrictEqual(JSON.parse(ours.out), JSON.parse(none.out));
  assert.deepStrictEqual([ours.err, bare.err, none.err], ['1\n', '0\n', '0\n']);
});

test('a mistake inside the adapter is said once and the app goes on', async (t) => {
  const shim = await world(t);
  const app = shim.app(`const { filter } = Array.prototype;
    Array.prototype.filter = function (...args) { if (this[0] && this[0].inode) throw new Error('broken'); return filter.apply(this, args); };
    const http = require('http');
    http.createServer().on('error', (error) => console.log(error.code)).listen(PORT0, '127.0.0.1');
    http.createServer().on('error', () => {}).listen(PORT0, '127.0.0.1');
    http.createServer((q, r) => r.end('alive')).listen(0, '127.0.0.1', function () { console.log('port', this.address().port); });`);
  const port = await until(() => Number((/port (\d+)/.exec(app.out) || [])[1]), () => `the other server ${app.err}`);
  assert.strictEqual(body(await get({ port, host: '127.0.0.1' })), 'alive');
  assert.match(app.out, /EADDRINUSE/);
  assert.strictEqual(app.err.match(/^appctl: /gm).length, 1);
  assert.match(app.err, /the app continues: Error: broken/);
});

test('a plain net server serves on its held socket', async (t) => {
  const shim = await world(t);
  const app = shim.app(`require('net').createServer((c) => c.end('raw')).listen(PORT0)`);
  await shim.said('listening', app);
  assert.strictEqual(await get(shim.held[0].place, ''), 'raw');
});
