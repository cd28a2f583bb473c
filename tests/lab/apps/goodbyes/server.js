'use strict';
// What apps do when they are told to stop, by the libraries and habits of the trade: GOODBYE names one.

const http = require('http');

const { GOODBYE } = process.env;

const server = http.createServer((req, res) => {
  const id = req.headers['x-request-id'] || '';
  res.setHeader('x-request-id', id);
  res.setHeader('x-pid', process.pid);
  res.setHeader('x-release', GOODBYE);
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => setTimeout(() => res.end(req.method === 'POST' ? Buffer.concat(chunks) : `${id}\n`), 5));
});

const goodbyes = {
  nothing() {},
  close: () => process.on('SIGTERM', () => server.close(() => process.exit(0))),
  'close-at-once': () => process.on('SIGTERM', () => { server.close(); server.closeAllConnections(); }),
  exit: () => process.on('SIGTERM', () => process.exit(0)),
  ignore: () => process.on('SIGTERM', () => {}),
  terminator() {
    const terminator = require('http-terminator').createHttpTerminator({ server });
    process.on('SIGTERM', () => terminator.terminate().then(() => process.exit(0)));
  },
  stoppable() {
    require('stoppable')(server, 5000);
    process.on('SIGTERM', () => server.stop(() => process.exit(0)));
  },
};

goodbyes[GOODBYE]();
server.listen(3000);
