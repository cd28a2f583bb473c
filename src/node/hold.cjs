'use strict';
// When the servers of an instance begin to take connections from the shared sockets. Not before our word that they listen
// is with the shim, or a stop that comes in between would find nothing to drain. And where readiness is more than
// listening, not before the shim has seen the proof either: a release that fails its probe answers no request. Until then
// siblings take what comes, or the queue keeps it.

const { handleOf, park, unpark } = require('./internals.cjs');

class Hold {
  /** `proof`: the shim says when. `known`: there is no shim that would have to know. */
  constructor(proof, known) {
    this.proof = proof;
    this.waits = proof || !known;
    this.stopped = false;
    this.parked = new Map();
    this.alive = undefined;
  }

  /** In the same turn as the listen: connections are taken by the event loop, so none has been yet. */
  take(server, socket, queue) {
    const handle = handleOf(server);
    if (!this.waits || handle === null || !park(handle)) return;
    const closed = () => this.drop(server);
    this.drop(server);
    server.once('close', closed);
    this.parked.set(server, { handle, socket, queue, closed });
    // A parked socket does not keep the process alive, and an app may have nothing else that does.
    if (this.alive === undefined) this.alive = setInterval(() => {}, 2 ** 30);
  }

  /** Our word is with the shim, or never will be. */
  told() {
    if (!this.proof) this.release();
  }

  /**
   * Listening once more starts where parking stopped. A server that was closed meanwhile has given its socket back; that
   * of a cluster's primary has only passed its handle on.
   */
  release() {
    if (this.stopped || !this.waits) return;
    this.waits = false;
    for (const [server, { handle, socket, queue }] of this.parked) {
      this.drop(server);
      if (socket.server === server) unpark(handle, queue);
    }
  }

  /** One that was told to stop before takes nothing any more. */
  stop() {
    this.stopped = true;
  }

  drop(server) {
    const entry = this.parked.get(server);
    if (entry === undefined) return;
    server.removeListener('close', entry.closed);
    this.parked.delete(server);
    if (this.parked.size > 0) return;
    clearInterval(this.alive);
    this.alive = undefined;
  }
}

module.exports = { Hold };
