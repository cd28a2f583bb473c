'use strict';
// What the heartbeat tells of finished responses: all of them, and those with a status of 500 or above.

const test = require('node:test');
const assert = require('node:assert');
const http2 = require('node:http2');
const { Shim, Client, get, until } = require('./shim.cjs');

const ANSWER = `(q, r) => { r.statusCode = Number(q.url.slice(1)) || 200; r.end('x'); }`;

async function world(t, source) {
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  const child = shim.app(source);
  await shim.said('listening', child);
  return { shim, child };
}

const ask = (shim, path) => get(shim.held[0].place, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);

/** Responses and errors of the last beat that tells them. */
function told(shim) {
  const beats = shim.lines.map((line) => /^beat \d+ \d+ \d+ (\d+ \d+)$/.exec(line)).filter((match) => match !== null);
  return beats.length === 0 ? undefined : beats[beats.length - 1][1];
}

const tells = (shim, counts) => until(() => told(shim) === counts, () => `${counts}, last ${told(shim)}`);

/** Two more beats have come: what was to be counted is in the last. */
async function beats(shim) {
  const count = () => shim.lines.filter((line) => line.startsWith('beat')).length;
  const before = count();
  await until(() => count() > before + 1, 'two more beats');
}

test('every finished response is counted once, and those from 500 on as errors', async (t) => {
  const { shim } = await world(t, `require('http').createServer(${ANSWER}).listen(PORT0)`);
  for (const status of [200, 304, 404, 499, 500, 503, 599]) {
    assert.match(await ask(shim, `/${status}`), new RegExp(`^HTTP/1.1 ${status} `));
  }
  await tells(shim, '7 3');
});

test('pipelined responses on one connection count each', async (t) => {
  const { shim } = await world(t, `require('http').createServer(${ANSWER}).listen(PORT0)`);
  const client = await Client.open(shim.held[0].place);
  t.after(() => client.close());
  client.write('GET /500 HTTP/1.1\r\nHost: x\r\n\r\nGET /200 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50));
  await tells(shim, '100 50');
});

test('an app whose library keeps its own writeHead is counted all the same', async (t) => {
  const { shim } = await world(t, `
    const http = require('http');
    const { writeHead } = http.ServerResponse.prototype;
    http.createServer((q, r) => { writeHead.call(r, 502, { 'content-length': 0 }); r.end(); }).listen(PORT0)`);
  await ask(shim, '/');
  await tells(shim, '1 1');
});

test('a response that its client did not wait for is none', async (t) => {
  const { shim } = await world(t, `require('http').createServer((q, r) => {
    if (q.url === '/200') return r.end('x');
    r.writeHead(500);
    r.write('begun');
  }).listen(PORT0)`);
  const client = await Client.open(shim.held[0].place);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.see(/begun/);
  client.close();
  await ask(shim, '/200');
  await tells(shim, '1 0');
  await beats(shim);
  assert.strictEqual(told(shim), '1 0');
});

test('neither the probe nor a server of another port counts', async (t) => {
  const source = `
    const http = require('http');
    http.createServer(${ANSWER}).listen(PORT0);
    const other = http.createServer(${ANSWER}).listen(0, '127.0.0.1', () => console.log('other', other.address().port));`;
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  const child = shim.app(source, { env: { APPCTL_PROBE: shim.probePath } });
  await shim.said('probe', child);
  const port = Number((await until(() => /other (\d+)/.exec(child.out), 'the other port'))[1]);
  const request = 'GET /500 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  assert.match(await get({ path: shim.probePath }, request), /^HTTP\/1.1 500 /);
  assert.match(await get({ port, host: '127.0.0.1' }, request), /^HTTP\/1.1 500 /);
  await ask(shim, '/200');
  await tells(shim, '1 0');
  await beats(shim);
  assert.strictEqual(told(shim), '1 0');
});

test('HTTP/2 streams count, whichever interface answers them', async (t) => {
  const { shim } = await world(t, `
    const server = require('http2').createServer();
    server.on('stream', (stream, headers) => {
      if (headers[':path'] === '/core') { stream.respond({ ':status': 500 }); stream.end('x'); }
    });
    server.on('request', (q, r) => {
      if (q.url === '/core') return;
      r.statusCode = Number(q.url.slice(1));
      r.end('x');
    });
    server.listen(PORT0)`);
  const session = http2.connect(`http://127.0.0.1:${shim.held[0].port}`);
  t.after(() => session.destroy());
  const status = (path) => new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    let got;
    stream.on('response', (headers) => (got = headers[':status']));
    stream.on('error', reject).on('close', () => resolve(got)).resume();
  });
  assert.deepStrictEqual([await status('/core'), await status('/503'), await status('/404')], [500, 503, 404]);
  await tells(shim, '3 2');
});

test('a process that does not serve tells no counts', async (t) => {
  const shim = await Shim.start();
  t.after(() => shim.end());
  await shim.hold();
  shim.app('setInterval(() => {}, 1000)');
  const beat = await shim.said('beat');
  assert.match(beat, /^beat \d+ 0 0$/);
});
