'use strict';

require('http').createServer(require('./answer')).listen(process.env.PORT);
process.on('SIGTERM', () => process.exit(0));
