'use strict';
// The open connections of the servers on held sockets, and what each is doing. A plain HTTP/1 server keeps a list of its
// own, so there a connection costs nothing before the drain (a listener for each was 9 % of a request that has its
// connection to itself); elsewhere it is one listener and one record. Requests cost next to nothing, because Node's http
// state tells who is busy.

const { guarded } = require('./guard.cjs');
const responses = require('./responses.cjs');
const internals = require('./internals.cjs');
const requests = require('./requests.cjs');
const { Connection, Sight } = require('./connection.cjs');

// Beside the sockets, not on them: a property that only some sockets have makes all the others slower, by 2 to 7 % of a
// short request when it is the ones that are open at a heartbeat.

/** Connections that are ours (the probe's) and count nowhere. */
const hidden = new WeakSet();

/** From sockets to their records. */
const records = new WeakMap();

/** The events by which HTTP hands a connection over to another protocol. */
const HANDOVERS = new Set(['upgrade', 'connect']);

class Connections {
  constructor() {
    /** @type {Set<Connection>} */
    this.open = new Set();
    this.sights = new WeakMap();
    this.sessions = new Set();
    /** @type {Map<any, import('./connection.cjs').Kind>} */
    this.servers = new Map();
    /** @type {((record: Connection) => void) | null} */
    this.onadd = null;
    /** @type {(() => void) | null} */
    this.onempty = null;
    /** @type {((session: any) => void) | null} */
    this.onsession = null;
    responses.install((socket) => this.owns(socket));
  }

  /** Whether it is a connection of a server that is followed. */
  owns(socket) {
    return (this.servers.has(internals.serverOf(socket)) && !hidden.has(socket)) || records.has(socket);
  }

  follow(server) {
    if (this.servers.has(server)) return;
    const kind = {
      http: 'keepAliveTimeout' in server,
      http2: typeof server.updateSettings === 'function',
      secure: typeof server.setSecureContext === 'function',
      watched: false,
    };
    this.servers.set(server, kind);
    if (onlyHttp(server, kind)) process.nextTick(() => guarded(() => this.expectList(server, kind)));
    else this.watch(server, kind);
    if (kind.http) requests.watch(server, (response) => this.owns(response.req.socket) && responses.count(response.statusCode));
    if (kind.secure) server.prependListener('secureConnection', (socket) => guarded(() => this.secured(socket, kind)));
    if (kind.http2) server.on('session', (session) => guarded(() => this.session(session)));
    if (kind.http) noteHandovers(server, (socket) => this.add(socket, kind));
  }

  /** Node makes its list when it says "listening", which it has done by now. */
  expectList(server, kind) {
    if (internals.connectionsOf(server) !== null) return;
    if (server.listening) internals.report(['http.Server[http.server.connections]']);
    this.watch(server, kind);
  }

  /** From now on each connection is known as soon as it is there. */
  watch(server, kind) {
    if (kind.watched) return;
    kind.watched = true;
    server.prependListener('connection', (socket) => guarded(() => this.add(socket, kind)));
  }

  watchAll() {
    this.look();
    for (const [server, kind] of this.servers) this.watch(server, kind);
  }

  /** Whatever is open now has its record afterwards. */
  look() {
    for (const [socket, kind] of this.unrecorded()) this.add(socket, kind);
  }

  /** Sockets and servers of the connections that only Node's lists know. */
  *unrecorded() {
    for (const [server, kind] of this.servers) {
      const all = kind.watched ? null : internals.connectionsOf(server);
      if (all === null) continue;
      for (const socket of all()) {
        if (!hidden.has(socket) && !records.has(socket)) yield [socket, kind];
      }
    }
  }

  /** What was seen of a connection without a record. */
  sightOf(socket, now) {
    const known = this.sights.get(socket);
    if (known !== undefined) return known;
    const sight = new Sight(now);
    this.sights.set(socket, sight);
    return sight;
  }

  /** The record of a connection, a new one if need be; undefined for a private one. */
  add(socket, kind) {
    if (hidden.has(socket) || records.has(socket)) return records.get(socket);
    const record = new Connection(socket, kind, this.sights.get(socket));
    records.set(socket, record);
    this.open.add(record);
    socket.once('close', () => this.remove(record));
    if (this.onadd !== null) this.onadd(record);
    return record;
  }

  /** The TLS socket stands for the connection from the end of the handshake on. */
  secured(socket, kind) {
    const raw = recordOf(internals.belowTls(socket));
    this.add(socket, kind);
    if (raw !== undefined) this.remove(raw);
  }

  session(session) {
    this.sessions.add(session);
    const record = recordOf(internals.socketOf(session));
    if (record !== undefined) record.session = session;
    session.once('close', () => this.sessions.delete(session));
    responses.follow(session);
    if (this.onsession !== null) this.onsession(session);
  }

  remove(record) {
    this.open.delete(record);
    if (this.onempty !== null && this.open.size === 0) this.onempty();
  }

  /** For the heartbeat. @returns {import('./protocol.cjs').Load} */
  load() {
    const now = performance.now();
    const sights = [...this.open].map((record) => [record.socket, record.sight]);
    for (const [socket] of this.unrecorded()) sights.push([socket, this.sightOf(socket, now)]);
    let busy = 0;
    for (const [socket, sight] of sights) {
      sight.look(requests.responseOf(socket), now);
      if (sight.response !== null) busy += 1;
    }
    return { inFlight: busy, open: sights.length, responses: responses.counted() };
  }
}

/** The record of a connection; undefined where there is none, and for a private one. */
function recordOf(socket) {
  return records.get(socket);
}

/** Takes a connection for ours: it counts nowhere. */
function hide(socket) {
  hidden.add(socket);
}

/** Nothing but Node's own http takes its connections, so that all of them are on its list. */
function onlyHttp(server, { http, http2, secure }) {
  const [first, second] = server.listeners('connection');
  return http && !http2 && !secure && second === undefined && internals.isHttpListener(first);
}

/**
 * Notes what a connection was upgraded to. Node offers upgrades only while somebody listens for them, so our listener
 * is there as long as one of the app's is, and not a moment longer.
 */
function noteHandovers(server, known) {
  const note = (request, socket) => guarded(() => handedOver(request, known(socket)));
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

function handedOver({ method, url }, record) {
  if (record !== undefined) record.upgrade = { method, url, mark: record.socket.bytesWritten, since: performance.now() };
}

module.exports = { Connections, recordOf, hide };
