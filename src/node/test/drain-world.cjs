'use strict';
// An app under a shim of the tests, raw connections to it, and the words that drain it. Shared by the tests of draining.

const assert = require('node:assert');
const { Shim, Client, until } = require('./shim.cjs');

const LINGER_MS = 400;
const LONG_MS = 8000;

/** `/slow` answers after 300 ms, `/gate` at SIGUSR2, `/stream` sends headers at once and ends at SIGUSR2. */
const APP = `
  const http = require('http');
  const gate = (work) => process.once('SIGUSR2', work);
  const server = http.createServer((q, r) => {
    console.log(q.method + ' ' + q.url);
    if (q.url === '/slow') return void setTimeout(() => r.end('slow'), 300);
    if (q.url === '/gate') return void gate(() => r.end('gate'));
    if (q.url.startsWith('/never')) return;
    if (q.url === '/stream') { r.write('first,'); return void gate(() => r.end('last')); }
    if (q.url === '/object') return void r.writeHead(200, { connection: 'keep-alive', 'X-A': 'b' }).end('object');
    if (q.url === '/array') return void r.writeHead(200, 'Fine', ['Connection', 'keep-alive', 'X-A', 'b']).end('array');
    if (q.url === '/set') { r.setHeader('Connection', 'keep-alive'); return void r.end('set'); }
    if (q.url === '/early') { r.writeHead(413, { 'Content-Length': 5 }); return void r.end('early'); }
    if (q.url === '/upload') { let n = 0; q.on('data', (d) => (n += d.length)); return void q.on('end', () => r.end('got ' + n)); }
    r.end('fast');
  });
  server.listen(PORT0);`;

const request = (url, head = '') => `GET ${url} HTTP/1.1\r\nHost: x\r\n${head}\r\n`;

async function world(t, source = APP, env = {}) {
  const shim = await Shim.start();
  t.after(() => shim.end());
  const held = await shim.hold();
  const app = shim.app(source, { env });
  await shim.said('listening', app);
  const open = async (text) => {
    const client = await Client.open(held.place);
    t.after(() => client.close());
    if (text !== undefined) client.write(text);
    return client;
  };
  return { shim, held, app, open };
}

/** A connection that has had one answer and is idle. */
async function idle(open, app) {
  const client = await open(request('/'));
  await client.see(/fast$/);
  client.text = '';
  return client;
}

/** The app has seen this request. */
const seen = (app, line) => until(() => app.out.includes(line), () => `${line} at the app: ${app.out}${app.err}`);

async function stopped(shim, linger = LINGER_MS, timeout = 10000) {
  // From before the word is sent: on a busy machine the answer is read late, and the linger runs already.
  const start = Date.now();
  shim.stop(linger, timeout);
  await shim.said('stopped');
  return start;
}

const closes = (text) => /\r\nConnection: close\r\n/i.test(text);

module.exports = { APP, LINGER_MS, LONG_MS, request, world, idle, seen, stopped, closes };
