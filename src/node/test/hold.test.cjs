'use strict';
// An instance that has yet to prove itself takes nothing from the shared sockets.

const test = require('node:test');
const assert = require('node:assert');
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
