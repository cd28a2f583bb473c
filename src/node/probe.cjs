'use strict';
// A private socket per instance that feeds the app's own HTTP server: an answer there proves this instance, which one
// on the shared port never could.

const fs = require('fs');
const net = require('net');
const { guarded } = require('./guard.cjs');
const { hide } = require('./connections.cjs');

let opened = false;

/** Opens it for the first server that can answer HTTP/1. */
function open(server, path, announce) {
  const enter = entrance(server);
  if (opened || enter === null) return;
  opened = true;
  const door = net.createServer({ allowHalfOpen: true }, (socket) => guarded(() => admit(server, socket, enter)));
  door.unref();
  door.on('listening', announce);
  door.on('error', (error) => guarded(() => retry(door, path, error)));
  door.listen({ path, exclusive: true });
}

/** The event by which the server takes a connection whose bytes are plain HTTP. */
function entrance(server) {
  const secure = typeof server.setSecureContext === 'function';
  const http = 'keepAliveTimeout' in server;
  if (typeof server.updateSettings === 'function') return null;
  if (!http) return null;
  return secure ? 'secureConnection' : 'connection';
}

/** Looks to the app like a local client, over TLS when its server speaks TLS. */
function admit(server, socket, event) {
  hide(socket);
  socket.on('error', () => socket.destroy());
  const shown = { remoteAddress: '127.0.0.1', remoteFamily: 'IPv4', encrypted: event === 'secureConnection' };
  for (const [name, value] of Object.entries(shown)) Object.defineProperty(socket, name, { value, configurable: true });
  server.emit(event, socket);
}

/** A path left behind by a killed process is taken over, one in use by a sibling process is not. */
function retry(door, path, error) {
  if (error.code !== 'EADDRINUSE') return;
  const knock = net.createConnection({ path });
  knock.unref();
  knock.on('connect', () => knock.destroy());
  knock.on('error', (/** @type {NodeJS.ErrnoException} */ refused) => {
    if (refused.code !== 'ECONNREFUSED') return;
    guarded(() => {
      fs.unlinkSync(path);
      door.listen({ path, exclusive: true });
    });
  });
}

module.exports = { open };
