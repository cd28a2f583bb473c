'use strict';
// Makes `server.listen()` on a held address accept on the inherited socket; every other listen is left alone.

const net = require('net');
const { guarded, note, replace } = require('./guard.cjs');
const { givesHandle, handleOf, inClusterWorker, listenWith, replaceCreateHandle, setPath } = require('./internals.cjs');
const { format, matching, wantsAll, fit } = require('./sockets.cjs');

/** Numbers and numeric strings, as Node takes them; false for anything else. */
function number(value) {
  if (typeof value !== 'number' && typeof value !== 'string') return false;
  return Number(value) >= 0 ? Number(value) : false;
}


/** What a listen asks for, by Node's own reading of its arguments; null when it is none of our business. */
function read(args) {
  const [first] = args;
  const last = args[args.length - 1];
  const request = { callback: typeof last === 'function' ? last : undefined, options: {} };
  if (typeof first === 'object' && first !== null) Object.assign(request, readOptions(first));
  else if (number(first) !== false) request.port = number(first);
  else if (typeof first === 'string') request.path = first;
  if (typeof first !== 'object' && typeof args[1] === 'string') [, request.host] = args;
  request.backlog = number(request.options.backlog) || number(args[1]) || number(args[2]) || 0;
  return request.port > 0 || request.path !== undefined ? request : null;
}

function readOptions(options) {
  const handle = givesHandle(options) || typeof options.close === 'function';
  if (handle || number(options.fd) !== false) return {};
  if (options.port !== undefined && options.port !== null) {
    const port = number(options.port);
    return port === false ? {} : { options, port, host: options.host };
  }
  return typeof options.path === 'string' ? { options, path: options.path } : {};
}

/** Which held socket this listen takes: null when none is free, and Node says "address in use" as ever. */
function choose(sockets, request) {
  const candidates = matching(sockets, request);
  const exact = candidates.find((socket) => request.port === undefined || fit(socket.host, request.host) === 3);
  if (exact !== undefined) return exact.free() ? exact : null;
  return candidates.find((socket) => socket.free()) || null;
}

function install(sockets, service) {
  const adopter = new Adopter(sockets, service);
  replace(net.Server.prototype, 'listen', (original) => {
    adopter.original = original;
    return function (...args) {
      const request = handleOf(this) ? null : guarded(() => read(args)) || null;
      if (request === null) return original.apply(this, args);
      const socket = guarded(() => choose(sockets, request));
      if (socket) return adopter.adopt(this, socket, request);
      return original.apply(this, guarded(() => adopter.leave(this, request)) || args);
    };
  });
  if (sockets.length > 0) adopter.shareWithWorkers();
}

class Adopter {
  constructor(sockets, service) {
    /** Node's own `listen`. @type {any} */
    this.original = null;
    this.sockets = sockets;
    this.service = service;
    this.reported = new Set();
    this.backlog = number(service.env.APPCTL_BACKLOG) || 4096;
  }

  /** Never below the operator's: listen() on a shared socket sets the length of the queue for every sibling. */
  queue(request) {
    return Math.max(request.backlog, this.backlog);
  }

  adopt(server, socket, request) {
    if (request.path !== undefined) setPath(server, request.path);
    this.accept(server, socket, request);
    if (handleOf(server) !== null) guarded(() => this.adopted(server, socket, request));
    return server;
  }

  accept(server, socket, request) {
    if (socket.handle === null) this.open(server, socket, request);
    else this.reopen(server, socket, request);
    guarded(() => this.service.hold.take(server, socket, this.queue(request)));
  }

  open(server, { fd }, { callback, options, ...request }) {
    const args = [{ fd, signal: options.signal }, this.queue(request)];
    if (callback !== undefined) args.push(callback);
    this.original.apply(server, args);
  }

  /** Listens again with the parked handle: opening its descriptor twice would have it closed twice. */
  reopen(server, socket, { callback, options, ...request }) {
    if (callback !== undefined) server.once('listening', callback);
    if (options.signal) closeOnAbort(server, options.signal);
    listenWith(server, socket.handle, this.queue(request));
  }

