'use strict';

const fs = require('fs');

const credentials = { key: fs.readFileSync('key.pem'), cert: fs.readFileSync('cert.pem'), allowHTTP1: true };
require('http2').createSecureServer(credentials, require('./answer')).listen(process.env.PORT);
