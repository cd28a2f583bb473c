'use strict';
// The socket reaches the app through what starts it: npm, npx, shells, loaders, cluster, threads.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { Shim, Client, get, until } = require('./shim.cjs');

const SERVER = `require('http').createServer((q, r) => r.end('pid ' + process.pid)).listen(process.env.HELD.split(',')[0])`;

async function world(t, files) {
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  for (const [name, text] of Object.entries({ 'server.cjs': SERVER, ...files })) {
    fs.mkdirSync(path.dirname(path.join(shim.directory, name)), { recursive: true });
    fs.writeFileSync(path.join(shim.directory, name), text, { mode: 0o755 });
  }
  return shim;
}

/** The app answers on the held socket, and by the pid it says which process does. */
async function serves(shim, child) {
  await shim.said('listening', child);
  const text = await get(shim.held[0].place);
  assert.match(text, /pid \d+$/, child.err);
  return Number(/pid (\d+)$/.exec(text)[1]);
}

const MANIFEST = JSON.stringify({ name: 'app', version: '1.0.0', bin: { serve: 'bin.cjs' }, scripts: { start: 'node server.cjs' } });
const quiet = { npm_config_update_notifier: 'false', npm_config_loglevel: 'error' };

const LAUNCHERS = {
  'sh -c': { argv: ['/bin/sh', '-c', 'true; node server.cjs; true'] },
  'npm start': { argv: ['npm', 'start'] },
  'npm exec, which npx is': { argv: ['npx', '--no', 'serve'] },
  'node that spawns with ipc at 3, as tsx does': {
    argv: ['node', 'loader.cjs'],
    files: { 'loader.cjs': `require('child_process').spawn(process.execPath, ['server.cjs'], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })` },
  },
  'node that forks': { argv: ['node', 'f.cjs'], files: { 'f.cjs': `require('child_process').fork('server.cjs')` } },
  'node that waits in spawnSync': {
    argv: ['node', 'sync.cjs'],
    files: { 'sync.cjs': `require('child_process').spawnSync(process.execPath, ['server.cjs'], { stdio: 'inherit' })` },
  },
  'an ES module that waits in spawnSync': {
    argv: ['node', 'sync.mjs'],
    files: { 'sync.mjs': `import { spawnSync } from 'child_process'; spawnSync(process.execPath, ['server.cjs'], { stdio: 'inherit' })` },
  },
  'a launcher that probes the port first': {
    argv: ['node', 'p.cjs'],
    files: {
      'p.cjs': `const probe = require('net').createServer().listen(process.env.HELD, () => probe.close(() =>
        require('child_process').spawn('node server.cjs', { shell: true, stdio: 'inherit' })))`,
    },
  },
  'an ES module': {
    argv: ['node', 'app.mjs'],
    files: { 'app.mjs': `import { createServer } from 'node:http'; createServer((q, r) => r.end('pid ' + process.pid)).listen(Number(process.env.HELD))` },
  },
};

for (const [name, { argv, files }] of Object.entries(LAUNCHERS)) {
  test(`through ${name}`, async (t) => {
    const bin = `#!/usr/bin/env node\nrequire('./server.cjs')`;
    const shim = await world(t, { 'package.json': MANIFEST, 'bin.cjs': bin, ...files });
    const child = shim.spawn(argv, { env: quiet });
    const pid = await serves(shim, child);
    if (name !== 'an ES module') assert.notStrictEqual(pid, child.pid);
    const speaker = [...shim.channels].find((channel) => channel.said.some((line) => line.startsWith('listening')));
    assert.strictEqual(speaker.said[0], `hello 1 ${pid}`);
    shim.stop(0);
    await shim.said('drained', child);
    assert.strictEqual(shim.lines.filter((line) => line === 'stopped').length, 1);
  });
}

test('what a launcher sees of its child is what it would see without us', async (t) => {
  const shim = await world(t, {
    'look.cjs': `const cp = require('child_process');
      const child = cp.fork('echo.cjs', { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
      child.on('message', (m) => { console.log(child.stdio.length, m, child.channel !== undefined); child.disconnect();
        const sync = cp.spawnSync('echo', ['hi']);
        console.log(sync.output.length, String(sync.stdout)); });
      child.send('ping');`,
    'echo.cjs': `process.on('message', (m) => process.send(m + ' pong'))`,
  });
  const child = shim.spawn(['node', 'look.cjs']);
  await child.exited;
  assert.strictEqual(child.out, '4 ping pong true\n3 hi\n\n');
  assert.strictEqual(child.err, '');
});

test('a child gets nothing when the parent listens, or when its environment is its own', async (t) => {
  const shim = await world(t, {
    'parent.cjs': `const { spawn } = require('child_process');
      const look = ['-e', 'console.log(require("fs").readdirSync("/proc/self/fd").filter((fd) => { try { return require("fs").fstatSync(+fd).ino === ' + process.argv[2] + ' } catch {} }).length)'];
      spawn(process.execPath, look, { stdio: 'inherit', env: {} }).on('exit', () =>
        require('http').createServer().listen(process.env.HELD, () => spawn(process.execPath, look, { stdio: 'inherit' }).on('exit', () => console.log('done'))))`,
  });
  const child = shim.spawn(['node', 'parent.cjs', String(shim.held[0].inode)]);
  await until(() => child.out.endsWith('done\n'), () => child.out + child.err);
  assert.strictEqual(child.out, '0\n0\ndone\n');
});

