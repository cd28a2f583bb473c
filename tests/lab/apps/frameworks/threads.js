'use strict';

const { Worker, isMainThread, parentPort } = require('worker_threads');

if (isMainThread) {
  const worker = new Worker(__filename);
  const waiting = [];
  worker.on('message', (id) => waiting.shift()(id));
  require('http')
    .createServer((req, res) => {
      res.setHeader('x-request-id', req.headers['x-request-id'] || '');
      res.setHeader('x-pid', process.pid);
      waiting.push((id) => res.end(`${id}\n`));
      worker.postMessage(req.headers['x-request-id'] || '');
    })
    .listen(process.env.PORT);
} else {
  parentPort.on('message', (id) => parentPort.postMessage(id));
}
