'use strict';

const http = require('http');

let built = () => 'not built';
try {
  ({ built } = require('./build/Release/addon.node'));
} catch (error) {
  if (error.code !== 'MODULE_NOT_FOUND') throw error;
}

http
  .createServer((req, res) => {
    const id = req.headers['x-request-id'] || '';
    res.setHeader('x-request-id', id);
    res.setHeader('x-pid', process.pid);
    res.end(req.url === '/special' ? `${built()}\n` : `${id}\n`);
  })
  .listen(process.env.PORT || 3000);
