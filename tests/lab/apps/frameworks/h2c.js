'use strict';

require('http2').createServer(require('./answer')).listen(process.env.PORT);
