'use strict';
// Everything that the adapter uses of Node without a promise of Node's documentation: no other file of the adapter names
// any of it (test/internals.test.cjs). All of it holds for Node 18 to 24. What a later Node lacks is found here at the
// start, said in the app's log, and done without as far as that goes.

const cp = require('child_process');
const net = require('net');
const { note, replace } = require('./guard.cjs');

/** By name: what is lost without it. */
const LOST = {
  'net.Server._handle': 'no listen of the app is seen, so that it does not become ready',
  'net.Server._listen2': 'a server that listens once more does not get its socket back',
  'net._createServerHandle': 'workers of a cluster without round-robin do not get the socket',
  'ChildProcess.prototype.spawn': 'an app behind npm or another launcher does not get its socket',
  'http connectionListener': 'every connection is watched',
  'http.Server[http.server.connections]': 'every connection is watched',
  'http.ServerResponse.detachSocket': 'every request is watched',
  'net.Socket._httpMessage': 'every request is watched',
  'net.Socket.parser': 'every request is watched',
  'net.Socket.server': 'every request is watched',
  'http.ServerResponse._last': 'a request behind the last response of a connection may be carried out',
  'http.ServerResponse._header': 'event streams are ended when everything is cut',
  'http.ServerResponse.shouldKeepAlive': 'connections are not told to close',
  'Http2Session[socket]': 'requests of HTTP/2 are not named when they are cut',
  'Http2Session[state]': 'GOAWAY may be sent too early, and event streams over HTTP/2 are cut',
  'TLSSocket._parent': 'a connection counts twice while it is encrypted',
};

/** @typedef {keyof typeof LOST} Name */

/** @type {Set<Name>} */
const lacking = new Set();

/** Says what is missing, each once, in one line. @param {Name[]} names */
function report(names) {
  const news = names.filter((name) => !lacking.has(name));
  for (const name of news) lacking.add(name);
  if (news.length === 0) return;
  const losses = [...new Set(news.map((name) => LOST[name]))];
  note(`the Node adapter misses ${news.join(', ')} in Node ${process.version}: ${losses.join('; ')}`);
}

/** @param {Name[]} names */
const lacks = (...names) => names.some((name) => lacking.has(name));

/** What every process needs, a launcher too. Loads nothing. */
function checkStart() {
  /** @type {any} */
  const [server, spawn] = [new net.Server(), cp.ChildProcess.prototype];
  report(absent({
    'net.Server._handle': server._handle === null,
    'net.Server._listen2': typeof server._listen2 === 'function',
    'net._createServerHandle': typeof (/** @type {any} */ (net)._createServerHandle) === 'function',
    'ChildProcess.prototype.spawn': typeof spawn.spawn === 'function',
  }));
}

/** What a process that serves needs. @param {any} http */
function checkServing(http = require('http')) {
  report(absent({ ...ofResponse(http), ...ofConnection(http) }));
}

/** @param {Partial<Record<Name, boolean>>} found @returns {Name[]} */
function absent(found) {
  const names = /** @type {Name[]} */ (Object.keys(found));
  return names.filter((name) => !found[name]);
}

/** A response on a connection that is none. @param {any} http */
function ofResponse(http) {
  const response = new http.ServerResponse({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 });
  const socket = new net.Socket();
  response.assignSocket(socket);
  const assigned = responseOf(socket) === response;
  const detaches = typeof response.detachSocket === 'function';
  if (detaches) response.detachSocket(socket);
  return {
    'net.Socket._httpMessage': assigned && responseOf(socket) === null,
    'http.ServerResponse.detachSocket': detaches,
    'http.ServerResponse._last': response._last === false,
    'http.ServerResponse._header': response._header === null,
    'http.ServerResponse.shouldKeepAlive': typeof response.shouldKeepAlive === 'boolean',
  };
}

/** A connection without a peer, on a server that never listens. @param {any} http */
function ofConnection(http) {
  const [server, socket] = [new http.Server(), new net.Socket()];
  const [listener] = server.listeners('connection');
  if (typeof listener === 'function') listener.call(server, socket);
  const parser = parserOf(socket);
  const found = {
    'http connectionListener': isHttpListener(listener),
    'net.Socket.parser': parser !== null && 'incoming' in parser && parser.socket === socket,
    'net.Socket.server': serverOf(socket) === server,
  };
  socket.destroy();
  // Some versions have a timer from the beginning.
  server.close(() => {});
  return found;
}

// --- net ---

/** What a server listens with; null while it does not. @param {any} server */
const handleOf = (server) => server._handle || null;

/** A listen that is given what to listen with. @param {any} options */
const givesHandle = (options) => Boolean(options._handle || options.handle);

/** The path that `server.address()` tells. @param {any} server @param {string} path */
function setPath(server, path) {
  server._pipeName = path;
}

/** Listens with a handle that is open already. @param {any} server @param {any} handle @param {number} backlog */
function listenWith(server, handle, backlog) {
  handle.ref();
  server._handle = handle;
  server._listen2(null, -1, -1, backlog);
}

/**
 * Stops accepting while the descriptor stays open, because Node cannot duplicate one. libuv polls a listening socket
 * and a reading one with the same watcher, so one start and stop of reading ends the polling. False: it must be closed.
 * @param {any} handle
 */
function park(handle) {
  if (typeof handle.readStart !== 'function' || typeof handle.readStop !== 'function') return false;
  return handle.readStart() === 0 && handle.readStop() === 0;
}

/** Accepts again. @param {any} handle @param {number} backlog */
const unpark = (handle, backlog) => handle.listen(backlog);

/** Whether it keeps the process alive. @param {any} handle */
const isReferenced = (handle) => handle.hasRef();

