'use strict';

require('http').createServer(require('./answer')).listen(process.env.PORT);
process.on('SIGTERM', () => console.log('not now'));
