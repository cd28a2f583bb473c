'use strict';

const net = require('net');

const server = net.createServer((socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.pipe(socket);
});

server.listen(3000, () => console.log('listening on 3000'));
