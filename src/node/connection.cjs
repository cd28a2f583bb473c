'use strict';
// One open connection of a server on a held socket, and all that the drain keeps of it. What it is doing is read from
// Node's http state when it is asked for, so that requests cost nothing.

const requests = require('./requests.cjs');

/** Since when a connection is known, and the response it was busy with at the last look. */
class Sight {
  constructor(/** @type {number} */ now) {
    // On a server with a list of its own: at most a heartbeat later than it was opened.
    this.opened = now;
    /** @type {any} */
    this.response = null;
    this.since = now;
  }

  /** Nothing is noted when a request comes in. */
  look(response, now) {
    if (response === this.response) return;
    this.response = response;
    this.since = now;
  }
}

/**
 * What a server speaks, and whether its connections are followed one by one.
 * @typedef {{ http: boolean, http2: boolean, secure: boolean, watched: boolean }} Kind
 */

class Connection {
  /** @param {any} socket @param {Kind} server */
  constructor(socket, server, sight = new Sight(performance.now())) {
    this.socket = socket;
    this.server = server;
    this.sight = sight;
    /**
     * What it was upgraded to: the request, the bytes sent before its answer, and when.
     * @type {{ method: string, url: string, mark: number, since: number } | null}
     */
    this.upgrade = null;
    /** The HTTP/2 session that it carries. @type {any} */
    this.session = null;

    // From here on of the drain only.
    /** Our side says no more. */
    this.closing = false;
    /** A request was in progress at the last look. */
    this.wasBusy = false;
    /** Bytes that had arrived when it became idle, or at the last progress of its handshake; and when that was. */
    this.mark = 0;
    this.since = 0;
    /** When the last byte was with the kernel; 0: not yet. */
    this.finished = 0;
    /** Of a stream that is ended at a pause: bytes sent at the last look, and since when none followed. */
    this.written = -1;
    this.quietSince = 0;
  }

  /** Speaks HTTP/1 now: not upgraded, not another protocol. */
  http() {
    return requests.speaksHttp(this);
  }

  /** The response being sent or awaited, if any. */
  response() {
    return requests.responseOf(this.socket);
  }

  /** Another protocol has taken over, and its first answer (for a WebSocket the 101) is out. */
  upgraded() {
    return this.upgrade !== null && this.socket.bytesWritten > this.upgrade.mark;
  }

  /** Remembers since when the present response is known. */
  look(now) {
    this.sight.look(this.response(), now);
  }

  /** The request parsed last: a response that is not for it has pipelined ones behind it. */
  newest(response) {
    return requests.isNewest(this.socket, response);
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

module.exports = { Connection, Sight };
