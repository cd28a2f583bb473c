'use strict';

const http = require('http');

const server = http.createServer(require('./answer'));
server.listen(process.env.PORT);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    console.log(`${signal}: closing`);
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
