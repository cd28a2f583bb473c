'use strict';

const { WebSocketServer } = require('ws');

const server = require('http').createServer(require('./answer'));
new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
server.listen(process.env.PORT);
