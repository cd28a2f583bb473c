'use strict';

const http = require('http');

let listeningSince = 0;

function routes(req, res, id) {
  const url = new URL(req.url, 'http://localhost');
  switch (url.pathname) {
    case '/slow':
      return setTimeout(() => res.end(`${id}\n`), Number(url.searchParams.get('ms')));
    case '/up':
      return res.end(`${process.pid} ${listeningSince}\n`);
    default:
      return res.end(`${id}\n`);
  }
}

const server = http.createServer((req, res) => {
  const id = req.headers['x-request-id'] || '';
  res.setHeader('x-request-id', id);
  res.setHeader('x-pid', process.pid);
  if (req.method !== 'POST') return routes(req, res, id);
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => res.end(Buffer.concat(chunks)));
});

server.listen(process.env.PORT || 3000, () => {
  listeningSince = Date.now();
});

module.exports = server;
