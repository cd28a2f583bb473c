'use strict';
// The open connections of the servers on held sockets, and what each is doing. Costs a few listeners per server and one
// per connection; requests cost next to nothing, because Node's own http state tells who is busy when somebody asks.

const { guarded } = require('./guard.cjs');
const responses = require('./responses.cjs');

/** Marks a connection that is ours (the probe's) and counts nowhere. */
const PRIVATE = Symbol('appctl.private');

/** On a socket: its record here. */
const RECORD = Symbol('appctl.connection');

/** The events by which HTTP hands a connection over to another protocol. */
const HANDOVERS = new Set(['upgrade', 'connect']);

class Connection {
  constructor(socket, server) {
    this.socket = socket;
    this.server = server;
    this.opened = performance.now();
    this.upgrade = null;
    this.session = null;
    this.closing = false;
    this.wasBusy = false;
    this.mark = 0;
    this.since = 0;
    this.finished = 0;
    this.seen = null;
    this.seenAt = 0;
  }

  /** Speaks HTTP/1 now: not upgraded, not another protocol. */
  http() {
    return Boolean(this.socket.parser);
  }

  /** The response being sent or awaited, if any. */
  response() {
    return this.socket._httpMessage || null;
  }

  /** Another protocol has taken over, and its first answer (for a WebSocket the 101) is out. */
  upgraded() {
    return this.upgrade !== null && this.socket.bytesWritten > this.upgrade.mark;
  }

  /** Remembers since when the present response is known: nothing is noted when a request comes in. */
  look(now) {
    const response = this.response();
    if (response === this.seen) return;
    this.seen = response;
    this.seenAt = now;
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
    responses.install(RECORD);
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
    if (kind.http) noteHandovers(server);
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
    const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'socket');
    const record = symbol && session[symbol] && session[symbol][RECORD];
    if (record) record.session = session;
    session.once('close', () => this.sessions.delete(session));
    responses.follow(session);
    if (this.onsession !== null) this.onsession(session);
  }

  remove(record) {
    this.open.delete(record);
  }

  /** `INFLIGHT OPEN RESPONSES ERRORS` for the heartbeat. */
  load() {
    const now = performance.now();
    let busy = 0;
    for (const record of this.open) {
      record.look(now);
      if (record.response() !== null) busy += 1;
    }
    return `${busy} ${this.open.size} ${responses.told()}`;
  }
}

/**
 * Notes what a connection was upgraded to. Node offers upgrades only while somebody listens for them, so our listener
 * is there as long as one of the app's is, and not a moment longer.
 */
function noteHandovers(server) {
  const note = (request, socket) => guarded(() => handedOver(request, socket));
  const join = (event) => {
    if (HANDOVERS.has(event) && !server.listeners(event).includes(note)) server.prependListener(event, note);
  };
  const leave = (event) => {
    if (HANDOVERS.has(event) && server.listenerCount(event) === 1) server.removeListener(event, note);
  };
  for (const event of HANDOVERS) if (server.listenerCount(event) > 0) join(event);
  server.on('newListener', (event, listener) => listener !== note && guarded(() => join(event)));
  server.on('removeListener', (event, listener) => listener !== note && guarded(() => leave(event)));
}

function handedOver({ method, url }, socket) {
  const record = socket[RECORD];
  if (record !== undefined) record.upgrade = { method, url, mark: socket.bytesWritten, since: performance.now() };
}

module.exports = { Connections, RECORD, PRIVATE };