  adopted(server, socket, request) {
    socket.own(handleOf(server), server);
    this.service.serves(server, socket.address, () => socket.server === server);
    if (wantsAll(request)) this.forward(server, socket, request);
    this.publish(socket);
  }

  /** Worker threads copy the environment and share the descriptors: they must not take one that is in use. */
  publish(socket) {
    const write = () => {
      process.env.APPCTL_LISTEN = format(this.sockets, (held) => (held.server === null ? held.fd : -1));
    };
    write();
    socket.onrelease.push(write);
  }

  /** Further held sockets of the same port feed the same server, or connections to them would never be answered. */
  forward(server, socket, request) {
    const { allowHalfOpen, noDelay, keepAlive, keepAliveInitialDelay, pauseOnConnect } = server;
    for (const other of matching(this.sockets, request)) {
      if (!other.free()) continue;
      const extra = net.createServer({ allowHalfOpen, noDelay, keepAlive, keepAliveInitialDelay, pauseOnConnect });
      extra.on('connection', (connection) => server.emit('connection', connection));
      extra.on('error', (error) => guarded(() => note(`cannot listen on ${other.address}: ${error.message}`)));
      this.accept(extra, other, { backlog: request.backlog, options: {} });
      const handle = handleOf(extra);
      if (handle === null) continue;
      other.own(handle, extra);
      socket.onrelease.unshift(() => extra.close());
      setImmediate(() => guarded(() => extra.listening && this.service.say({ word: 'listening', address: other.address })));
    }
  }

  /** Watches a listen that is Node's own; returns the arguments to make it with, if not those given. */
  leave(server, request) {
    const known = matching(this.sockets, request);
    if (known.length > 0 && inClusterWorker()) return this.follow(server, request, known[0]);
    if (request.port > 0 && !this.sockets.some((socket) => socket.port === request.port)) {
      server.once('listening', () => guarded(() => this.elsewhere(server, request.port)));
    } else if (known.length > 0 && !known.some((socket) => socket.server !== null || socket.reached())) {
      note(`the socket for ${known[0].address} did not reach this process (pid ${process.pid})`);
    }
    return undefined;
  }

  /** The queue's length travels with the worker's listen, whichever process makes the call in the end. */
  follow(server, request, socket) {
    server.once('listening', () => guarded(() => this.service.serves(server, socket.address, () => server.listening)));
    const { port, host, path, callback } = request;
    const place = path === undefined ? { port, host } : { path };
    const options = { ...request.options, ...place, backlog: this.queue(request) };
    return callback === undefined ? [options] : [options, callback];
  }

  elsewhere(server, port) {
    const address = server.address();
    if (address === null || address.port !== port || this.reported.has(port)) return;
    this.reported.add(port);
    this.service.say({ word: 'elsewhere', port });
    const held = this.sockets.map((socket) => socket.address).join(', ');
    if (held === '') return;
    note(`the app listens on port ${port}, which its socket (${held}) does not hold: probably a mistake`);
  }

  /** With cluster's SCHED_NONE the primary makes the handle without a server and sends it to its workers. */
  shareWithWorkers() {
    const adopter = this;
    replaceCreateHandle((original) => function (address, port, addressType, fd, flags) {
      const held = fd >= 0 ? null : guarded(() => adopter.heldHandle(original, address, port));
      return held || original(address, port, addressType, fd, flags);
    });
  }

  heldHandle(create, address, port) {
    const request = port > 0 ? { port, host: address } : { path: address };
    const socket = choose(this.sockets, request);
    if (socket === null) return null;
    if (socket.handle === null) {
      const handle = create(null, null, null, socket.fd);
      if (typeof handle === 'number') return null;
      socket.own(handle, 'cluster');
    }
    socket.server = 'cluster';
    return socket.handle;
  }
}

function closeOnAbort(server, signal) {
  const abort = () => server.close();
  if (signal.aborted) return void process.nextTick(abort);
  signal.addEventListener('abort', abort, { once: true });
  server.once('close', () => signal.removeEventListener('abort', abort));
}

module.exports = { install };
