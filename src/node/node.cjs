'use strict';
// Entry of the Node adapter, loaded by NODE_OPTIONS=--require in every Node process of an instance: connects the parts
// below to Node and must never break the app. Everything that costs something waits until the app listens.
// How it works: docs/architecture.md.

const fs = require('fs');
const { complain, guarded } = require('./guard.cjs');

/** Per-process state shared by the parts: what is held, the channel to the shim, what is served. */
function start(env) {
  guarded(() => require('./internals.cjs').checkStart());
  const sockets = require('./sockets.cjs').parse(env.APPCTL_LISTEN);
  const service = new Service(env, sockets);
  require('./adopt.cjs').install(sockets, service);
  if (sockets.some((socket) => socket.reached())) require('./spawn.cjs').install(sockets);
  if (env.APPCTL_READY_MESSAGE === '1') require('./ipc.cjs').install(service);
  // The Node 20.19.2 of Debian 13 leaves the main script's link unresolved after this preload, and npm then does not find
  // its own files ("Cannot find module '../lib/cli.js'"). Any look at a path in between heals it; why is not known.
  fs.statSync(__filename);
  setTimeout(() => guarded(() => service.beat()), 1000).unref();
}

/** What this process serves. Loads the rest at the first listen, so that a launcher such as npm stays as it was. */
class Service {
  constructor(env, sockets) {
    this.env = env;
    this.sockets = sockets;
    /** @type {import('./drain.cjs').Drain | null} */
    this.drain = null;
    /** @type {import('./control.cjs').Control | null} */
    this.channel = null;
    this.listens = false;
    this.hold = new (require('./hold.cjs').Hold)(env.APPCTL_HOLD === '1', !env.APPCTL_CONTROL);
  }

  /** The channel to the shim, connected on first use; null when there is no shim to talk to. */
  control() {
    if (this.channel === null && this.env.APPCTL_CONTROL) {
      const { Control } = require('./control.cjs');
      this.channel = new Control(this.env.APPCTL_CONTROL, (message) => this.hear(message), () => this.load());
    }
    return this.channel;
  }

  /** An app that never listens still shows that its event loop turns; its worker threads need not. */
  beat() {
    if (require('worker_threads').isMainThread) this.control();
  }

  /** `sent` is called once the message is with the kernel, or cannot be sent at all. */
  say(/** @type {import('./protocol.cjs').AdapterMessage} */ message, sent = () => {}) {
    const control = this.control();
    if (control === null) sent();
    else control.say(message, sent);
  }

  hear(/** @type {import('./protocol.cjs').ShimMessage} */ message) {
    switch (message.word) {
      case 'accept':
        return this.hold.release();
      case 'stop':
        return this.stop(message);
      case 'shutdown':
        return require('./ipc.cjs').shutdown();
    }
  }

  /** Follows a server that accepts on a held address. `stays` tells whether it still does. */
  serves(server, address, stays) {
    if (this.drain === null) {
      guarded(() => require('./internals.cjs').checkServing());
      const { Connections } = require('./connections.cjs');
      const { Drain } = require('./drain.cjs');
      const { Streams } = require('./streams.cjs');
      const streams = new Streams(this.env.APPCTL_STREAMS);
      this.drain = new Drain(new Connections(), this.sockets, streams, (message) => this.say(message));
    }
    this.drain.follow(server);
    // Some launchers listen for a moment only, to see whether the port is free: that is not the app being ready.
    if (this.drain.started === 0) setImmediate(() => guarded(() => stays() && this.announce(server, address)));
  }

  announce(server, address) {
    this.listens = true;
    this.say({ word: 'listening', address }, () => guarded(() => this.hold.told()));
    if (this.env.APPCTL_PROBE) require('./probe.cjs').open(server, this.env.APPCTL_PROBE, () => this.say({ word: 'probe' }));
  }

  /** Only a process that listens takes part in the drain: a launcher has nothing to confirm. */
  stop({ linger, timeout }) {
    this.hold.stop();
    if (this.listens && this.drain !== null) this.drain.start(linger, timeout);
  }

  /** @returns {import('./protocol.cjs').Load} */
  load() {
    return this.drain === null ? { inFlight: 0, open: 0, responses: null } : this.drain.connections.load();
  }
}

try {
  if (process.env.APPCTL_LISTEN || process.env.APPCTL_CONTROL) start(process.env);
} catch (error) {
  complain(error);
}
