'use strict';

// A client: `node ask-h2.js URL` asks over eight sessions, without retrying anything, until its standard input ends,
// and prints what became of its requests. A session that is told to go away makes room for a new one. A request that
// crossed the GOAWAY and is above its last stream was refused, not lost: it may be sent again (RFC 9113 section 6.8).
const http2 = require('http2');

const [, , url] = process.argv;
const counts = { ok: 0, lost: 0, refused: 0, goaways: 0, pids: new Set() };
const open = new Set();
let enough = false;

process.stdin.resume().on('end', () => (enough = true));
process.on('exit', () => console.log(JSON.stringify({ ...counts, pids: counts.pids.size })));

function connect() {
  if (enough) return;
  const session = http2.connect(url, { rejectUnauthorized: false });
  open.add(session);
  let going = false;
  const next = () => {
    if (enough || going) return void session.close();
    ask(session).then(next);
  };
  session.on('error', () => {});
  session.on('goaway', () => {
    counts.goaways += going ? 0 : 1;
    going = true;
  });
  session.on('connect', next);
  session.on('close', () => {
    open.delete(session);
    setImmediate(connect);
  });
}

function ask(session) {
  return new Promise((resolve) => {
    const id = String(Math.random());
    const stream = session.request({ ':path': '/', 'x-request-id': id });
    let [body, pid] = ['', ''];
    stream.setEncoding('utf8');
    stream.on('response', (headers) => (pid = headers['x-pid']));
    stream.on('data', (data) => (body += data));
    stream.on('error', () => {});
    stream.on('close', () => {
      const refused = stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM;
      counts[body === `${id}\n` ? 'ok' : refused ? 'refused' : 'lost'] += 1;
      if (pid !== '') counts.pids.add(pid);
      setTimeout(resolve, 2);
    });
  });
}

for (let n = 0; n < 8; n += 1) connect();