/** Every handle that is made for a server goes through `make(original)`. @param {(original: any) => any} make */
function replaceCreateHandle(make) {
  if (!lacks('net._createServerHandle')) replace(net, '_createServerHandle', make);
}

/** The server that a connection was accepted by. @param {any} socket */
const serverOf = (socket) => socket.server;

/** The connection below an encrypted one. @param {any} socket */
function belowTls(socket) {
  if (!('_parent' in socket)) report(['TLSSocket._parent']);
  return socket._parent;
}

// --- child_process ---

/** Every process that is started goes through `make(original)`. @param {(original: any) => any} make */
function replaceSpawn(make) {
  if (!lacks('ChildProcess.prototype.spawn')) replace(cp.ChildProcess.prototype, 'spawn', make);
}

/** `NAME=VALUE` of a process to be started; null where there are none. @param {any} options @returns {string[] | null} */
const environmentOf = (options) => (options && Array.isArray(options.envPairs) ? options.envPairs.map(String) : null);

/** @param {any} options @param {string[]} pairs */
const withEnvironment = (options, pairs) => ({ ...options, envPairs: pairs });

/** Whether this process is a worker of `cluster`; that module's types do not fit how it is loaded. */
const inClusterWorker = () => (/** @type {any} */ (require('cluster'))).isWorker;

/** A worker of `cluster` to be started. @param {string[]} pairs */
const isClusterWorker = (pairs) => pairs.some((pair) => pair.startsWith('NODE_UNIQUE_ID='));

/** Node has opened its debugger, which SIGUSR1 makes it do in the middle of whatever runs. @param {() => void} work */
function onDebugger(work) {
  process.on(/** @type {any} */ ('internalMessage'), (/** @type {any} */ message) => {
    if (message && message.cmd === 'NODE_DEBUG_ENABLED') work();
  });
}

// --- http ---

/** The response that a connection is busy with; null when it is idle. @param {any} socket */
const responseOf = (socket) => socket._httpMessage || null;

/** What reads HTTP/1 from a connection; null where another protocol is spoken. @param {any} socket */
const parserOf = (socket) => socket.parser || null;

/** The request that was read last on a connection. @param {any} socket */
const newestRequestOf = (socket) => (socket.parser && socket.parser.incoming) || null;

/** Whether Node's own state tells what a connection is busy with; asked for each connection at each heartbeat. */
const showsRequests = () => lacking.size === 0 || !lacks(
  'http.ServerResponse.detachSocket', 'net.Socket._httpMessage', 'net.Socket.parser', 'net.Socket.server',
);

/** Node takes a response off its connection when all of it is handed over. @param {(original: any) => any} make */
const replaceDetach = (make) => replace(require('http').ServerResponse.prototype, 'detachSocket', make);

/** Node's own listener for connections. @param {any} listener */
const isHttpListener = (listener) => listener !== undefined && listener.name === 'connectionListener';

/**
 * The connections of an HTTP server (its closeAllConnections() goes by the same list); null where Node keeps none.
 * @param {any} server
 */
function connectionsOf(server) {
  const list = bySymbol(server, 'http.server.connections');
  if (!list || typeof list.all !== 'function') return null;
  return () => list.all().map((/** @type {any} */ parser) => parser.socket).filter(Boolean);
}

/** The head of a response, as it was sent. @param {any} response @returns {string} */
const headOf = (response) => response._header;

/** Whether the connection ends after this response. @param {any} response */
const isLast = (response) => Boolean(response._last);

/** @param {any} response */
const keepsAlive = (response) => response.shouldKeepAlive;

/** Whether `Connection: keep-alive` is said, unless the app says otherwise. @param {any} response @param {boolean} value */
function setKeepAlive(response, value) {
  response.shouldKeepAlive = value;
}

/** The app has taken the header `Connection` away. @param {any} response */
const hasNoConnection = (response) => Boolean(response._removedConnection);

// --- http2 ---

/** The connection of a session. @param {any} session */
function socketOf(session) {
  const socket = bySymbol(session, 'socket');
  if (socket === undefined) report(['Http2Session[socket]']);
  return socket;
}

/** The open streams of a session. @param {any} session @returns {any[]} */
function streamsOf(session) {
  const { streams } = bySymbol(session, 'state') || {};
  if (streams && typeof streams.forEach === 'function') {
    /** @type {any[]} */
    const all = [];
    streams.forEach((/** @type {any} */ stream) => all.push(stream));
    return all;
  }
  // A session that has ended has no state.
  if (!session.destroyed) report(['Http2Session[state]']);
  return [];
}

/** The request of a stream, for apps that use that. @param {any} stream */
const requestOf = (stream) => bySymbol(stream, 'request') || null;

// --- not Node's ---

/** The WebSocket of the library `ws` on a connection (socket.io's too). @param {any} socket */
const websocketOf = (socket) => bySymbol(socket, 'websocket');

/** @param {any} object @param {string} description */
function bySymbol(object, description) {
  const symbol = Object.getOwnPropertySymbols(object).find((one) => one.description === description);
  return symbol && object[symbol];
}

module.exports = {
  LOST, report, lacks, checkStart, checkServing, showsRequests,
  handleOf, givesHandle, setPath, listenWith, park, unpark, isReferenced, replaceCreateHandle, serverOf, belowTls,
  replaceSpawn, environmentOf, withEnvironment, isClusterWorker, inClusterWorker, onDebugger,
  responseOf, parserOf, newestRequestOf, replaceDetach, isHttpListener, connectionsOf, headOf, isLast, keepsAlive,
  setKeepAlive, hasNoConnection, socketOf, streamsOf, requestOf, websocketOf,
};