for (const policy of ['SCHED_RR', 'SCHED_NONE']) {
  test(`cluster (${policy}): two workers serve, drain and stop together`, async (t) => {
    const shim = await world(t, {
      'cluster.cjs': `const cluster = require('cluster');
        cluster.schedulingPolicy = cluster.${policy};
        if (cluster.isPrimary) { cluster.fork(); cluster.fork(); cluster.on('listening', (w, a) => console.log('listening', a.port)); }
        else require('http').createServer((q, r) => q.url === '/slow' ? setTimeout(() => r.end('slow ' + process.pid), 500) : r.end('pid ' + process.pid)).listen(Number(process.env.HELD));`,
    });
    const child = shim.spawn(['node', 'cluster.cjs']);
    const port = shim.held[0].port;
    await until(() => child.out === `listening ${port}\n`.repeat(2), () => child.out + child.err);
    await shim.said('listening', child);
    const listening = () => [...shim.channels].filter((channel) => channel.said.some((line) => line.startsWith('listening'))).length;
    await until(() => listening() >= 2, 'both workers');
    const clients = await Promise.all(Array.from({ length: 6 }, () => Client.open(shim.held[0].place)));
    t.after(() => clients.forEach((client) => client.close()));
    for (const client of clients) client.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    // Answered by somebody after these were accepted: connections are taken in order.
    await get(shim.held[0].place);
    shim.stop(100);
    for (const client of clients) {
      await client.finish();
      assert.match(client.text, /Connection: close[^]*slow \d+$/);
      client.socket.end();
    }
    // The primary's own word may come late.
    const drained = () => shim.lines.filter((line) => line.startsWith('drained')).length;
    await until(() => drained() === listening(), () => shim.lines.join());
    const late = get(shim.held[0].place);
    const sibling = shim.spawn(['node', 'server.cjs']);
    assert.match(await late, new RegExp(`pid ${sibling.pid}$`));
    assert.strictEqual(child.err, '');
  });
}

test('a server in a worker thread serves and drains; a second thread is refused the address', async (t) => {
  const shim = await world(t, {
    'threads.cjs': `const { Worker } = require('worker_threads');
      const start = (then) => new Worker('./server.cjs', { resourceLimits: {} }).on('error', (e) => console.log(e.code)).on('online', then || (() => {}));
      start();`,
    'main.cjs': `require('./server.cjs'); const { Worker } = require('worker_threads');
      setImmediate(() => new Worker('./other.cjs').on('error', (e) => console.log(e.code)));`,
    'other.cjs': `require('http').createServer().listen(Number(process.env.HELD), '127.0.0.1')`,
  });
  const threads = shim.spawn(['node', 'threads.cjs']);
  await serves(shim, threads);
  shim.stop(0);
  await shim.said('drained', threads);
  const main = shim.spawn(['node', 'main.cjs']);
  await until(() => main.out === 'EADDRINUSE\n', () => main.out + main.err);
});

test('process.send("ready") reaches the shim from behind a launcher that has the IPC channel', async (t) => {
  const shim = await world(t, { 'package.json': MANIFEST, 'server.cjs': `${SERVER}; process.send('ready', (error) => console.log('sent', error))` });
  const child = shim.spawn(['npm', 'start'], { env: { ...quiet, APPCTL_READY_MESSAGE: '1' } });
  await shim.said('ready', child);
  await until(() => child.out.includes('sent null'), () => child.out);
});

test('a stop by message reaches an app behind a launcher, as a message and as an event', async (t) => {
  const told = `${SERVER}; process.on('message', (m) => console.log('told ' + m)); process.on('shutdown', () => { console.log('event'); process.exit(); })`;
  const shim = await world(t, { 'package.json': MANIFEST, 'server.cjs': told });
  const child = shim.spawn(['npm', 'start'], { env: quiet });
  await shim.said('listening', child);
  shim.send('shutdown 0 0');
  await child.exited;
  assert.match(child.out, /told shutdown\nevent\n$/);
});

test('a stop by message is not told twice to an app that has the channel', async (t) => {
  const app = `${SERVER}; process.on('message', (m) => console.log('told ' + m)); process.on('shutdown', () => { console.log('event'); process.disconnect(); })`;
  const shim = await world(t, { 'app.cjs': app, 'parent.cjs': `require('child_process').fork('app.cjs').on('disconnect', () => console.log('gone'))` });
  const child = shim.spawn(['node', 'parent.cjs']);
  await shim.said('listening', child);
  shim.send('shutdown 0 0');
  await until(() => child.out.endsWith('gone\n'), () => child.out + child.err);
  assert.strictEqual(child.out, 'event\ngone\n');
});

test('process.send stays absent without a channel and is Node\'s own with one', async (t) => {
  const shim = await world(t, { 'a.cjs': `console.log(typeof process.send)`, 'b.cjs': `require('child_process').fork('c.cjs').on('message', (m) => console.log(m))`, 'c.cjs': `process.send('real')` });
  const absent = shim.spawn(['node', 'a.cjs']);
  const real = shim.spawn(['node', 'b.cjs'], { env: { APPCTL_READY_MESSAGE: '1' } });
  await until(() => absent.out === 'undefined\n' && real.out === 'real\n', () => absent.out + real.out + real.err);
});
