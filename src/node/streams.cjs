'use strict';
// What would never end by itself (WebSockets and other upgraded connections, server-sent events) while an instance is
// emptied: ended between two messages, spread over a window so that not all clients come back at once, or left alone.

const { guarded } = require('./guard.cjs');
const farewell = require('./farewell.cjs');
const { headOf, streamsOf, websocketOf } = require('./internals.cjs');

/**
 * Responses without an end: of these types, to a GET, which a browser's EventSource sends and sends again by itself.
 * Everything else is a request in progress, an event stream that answers a POST too.
 */
const ENDLESS = /^(?:text\/event-stream|multipart\/x-mixed-replace)\b/i;
const ENDLESS_HEAD = /\r\ncontent-type: *(?:text\/event-stream|multipart\/x-mixed-replace)\b/i;
/** RFC 6455 section 7.4.1: the server goes away. */
const GOING_AWAY = 1001;
/** Without a library that knows where its messages end: no byte written for this long. */
const QUIET_MS = 40;
/** Longest wait for such a pause. */
const PATIENCE_MS = 1000;

/** @typedef {import('./connection.cjs').Connection} Connection */

class Streams {
  /** `close SPREAD_MS`, `wait` or `cut`. */
  constructor(words = 'close 5000') {
    const [policy, spread] = words.split(' ');
    this.policy = policy;
    this.spread = policy === 'close' ? Number(spread) : 0;
    /** When each is to end; a stream that comes later ends at once, so that its client goes on to a sibling. */
    this.due = new WeakMap();
  }

  /** Gives each its moment: evenly over the window, which is over well before everything is cut. */
  begin(connections, timeout, now) {
    const all = [...connections.open].map((record) => this.endless(record)).filter((stream) => stream !== null);
    for (const session of connections.sessions) all.push(...endlessIn(session));
    const window = Math.min(this.spread, timeout * 0.8);
    all.forEach((stream, place) => this.due.set(stream, now + (window * place) / all.length));
  }

  /** What has no end on a connection: the response, or the connection itself; null when there is none. */
  endless(/** @type {Connection} */ record) {
    const response = record.response();
    if (response !== null) return isEndless(response) ? response : null;
    if (record.upgraded()) return record;
    const { http, http2 } = record.server;
    return this.policy === 'cut' && !http && !http2 && !record.handshaking() ? record : null;
  }

  review(/** @type {Connection} */ record, now) {
    if (this.policy === 'wait' || record.closing) return;
    const stream = this.endless(record);
    if (stream === null || now < (this.due.get(stream) || 0)) return;
    if (stream !== record) endResponse(stream);
    else if (!sayGoodbye(record)) this.endQuietly(record, now);
  }

  reviewSession(session, now) {
    if (this.policy === 'wait') return;
    for (const stream of endlessIn(session)) {
      if (now >= (this.due.get(stream) || 0)) endResponse(stream);
    }
  }

  /** Half-closes at a pause in what the app writes, so as not to cut a message in two. */
  endQuietly(/** @type {Connection} */ record, now) {
    const { socket } = record;
    if (record.written !== socket.bytesWritten) {
      record.written = socket.bytesWritten;
      record.quietSince = now;
    }
    const since = this.due.get(record) || (record.upgrade || record).since;
    const quiet = socket.writableLength === 0 && now - record.quietSince >= QUIET_MS;
    if (!quiet && now - since < PATIENCE_MS) return;
    farewell.shut(record);
    silence(socket);
    socket.on('error', () => {});
  }
}

/** Its head is out, so its type is known; and the app has not ended it itself. */
function isEndless(response) {
  const open = response.headersSent && !response.writableEnded && response.req.method === 'GET';
  return open && ENDLESS_HEAD.test(headOf(response));
}

/** Ends it the way the app would, which also ends what middleware has put in between (compression). */
function endResponse(response) {
  response.end();
  silence(response);
}

/** The app goes on writing, because for it nothing has ended: that must not be an error. */
function silence(stream) {
  const done = (args) => {
    const callback = args.find((argument) => typeof argument === 'function');
    if (callback !== undefined) process.nextTick(callback);
  };
  const ignored = {
    write: (...args) => {
      done(args);
      return true;
    },
    end: (...args) => {
      done(args);
      return stream;
    },
  };
  for (const [name, value] of Object.entries(ignored)) {
    Object.defineProperty(stream, name, { value, configurable: true, writable: true });
  }
}

/** The close frame of a WebSocket of the `ws` library (socket.io's too), which knows where its messages end. */
function sayGoodbye(/** @type {Connection} */ record) {
  const { socket } = record;
  const websocket = websocketOf(socket);
  if (!websocket || typeof websocket.close !== 'function') return false;
  record.closing = true;
  guarded(() => websocket.close(GOING_AWAY));
  return true;
}

/** Here a request without a body is as near as one comes to knowing that it was a GET. */
function endlessIn(session) {
  return streamsOf(session).filter(({ sentHeaders, writableEnded, endAfterHeaders }) => {
    const type = endAfterHeaders && !writableEnded && sentHeaders && sentHeaders['content-type'];
    return typeof type === 'string' && ENDLESS.test(type);
  });
}

module.exports = { Streams };
