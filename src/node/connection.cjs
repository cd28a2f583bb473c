'use strict';
// One open connection of a server on a held socket. What it is doing is read from Node's http state whenever somebody
// asks, so that requests cost nothing.

/** Since when a connection is known, and the response it was busy with when somebody looked last. */
class Sight {
  constructor(now) {
    // On a server with a list of its own: at most a heartbeat later than it was opened.
    this.opened = now;
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

class Connection {
  constructor(socket, server, sight = new Sight(performance.now())) {
    this.socket = socket;
    this.server = server;
    this.sight = sight;
    this.upgrade = null;
    this.session = null;
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
    return responseOf(this.socket);
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

/** The response being sent or awaited on a connection, if any. */
function responseOf(socket) {
  return socket._httpMessage || null;
}

module.exports = { Connection, Sight, responseOf };
