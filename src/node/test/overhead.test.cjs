'use strict';
// What the adapter keeps: something per server, nothing per request, and on a plain HTTP/1 server nothing on a connection
// before the drain.

const test = require('node:test');
const assert = require('node:assert');
const { Shim, Client, until } = require('./shim.cjs');

const REQUESTS = 2000;

/** A server that tells how many listeners there are on everything a request passes, and what is reachable of it. */
const SERVER = `
  const seen = new Map();
  const count = (emitter) => emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
  let requests = [];
  const server = require('http').createServer((q, r) => {
    requests.push(new WeakRef(q), new WeakRef(r));
    if (q.url !== '/tell') return r.end('ok');
    const own = requests.splice(-2);
    setImmediate(() => {
      global.gc();
      const kept = requests.filter((ref) => ref.deref() !== undefined).length;
      requests = [];
      server.getConnections((error, open) => r.end(JSON.stringify({
        request: count(q), response: count(r), socket: count(q.socket), server: count(server), process: count(process), kept, open,
        marks: Object.getOwnPropertySymbols(q.socket).map(String), properties: Object.keys(q.socket),
      })));
    });
  }).listen(process.env.APPCTL_LISTEN ? PORT0 : { fd: 3 });`;

const ADAPTER = { APPCTL_WATCHDOG_MS: '60000' };
const BARE = { NODE_OPTIONS: '', APPCTL_LISTEN: '', APPCTL_CONTROL: '' };

/** What it tells before and after many pipelined requests. */
async function told(t, env) {
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  // Not an option that NODE_OPTIONS may hold.
  shim.app(`require('v8').setFlagsFromString('--expose-gc'); global.gc = require('vm').runInNewContext('gc');\n${SERVER}`, { env });
  const client = await Client.open(shim.held[0].place);
  t.after(() => client.close());
  const before = await tell(client);
  for (let nth = 0; nth < REQUESTS / 20; nth += 1) {
    client.text = '';
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20));
    await until(() => client.text.split('\r\n\r\nok').length === 21, 'the answers');
  }
  if (env !== BARE) await until(() => shim.lines.some((line) => /^beat \d+ 0 1 /.test(line)), 'a beat that counts it');
  return { before, after: await tell(client) };
}

async function tell(client) {
  client.text = '';
  client.write('GET /tell HTTP/1.1\r\nHost: x\r\n\r\n');
  return JSON.parse((await client.see(/\{.*\}/)).replace(/^[^]*\r\n\r\n/, ''));
}

test('many requests leave no listener and no object behind', async (t) => {
  const { before, after } = await told(t, ADAPTER);
  const counts = (all) => ({ ...all, kept: 0, marks: [], properties: [] });
  assert.deepStrictEqual(counts(after), counts(before));
  // The parser holds on to the last request; whatever grew with their number would be hundreds.
  assert.ok(after.kept < 20, `${after.kept} requests and responses of ${2 * REQUESTS} are still held`);
});

test('a request and a response have the listeners that Node itself gives them', async (t) => {
  const [ours, bare] = [(await told(t, ADAPTER)).after, (await told(t, BARE)).after];
  assert.deepStrictEqual([ours.request, ours.response], [bare.request, bare.response]);
  assert.ok(ours.server <= bare.server + 2, `${ours.server} on a server, ${bare.server} without us`);
});

test('a heartbeat leaves nothing on a connection of a plain HTTP/1 server that Node itself has not put there', async (t) => {
  const [ours, bare] = [(await told(t, ADAPTER)).after, (await told(t, BARE)).after];
  const on = ({ socket, marks, properties }) => ({ socket, marks, properties });
  assert.deepStrictEqual(on(ours), on(bare));
});

test('a server whose connections somebody else takes too is watched from its first connection on', async (t) => {
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  // What speaks another protocol never comes to Node's http, and is on no list of its.
  shim.app(`
    const server = require('http').createServer((q, r) => r.end('ok'));
    const [http] = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket) => socket.once('data', (data) => {
      if (data[0] === 42) return socket.on('data', (more) => socket.write(more));
      http.call(server, socket);
      socket.unshift(data);
    }));
    server.listen(PORT0);`);
  const client = await Client.open(shim.held[0].place);
  t.after(() => client.close());
  client.write('*');
  await until(() => shim.lines.some((line) => /^beat \d+ 0 1 /.test(line)), 'a beat that counts it');
});
