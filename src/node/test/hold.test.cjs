'use strict';
// An instance that has yet to prove itself takes nothing from the shared sockets.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { Shim, get, until } = require('./shim.cjs');

const body = (text) => text.split('\r\n\r\n')[1];
const serve = (word) => `const server = require('http').createServer((q, r) => r.end('${word}'));\n`;

async function world(t, ...places) {
  const shim = await Shim.start();
  t.after(() => shim.end());
  for (const place of places.length > 0 ? places : [undefined]) await shim.hold(place);
  return shim;
}

async function answers(place, count) {
  const texts = await Promise.all(Array.from({ length: count }, () => get(place)));
  return new Set(texts.map(body));
}

test('siblings answer until the proof, the private socket answers before it', async (t) => {
  const shim = await world(t);
  const [{ place }] = shim.held;
  const old = shim.app(`${serve('old')} server.listen(PORT0)`);
  await shim.said('listening', old);
  const young = shim.app(`${serve('new')} server.listen(PORT0)`, {
    env: { APPCTL_HOLD: '1', APPCTL_PROBE: shim.probePath },
  });
  await shim.said('probe', young);
  assert.strictEqual(body(await get({ path: shim.probePath })), 'new');
  for (let round = 0; round < 10; round += 1) assert.deepStrictEqual(await answers(place, 20), new Set(['old']));
  shim.send('accept 0 0');
  await until(async () => (await answers(place, 20)).has('new'), 'an answer of the new one');
});

test('alone, it leaves what comes in the queue and answers it after the proof', async (t) => {
  const shim = await world(t, { port: 0, host: '127.0.0.1' }, { path: `/tmp/appctl-hold-${process.pid}.sock` });
  const app = shim.app(`${serve('hello')} server.listen(PORT0);
    ${serve('unix').replace('server', 'other')} other.listen(process.env.HELD.split(',')[1])`, { env: { APPCTL_HOLD: '1' } });
  await until(() => shim.lines.filter((line) => line.startsWith('listening')).length === 2, () => app.err);
  const waiting = shim.held.map(({ place }) => get(place));
  await shim.said('beat', app);
  assert.deepStrictEqual(await Promise.race([Promise.race(waiting), Promise.resolve('nothing')]), 'nothing');
  shim.send('accept 0 0');
  assert.deepStrictEqual((await Promise.all(waiting)).map(body), ['hello', 'unix']);
});

test('a server that listens again meanwhile is held again, and one that was closed stays closed', async (t) => {
  const shim = await world(t);
  const [{ place }] = shim.held;
  const app = shim.app(`${serve('one')} const next = require('http').createServer((q, r) => r.end('two'));
    server.listen(PORT0, () => server.close(() => next.listen(PORT0, () => console.log('up'))))`, { env: { APPCTL_HOLD: '1' } });
  await until(() => app.out === 'up\n', () => app.err);
  await shim.said('listening', app);
  const waiting = get(place);
  shim.send('accept 0 0');
  assert.strictEqual(body(await waiting), 'two');
  assert.strictEqual(app.err, '');
});

test('a connection is taken only once the shim can know that there is a server', async (t) => {
  const shim = await world(t);
  const [{ place }] = shim.held;
  const early = Array.from({ length: 5 }, () => get(place));
  // Whoever is taken keeps the event loop from saying anything else until the shim has looked.
  const looked = path.join(shim.directory, 'looked');
  const app = shim.app(`${serve('late')} const fs = require('fs');
  server.once('connection', () => {
    fs.writeSync(1, 'taken');
    while (!fs.existsSync('${looked}'));
  }).listen(PORT0)`);
  await until(() => app.out === 'taken', () => app.err);
  await shim.said('listening', app);
  fs.writeFileSync(looked, '');
  assert.deepStrictEqual(new Set((await Promise.all(early)).map(body)), new Set(['late']));
});

test('told to stop before it listens, it takes nothing and is there for its signal', async (t) => {
  const shim = await world(t);
  const [{ place }] = shim.held;
  const app = shim.app(`setTimeout(() => {
    ${serve('wrong')} server.listen(PORT0, () => console.log('up'));
  }, 1500)`);
  await shim.said('hello', app);
  shim.stop(100);
  await until(() => app.out === 'up\n', () => app.err);
  const waiting = get(place);
  const beats = () => shim.lines.filter((line) => line.startsWith('beat')).length;
  const before = beats();
  await until(() => beats() > before + 1, () => app.err);
  app.kill('SIGTERM');
  assert.strictEqual((await app.exited).signal, 'SIGTERM');
  shim.app(`${serve('right')} server.listen(PORT0)`);
  assert.strictEqual(body(await waiting), 'right');
});

test('a server that is closed while it is held keeps no process alive', async (t) => {
  const shim = await world(t);
  const app = shim.app(`${serve('one')} server.listen(PORT0, () => server.close())`, { env: { APPCTL_HOLD: '1' } });
  assert.strictEqual((await app.exited).code, 0);
});

test('the primary of a cluster is held too', async (t) => {
  const shim = await world(t);
  const [{ place }] = shim.held;
  const app = shim.app(`const cluster = require('cluster');
    if (cluster.isPrimary) cluster.fork(); else { ${serve('worker')} server.listen(PORT0); }`, { env: { APPCTL_HOLD: '1' } });
  await shim.said('listening', app);
  const waiting = get(place);
  shim.send('accept 0 0');
  assert.strictEqual(body(await waiting), 'worker');
});
