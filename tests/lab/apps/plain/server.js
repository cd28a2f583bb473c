'use strict';

const fs = require('fs');
const http = require('http');

const RELEASE = fs.existsSync('release.txt') ? fs.readFileSync('release.txt', 'utf8').trim() : process.env.RELEASE || 'none';
const leaked = [];

function routes(req, res, id) {
  const url = new URL(req.url, 'http://localhost');
  switch (url.pathname) {
    case '/slow':
      return setTimeout(() => res.end(`${id}\n`), Number(url.searchParams.get('ms')));
    case '/env':
      return res.end(JSON.stringify(process.env));
    case '/health':
      return res.end('ok\n');
    case '/crash':
      return process.exit(7);
    case '/leak':
      leaked.push(Buffer.alloc(Number(url.searchParams.get('mb') || 1) << 20, 1));
      return res.end(`${leaked.length}\n`);
    default:
      return res.end(`${id}\n`);
  }
}

const server = http.createServer((req, res) => {
  const id = req.headers['x-request-id'] || '';
  res.setHeader('x-request-id', id);
  res.setHeader('x-pid', process.pid);
  res.setHeader('x-release', RELEASE);
  if (req.method !== 'POST') return routes(req, res, id);
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => res.end(Buffer.concat(chunks)));
});

server.listen(3000, () => console.log('listening on 3000'));
