'use strict';
// What Node does not promise is named in one file, looked for at the start, and done without as far as that goes.

const test = require('node:test');
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { ADAPTER, until } = require('./shim.cjs');
const { APP, LINGER_MS, request, world, idle, stopped, closes } = require('./drain-world.cjs');

const FOLDER = path.join(__dirname, '..');
const INTERNALS = path.join(FOLDER, 'internals.cjs');

/** What Node's documentation does not have: names with an underscore, symbols found by name, and these. */
const PRIVATE = [
  /[.'"]_[A-Za-z]/, /getOwnPropertySymbols/, /process\.binding/, /internalBinding/, /internalMessage/, /NODE_DEBUG_ENABLED/,
  /NODE_UNIQUE_ID/, /envPairs/, /detachSocket|assignSocket/, /\.parser\b/, /\.incoming\b/, /\breadSt(art|op)\b/, /\bhasRef\b/,
  /connectionListener/, /shouldKeepAlive/, /require\('_/,
];

const withoutComments = (text) => text.replace(/\/\*[^]*?\*\/|\/\/.*/g, '');

function privates(text) {
  return PRIVATE.map((pattern) => pattern.exec(withoutComments(text))).filter(Boolean).map(([found]) => found);
}

test('no other file names what is private to Node', () => {
  for (const name of fs.readdirSync(FOLDER).filter((file) => file.endsWith('.cjs'))) {
    const found = privates(fs.readFileSync(path.join(FOLDER, name), 'utf8'));
    if (name === 'internals.cjs') assert.ok(found.length > PRIVATE.length / 2, `the patterns find only ${found.join()}`);
    else assert.deepStrictEqual(found, [], name);
  }
  for (const text of ['server._handle', "net['_handle']", 'socket.parser', "require('_http_common')"]) {
    assert.ok(privates(text).length > 0, text);
  }
});

test('this Node has all of it', () => {
  const internals = require('../internals.cjs');
  internals.checkStart();
  internals.checkServing();
  for (const name of Object.keys(internals.LOST)) assert.ok(!internals.lacks(name), name);
});

/** An app whose Node seems to lack these. */
async function lacking(t, names, source = APP) {
  const file = path.join(fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'appctl-lacking-')), 'lacking.cjs');
  t.after(() => fs.rmSync(path.dirname(file), { recursive: true }));
  fs.writeFileSync(file, `require(${JSON.stringify(INTERNALS)}).report(${JSON.stringify(names)});`);
  return world(t, source, { NODE_OPTIONS: `--require ${file} --require ${ADAPTER}` });
}

test('a Node without something is named in one line, and the app serves', async (t) => {
  const { app, open } = await lacking(t, ['net._createServerHandle', 'ChildProcess.prototype.spawn']);
  await idle(open, app);
  assert.strictEqual(app.err, `appctl: the Node adapter misses net._createServerHandle, ChildProcess.prototype.spawn in Node ${
    process.version}: workers of a cluster without round-robin do not get the socket; an app behind npm or another launcher ${
    'does not get its socket'}\n`);
});

test('a self-check finds what an http module lacks', () => {
  const http = require('node:http');
  const internals = require('../internals.cjs');
  const { write } = process.stderr;
  let said = '';
  process.stderr.write = (text) => (said += text);
  try {
    class Response extends http.ServerResponse {}
    Response.prototype.detachSocket = undefined;
    internals.checkServing({ ...http, ServerResponse: Response, Server: http.Server });
  } finally {
    process.stderr.write = write;
  }
  assert.match(said, /misses net\.Socket\._httpMessage, http\.ServerResponse\.detachSocket in Node v\d.*: every request is watched\n$/);
});

/** Where Node does not show what a connection is busy with. */
const hidden = (t) => lacking(t, ['net.Socket.parser']);

test('watched requests are answered before the drain ends, and counted', async (t) => {
  const { shim, app, open } = await hidden(t);
  await idle(open, app);
  await until(() => shim.lines.some((line) => /^beat \d+ 0 1 1 0$/.test(line)), () => shim.lines.join());
  const client = await open(request('/gate'));
  await until(() => shim.lines.some((line) => /^beat \d+ 1 2 1 0$/.test(line)), () => shim.lines.join());
  await stopped(shim);
  app.kill('SIGUSR2');
  assert.ok(closes(await client.see(/gate$/)));
  assert.strictEqual(await client.finish(), 'fin');
  await shim.said('drained 1 0', app);
});

test('watched pipelined requests are all answered, close on the last', async (t) => {
  const { shim, app, open } = await hidden(t);
  const client = await open(request('/gate') + request('/slow'));
  await until(() => app.out.includes('/slow'), () => app.out + app.err);
  await stopped(shim);
  app.kill('SIGUSR2');
  const [first, second] = (await client.see(/gate[^]*slow$/)).split('gate');
  assert.deepStrictEqual([closes(first), closes(second)], [false, true]);
  await shim.said('drained', app);
});

test('an idle connection of a watched server lingers, and one more request on it is answered', async (t) => {
  const { shim, app, open } = await hidden(t);
  const [used, left] = [await idle(open, app), await idle(open, app)];
  const start = await stopped(shim);
  used.write(request('/'));
  assert.ok(closes(await used.see(/fast$/)));
  assert.strictEqual(await left.finish(), 'fin');
  assert.ok(Date.now() - start >= LINGER_MS - 50);
  await shim.said('drained 1 0', app);
});
