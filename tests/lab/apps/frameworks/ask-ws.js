'use strict';

// A client: `node ask-ws.js URL` holds sixteen WebSockets that are echoed on, until its standard input ends, and prints
// with which codes they were closed. One that is closed is opened again.
const WebSocket = require('ws');

const [, , url] = process.argv;
const counts = { echoed: 0, wrong: 0, failed: 0, codes: {} };
let enough = false;

process.stdin.resume().on('end', () => (enough = true));
process.on('exit', () => console.log(JSON.stringify(counts)));

function connect() {
  if (enough) return;
  const socket = new WebSocket(url);
  let number = 0;
  let opened = false;
  const send = () => {
    if (enough) return void socket.close();
    socket.send(`${(number += 1)}:${'x'.repeat(5000)}`);
  };
  socket.on('error', () => {});
  socket.on('open', () => {
    opened = true;
    send();
  });
  socket.on('message', (data) => {
    counts[String(data) === `${number}:${'x'.repeat(5000)}` ? 'echoed' : 'wrong'] += 1;
    setTimeout(send, 5);
  });
  socket.on('close', (code) => {
    if (!opened) counts.failed += 1;
    else if (!enough) counts.codes[code] = (counts.codes[code] || 0) + 1;
    setImmediate(connect);
  });
}

for (let n = 0; n < 16; n += 1) connect();
