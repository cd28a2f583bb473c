'use strict';
// The open connections of the servers on held sockets, and what each is doing. Costs one listener per server and one
// per connection; requests cost nothing, because Node's own http state tells who is busy when somebody asks.

const { guarded } = require('./guard.cjs');

/** Marks a connection that is ours (the probe's) and counts nowhere. */
const PRIVATE = Symbol('appctl.private');

/** On a socket: its record here. */
const RECORD = Symbol('appctl.connection');

class Connection {
  constructor(socket, server) {
    this.socket = socket;
    this.server = server;
    this.closing = false;
    this.wasBusy = false;
    this.mark = 0;
    this.since = 0;
    this.finished = 0;
  }

  /** Speaks HTTP/1 now: not upgraded, not another protocol. */
  http() {
    return Boolean(this.socket.parser);
  }

  /** The response being sent or awaited, if any. */
  response() {
    return this.socket._httpMessage || null;
  }

  /** The request parsed last: a response that is not for it has pipelined ones behind it. */
  newest(response) {
    const { parser } = this.socket;
    return !parser || !parser.incoming || parser.incoming === response.req;
  }

  /** An HTTP/2 session that has ended on our side. */
  sessionEnded() {
    return this.server.http2 && this.socket.writableFinished;
  }

  /** Accepted by a TLS server whose handshake is not complete. */
  handshaking() {
    return this.server.secure && !this.socket.encrypted;
  }
}

class Connections {
  constructor() {
    this.open = new Set();
    this.sessions = new Set();
    this.servers = new Map();
    this.onadd = null;
    this.onsession = null;
  }

  follow(server) {
    if (this.servers.has(server)) return;
    const kind = {
      http: 'keepAliveTimeout' in server,
      http2: typeof server.updateSettings === 'function',
      secure: typeof server.setSecureContext === 'function',
    };
    this.servers.set(server, kind);
    server.prependListener('connection', (socket) => guarded(() => this.add(socket, kind)));
    if (kind.secure) server.prependListener('secureConnection', (socket) => guarded(() => this.secured(socket, kind)));
    if (kind.http2) server.on('session', (session) => guarded(() => this.session(session)));
  }

  add(socket, kind) {
    if (socket[PRIVATE] || socket[RECORD] !== undefined) return;
    const record = new Connection(socket, kind);
    socket[RECORD] = record;
    this.open.add(record);
    socket.once('close', () => this.remove(record));
    if (this.onadd !== null) this.onadd(record);
  }

  /** The TLS socket stands for the connection from the end of the handshake on. */
  secured(socket, kind) {
    const raw = socket._parent && socket._parent[RECORD];
    this.add(socket, kind);
    if (raw !== undefined) this.remove(raw);
  }

  session(session) {
    this.sessions.add(session);
    session.once('close', () => this.sessions.delete(session));
    if (this.onsession !== null) this.onsession(session);
  }

  remove(record) {
    this.open.delete(record);
  }

  /** `INFLIGHT OPEN` for the heartbeat. */
  load() {
    let busy = 0;
    for (const record of this.open) if (record.response() !== null) busy += 1;
    return `${busy} ${this.open.size}`;
  }
}

module.exports = { Connections, RECORD, PRIVATE };
