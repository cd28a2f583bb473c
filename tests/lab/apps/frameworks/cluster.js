'use strict';

const cluster = require('cluster');

if (cluster.isPrimary) {
  for (let n = 0; n < 2; n += 1) cluster.fork();
} else {
  require('http').createServer(require('./answer')).listen(process.env.PORT);
}
