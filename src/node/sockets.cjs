'use strict';
// The listening sockets systemd holds for the app and this process was handed: which are here, which one a listen asks
// for, and how to stop accepting on one without giving it up. Format of APPCTL_LISTEN: `FD:INODE=ADDRESS ...`.

const fs = require('fs');
const { park } = require('./internals.cjs');

const WILDCARD = new Set(['', '::', '0.0.0.0']);
const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1']);

/** One held socket. `server` is who listens on it in this process now, `handle` Node's handle once it was opened. */
class HeldSocket {
  constructor(fd, inode, address) {
    this.fd = fd;
    this.inode = inode;
    this.address = address;
    this.handle = null;
    this.server = null;
    this.onrelease = [];
    const tcp = address.startsWith('/') ? null : /^(.*):(\d+)$/.exec(address);
    this.path = tcp === null ? address : null;
    this.host = tcp === null ? null : tcp[1].replace(/^\[|\]$/g, '');
    this.port = tcp === null ? null : Number(tcp[2]);
  }

  /** The descriptor is really this socket: a child inherits the variable but not always the descriptor. */
  reached() {
    if (this.fd < 0) return false;
    try {
      const stat = fs.fstatSync(this.fd);
      return stat.isSocket() && stat.ino === this.inode;
    } catch {
      return false;
    }
  }

  /** In reach, and no server of this process listens on it. */
  free() {
    return this.server === null && this.reached();
  }

  /** Takes over the handle a server listens with: closing it parks the socket, for the next listen to find. */
  own(handle, server) {
    this.server = server;
    if (this.handle === handle) return;
    this.handle = handle;
    const close = handle.close;
    const socket = this;
    const value = function (...args) {
      if (!park(handle)) return close.apply(handle, args);
      socket.release();
      if (typeof args[0] === 'function') setImmediate(args[0]);
      return undefined;
    };
    Object.defineProperty(handle, 'close', { value, configurable: true, writable: true });
  }

  release() {
    this.server = null;
    for (const work of this.onrelease.splice(0)) work();
  }
}

function parse(text) {
  const sockets = [];
  for (const word of (text || '').split(' ')) {
    const match = /^(-?\d+):(\d+)=(.+)$/.exec(word);
    if (match !== null) sockets.push(new HeldSocket(Number(match[1]), Number(match[2]), match[3]));
  }
  return sockets;
}

function format(sockets, fdOf) {
  return sockets.map((socket) => `${fdOf(socket)}:${socket.inode}=${socket.address}`).join(' ');
}

/** How well a held host fits the asked one: the operator's choice of host decides, so any host fits a little. */
function fit(held, asked) {
  const host = asked === undefined || asked === null ? '' : String(asked);
  if (held === host) return 3;
  if (WILDCARD.has(host) && WILDCARD.has(held)) return 2;
  return LOOPBACK.has(host) && LOOPBACK.has(held) ? 1 : 0;
}

/** All held sockets at the port or path a listen asks for, best fit first. */
function matching(sockets, { port, host, path }) {
  if (path !== undefined) return sockets.filter((socket) => socket.path === path);
  const same = sockets.filter((socket) => socket.port === port);
  return same.sort((a, b) => fit(b.host, host) - fit(a.host, host));
}

/** A listen on every address, or on a name of several, is meant for all held sockets of its port. */
function wantsAll({ path, host }) {
  return path === undefined && (host === undefined || host === null || WILDCARD.has(host) || host === 'localhost');
}

module.exports = { parse, format, matching, wantsAll, fit };
