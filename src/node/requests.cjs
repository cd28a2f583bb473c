'use strict';
// Which request a connection is busy with. Node's own http state tells that and costs nothing; with a Node that does not
// show it, each request is watched instead.

const { newestRequestOf, parserOf, responseOf: shown, showsRequests } = require('./internals.cjs');

/** From connections to the responses that are owed on them, in order; only where they are watched. */
const owed = new WeakMap();

/** Events that hand a request and its response to the app. */
const REQUESTS = new Set(['request', 'checkContinue', 'checkExpectation']);

/** Follows the requests of a server, where Node does not show them. `finished` is called for each response of it. */
function watch(server, finished) {
  if (showsRequests()) return;
  const { emit } = server;
  const value = function (event, request, response) {
    if (REQUESTS.has(event) && request.httpVersionMajor === 1) note(request.socket, response, finished);
    return emit.apply(this, arguments);
  };
  Object.defineProperty(server, 'emit', { value, configurable: true, writable: true });
}

function note(socket, response, finished) {
  const all = owed.get(socket) || [];
  if (all.includes(response)) return;
  owed.set(socket, [...all, response]);
  response.once('finish', () => finished(response));
  response.once('close', () => owed.set(socket, owed.get(socket).filter((one) => one !== response)));
}

/** The response being sent or awaited on a connection; null when it is idle. */
function responseOf(socket) {
  if (showsRequests()) return shown(socket);
  const [first] = owed.get(socket) || [];
  return first || null;
}

/** Whether nothing came in behind the request of this response. */
function isNewest(socket, response) {
  if (showsRequests()) {
    const newest = newestRequestOf(socket);
    return newest === null || newest === response.req;
  }
  const all = owed.get(socket) || [];
  return all.length === 0 || all[all.length - 1] === response;
}

/** Whether the protocol of a connection is HTTP/1 now. */
function speaksHttp({ socket, server, upgrade }) {
  if (showsRequests()) return parserOf(socket) !== null;
  return server.http && !(server.http2 && socket.alpnProtocol === 'h2') && upgrade === null;
}

module.exports = { watch, responseOf, isNewest, speaksHttp };
