'use strict';

// What every app here answers: the request's own id, and who answered.
module.exports = function answer(req, res) {
  const id = req.headers['x-request-id'] || '';
  res.setHeader('x-request-id', id);
  res.setHeader('x-pid', process.pid);
  if (req.method !== 'POST') return res.end(`${id}\n`);
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => res.end(Buffer.concat(chunks)));
};
