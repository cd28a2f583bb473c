'use strict';

const fs = require('fs');
const http = require('http');

const RELEASE = fs.existsSync('release.txt') ? fs.readFileSync('release.txt', 'utf8').trim() : process.env.RELEASE || 'none';

const server = http.createServer((req, res) => {
  const id = req.headers['x-request-id'] || '';
  res.setHeader('x-request-id', id);
  res.setHeader('x-pid', process.pid);
  res.setHeader('x-release', RELEASE);
  if (req.method !== 'POST') return res.end(`${id}\n`);
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => res.end(Buffer.concat(chunks)));
});

server.listen(4000, () => console.log('listening on 4000'));
