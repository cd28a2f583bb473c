'use strict';
// Where readiness is more than listening, the servers of an instance take no connection from the shared sockets before
// the shim has seen the proof: siblings do, or the queue keeps them. A release that fails its probe answers nobody.

const { park } = require('./sockets.cjs');

class Hold {
  constructor(held) {
    this.held = held;
    this.servers = [];
    this.alive = undefined;
  }

  /** In the same turn as the listen: connections are taken by the event loop, so none has been yet. */
  take(server, queue) {
    const handle = server._handle;
    if (!this.held || !handle || !park(handle)) return;
    this.servers.push({ server, handle, queue });
    // A parked socket does not keep the process alive, and an app may have nothing else that does.
    if (this.alive === undefined) this.alive = setInterval(() => {}, 2 ** 30);
  }

  /** Listening once more starts where parking stopped. A server that was closed meanwhile has given its handle back. */
  release() {
    this.held = false;
    clearInterval(this.alive);
    for (const { server, handle, queue } of this.servers.splice(0)) {
      if (server._handle === handle) handle.listen(queue);
    }
  }
}

module.exports = { Hold };
