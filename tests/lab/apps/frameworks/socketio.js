'use strict';

const { Server } = require('socket.io');

const server = require('http').createServer(require('./answer'));
new Server(server).on('connection', (socket) => socket.on('ping', (reply) => reply()));
server.listen(process.env.PORT);
