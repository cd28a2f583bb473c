'use strict';
// The channel from the shim, and everything that could come through it instead: the app never notices.

const test = require('node:test');
const assert = require('node:assert');
const { Shim, get, until } = require('./shim.cjs');

const APP = `require('http').createServer((q, r) => r.end('pid ' + process.pid)).listen(PORT0);
  process.on('uncaughtException', (e) => { console.log('UNCAUGHT', e.stack); });`;

async function world(t) {
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  const child = shim.app(APP);
  await shim.said('listening', child);
  return { shim, child };
}

/** Numbers that look random and are the same in every run. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** It serves, accepts and has neither crashed nor complained. */
async function unharmed(shim, child) {
  assert.match(await get(shim.held[0].place), /pid \d+$/, child.err);
  assert.strictEqual(child.out + child.err, '');
  assert.ok(!shim.lines.some((line) => /^(stopped|drained)/.test(line)), shim.lines.join());
}

/** The app has read all that was sent: what it says after that is a later beat. */
async function beats(shim) {
  const count = () => shim.lines.filter((line) => line.startsWith('beat')).length;
  const before = count();
  await until(() => count() > before + 1, 'two more beats');
}

const NEARLY = [
  'stop', 'stop 0', 'stop 0 0 0', 'stop  0 0', 'stop 1e3 5', 'stop -1 5', 'stop 0x10 5', 'stop 1 2\r', 'STOP 0 0', ' stop 0 0',
  'stop 1234567890 1', '__proto__ 1 2', 'constructor 1 2', 'toString 0 0', 'hasOwnProperty 0 0', 'hello 1 1', 'stop\u00000 0', '',
];

test('words that are nearly right do nothing, and a right one is heard after them', async (t) => {
  const { shim, child } = await world(t);
  for (const line of NEARLY) shim.send(line);
  await beats(shim);
  await unharmed(shim, child);
  shim.stop(0);
  await shim.said('drained', child);
});

test('a line without an end closes the channel and nothing else', async (t) => {
  const { shim, child } = await world(t);
  for (const channel of shim.channels) channel.write('stop 0 0'.padEnd(3000));
  await until(() => shim.channels.size === 0, 'the end of the channel');
  await unharmed(shim, child);
});

test('no bytes break the app or make it act', async (t) => {
  const { shim, child } = await world(t);
  const [channel] = shim.channels;
  const below = numbers(20261122);
  for (let round = 0; round < 400 && !channel.destroyed; round += 1) {
    const bytes = Buffer.from(Array.from({ length: below(60) }, () => below(256)));
    // Short lines, so that the channel lives to see the next.
    channel.write(Buffer.concat([bytes, Buffer.from(below(3) === 0 ? '\n' : `\n${NEARLY[below(NEARLY.length)]}\n`)]));
    if (below(8) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await beats(shim);
  await unharmed(shim, child);
  shim.stop(0);
  await shim.said('drained', child);
});

test('a shim that is gone is not missed', async (t) => {
  const { shim, child } = await world(t);
  for (const channel of shim.channels) channel.destroy();
  await unharmed(shim, child);
});
