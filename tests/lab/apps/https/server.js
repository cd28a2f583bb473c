'use strict';

const fs = require('fs');
const https = require('https');

const RELEASE = fs.existsSync('release.txt') ? fs.readFileSync('release.txt', 'utf8').trim() : process.env.RELEASE || 'none';
const credentials = { key: fs.readFileSync('key.pem'), cert: fs.readFileSync('cert.pem') };

const server = https.createServer(credentials, (req, res) => {
  const id = req.headers['x-request-id'] || '';
  res.setHeader('x-request-id', id);
  res.setHeader('x-pid', process.pid);
  res.setHeader('x-release', RELEASE);
  res.end(`${id}\n`);
});

server.listen(3000, () => console.log('listening on 3000'));
