'use strict';
// What the adapter costs per request: the same server with and without it, in turns, each measured by the processor time
// that its process used for the same number of requests. Prints what it measured and judges nothing.
//
//   node src/node/test/overhead.bench.cjs [PAIRS] [REQUESTS]

const http = require('node:http');
const { Shim } = require('./shim.cjs');

const [PAIRS, REQUESTS] = [Number(process.argv[2] || 7), Number(process.argv[3] || 20000)];
const CONNECTIONS = 16;
const SERVER = `require('http').createServer((q, r) => {
  if (q.url !== '/cpu') return r.end('ok');
  const { user, system } = process.cpuUsage();
  r.end(String(user + system));
}).listen(PORT0)`;

function ask(agent, port, path) {
  return new Promise((resolve, reject) => {
    const request = http.get({ agent, port, path, host: '127.0.0.1' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (data) => (text += data));
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}

async function load(agent, port, count) {
  let left = count;
  const lane = async () => {
    for (; left > 0; ) {
      left -= 1;
      await ask(agent, port, '/');
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
}

/** Microseconds of processor time per request, and requests per second, of one server process. */
async function measure(shim, keepAlive, adapter) {
  const [held] = shim.held;
  // Without the adapter the server takes the same descriptor by itself.
  const plain = { env: { NODE_OPTIONS: '', APPCTL_LISTEN: '', APPCTL_CONTROL: '' } };
  const source = adapter ? SERVER : SERVER.replace('.listen(PORT0)', '.listen({ fd: 3 })');
  const child = shim.app(source, adapter ? { env: { APPCTL_WATCHDOG_MS: '60000' } } : plain);
  const agent = new http.Agent({ keepAlive, maxSockets: CONNECTIONS });
  await load(agent, held.port, REQUESTS / 4);
  const cpu = async () => Number(await ask(agent, held.port, '/cpu'));
  const [before, start] = [await cpu(), process.hrtime.bigint()];
  await load(agent, held.port, REQUESTS);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = (await cpu()) - before;
  agent.destroy();
  process.kill(child.pid, 'SIGKILL');
  await child.exited;
  return { cpu: used / REQUESTS, rate: REQUESTS / seconds };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

async function compare(name, keepAlive) {
  const shim = await Shim.start();
  try {
    await shim.hold();
    const pairs = [];
    for (let nth = 0; nth < PAIRS; nth += 1) {
      const pair = {};
      // Each of the two is first in every other pair.
      for (const adapter of nth % 2 === 0 ? [false, true] : [true, false]) {
        pair[adapter ? 'with' : 'without'] = await measure(shim, keepAlive, adapter);
      }
      pairs.push(pair);
    }
    report(name, pairs);
  } finally {
    await shim.end();
  }
}

function report(name, pairs) {
  const all = (which, what) => median(pairs.map((pair) => pair[which][what]));
  const ratios = (what) => pairs.map((pair) => pair.with[what] / pair.without[what]);
  const spread = (values) => `${Math.min(...values).toFixed(3)}..${Math.max(...values).toFixed(3)}`;
  const difference = median(pairs.map((pair) => pair.with.cpu - pair.without.cpu));
  console.log(`${name}, ${pairs.length} pairs of ${REQUESTS} requests, medians:`);
  console.log(`  processor per request  ${all('without', 'cpu').toFixed(2)} us without, ${all('with', 'cpu').toFixed(2)} us with; ` +
    `difference ${difference.toFixed(2)} us, ratio ${median(ratios('cpu')).toFixed(3)} (${spread(ratios('cpu'))})`);
  const least = (which) => Math.min(...pairs.map((pair) => pair[which].cpu));
  console.log(`  the least disturbed    ${least('without').toFixed(2)} us without, ${least('with').toFixed(2)} us with; ` +
    `difference ${(least('with') - least('without')).toFixed(2)} us, ratio ${(least('with') / least('without')).toFixed(3)}`);
  console.log(`  requests per second    ${all('without', 'rate').toFixed(0)} without, ${all('with', 'rate').toFixed(0)} with; ` +
    `ratio ${median(ratios('rate')).toFixed(3)} (${spread(ratios('rate'))})`);
}

async function main() {
  await compare('keep-alive', true);
  await compare('one request per connection', false);
}

main();
