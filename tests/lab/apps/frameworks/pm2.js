'use strict';

// Written for PM2: wait_ready, shutdown_with_message, increment_var, and the handler of its guide for SIGINT.
const http = require('http');

const server = http.createServer(require('./answer'));
const metrics = http.createServer((req, res) => res.end(`instance ${process.env.NODE_APP_INSTANCE}\n`));

server.listen(process.env.PORT, () => metrics.listen(process.env.METRICS_PORT, '127.0.0.1', () => process.send('ready')));

function close(why) {
  console.log(`${why}: closing`);
  server.close((error) => process.exit(error ? 1 : 0));
  metrics.close();
}
process.on('message', (message) => {
  if (message === 'shutdown') close('message');
});
process.on('SIGINT', () => close('SIGINT'));
