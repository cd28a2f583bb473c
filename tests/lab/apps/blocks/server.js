'use strict';

const http = require('http');

const RELEASE = process.env.RELEASE || 'none';

function spinForever() {
  for (;;);
}

function catastrophicPattern() {
  return /^(a+)+$/.test(`${'a'.repeat(60)}b`);
}

function holdTheLoop(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end);
}

const server = http.createServer(function answer(req, res) {
  const url = new URL(req.url, 'http://localhost');
  const id = req.headers['x-request-id'] || '';
  res.setHeader('x-request-id', id);
  res.setHeader('x-pid', process.pid);
  res.setHeader('x-release', RELEASE);
  if (url.pathname !== '/') console.log(`${url.pathname} begins`);
  if (url.pathname === '/spin') spinForever();
  if (url.pathname === '/pattern') catastrophicPattern();
  if (url.pathname === '/hold') holdTheLoop(Number(url.searchParams.get('ms')));
  res.end(`${id}\n`);
});

// A long synchronous start, as loading a large code base is.
holdTheLoop(Number(process.env.START_MS || 0));

server.listen(3000, () => console.log('listening on 3000'));
