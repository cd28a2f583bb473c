'use strict';
// How a connection ends without losing a byte: the last response says `Connection: close`, then our side is shut down
// and what still arrives is read and dropped, because closing with unread bytes resets the connection and may destroy
// the response on its way (RFC 9112 section 9.6).

const { guarded, replace } = require('./guard.cjs');
const { recordOf } = require('./connections.cjs');
const { hasNoConnection, isLast, keepsAlive, setKeepAlive } = require('./internals.cjs');

/** @typedef {import('./connection.cjs').Connection} Connection */

/** Responses whose keep-alive was taken back before their headers were written. */
const flagged = new WeakSet();

const isConnection = (name) => typeof name === 'string' && name.toLowerCase() === 'connection';

/** From now on every response that is the newest on its connection tells the client to close. */
function sayCloseFromNowOn() {
  replace(require('http').ServerResponse.prototype, 'writeHead', (original) => function (...args) {
    if (!this.headersSent) guarded(() => sayClose(this, args));
    return original.apply(this, args);
  });
}

/** The decision falls when the headers are written: only then is it known whether pipelined requests wait behind. */
function sayClose(response, args) {
  const record = response.req ? recordOf(response.req.socket) : undefined;
  if (record === undefined || args[0] === 101) return;
  if (!record.newest(response)) return;
  setKeepAlive(response, false);
  if (response.hasHeader('connection') || hasNoConnection(response)) response.setHeader('Connection', 'close');
  const index = typeof args[1] === 'string' ? 2 : 1;
  if (args[index]) args[index] = withClose(args[index]);
}

/** Headers as given to writeHead (object, flat or nested array) with an explicit Connection replaced, in a copy. */
function withClose(headers) {
  if (!Array.isArray(headers)) {
    const name = Object.keys(headers).find(isConnection);
    return name === undefined ? headers : { ...headers, [name]: 'close' };
  }
  if (Array.isArray(headers[0])) return headers.map((pair) => (isConnection(pair[0]) ? [pair[0], 'close'] : pair));
  return headers.map((value, index) => (index % 2 === 1 && isConnection(headers[index - 1]) ? 'close' : value));
}

/** For a response in progress, whose library may have kept its own reference to writeHead. */
function flag(/** @type {Connection} */ record) {
  const response = record.response();
  if (response === null || response.headersSent || !keepsAlive(response) || !record.newest(response)) return;
  setKeepAlive(response, false);
  flagged.add(response);
}

/** A further request has arrived behind it, and that one's response will be the last. */
function takeBack(response) {
  if (flagged.delete(response)) setKeepAlive(response, true);
}

/** The response that says `close` is on its way: what follows on the connection must not be carried out. */
function closeSent(/** @type {Connection} */ record) {
  const response = record.response();
  return record.closing || (response !== null && response.headersSent && isLast(response));
}

/** Node ends a connection after its last response by `destroySoon`, which would reset it when bytes are unread. */
function endGently(/** @type {Connection} */ record) {
  const { socket } = record;
  const original = socket.destroySoon;
  const value = function () {
    if (record.http()) guarded(() => shut(record));
    else original.call(socket);
  };
  Object.defineProperty(socket, 'destroySoon', { value, configurable: true, writable: true });
}

/** Half-closes; the connection goes away when the peer closes too, or after a while (see Drain). */
function shut(/** @type {Connection} */ record) {
  if (record.closing) return;
  record.closing = true;
  const { socket } = record;
  socket.end();
  socket.resume();
}

module.exports = { sayCloseFromNowOn, flag, takeBack, closeSent, endGently, shut };
