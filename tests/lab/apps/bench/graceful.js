'use strict';

// The same app, as PM2's documentation asks for it: on SIGINT let go of everything, then exit.
const server = require('./server.js');

process.on('SIGINT', () => server.close(() => process.exit(0)));
