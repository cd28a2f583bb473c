'use strict';
// The channel to the shim: lines over a unix socket, both ways. It never keeps the app alive, and when the shim is gone
// it stays silent: systemd ends the instance then.

const net = require('net');
const { guarded } = require('./guard.cjs');

const LINE_LIMIT = 1024;
const BEAT_MS = 1000;

class Control {
  constructor(path, { stop, shutdown, accept, load }) {
    this.actions = { stop, shutdown, accept };
    this.load = load;
    this.pending = '';
    this.socket = net.createConnection({ path });
    this.socket.unref();
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text) => guarded(() => this.read(text)));
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => clearInterval(this.timer));
    this.say(`hello 1 ${process.pid}`);
    this.due = performance.now() + BEAT_MS;
    this.timer = setInterval(() => guarded(() => this.beat()), BEAT_MS).unref();
    guarded(() => this.watched(Number(process.env.APPCTL_WATCHDOG_MS)));
  }

  /** Under a watchdog the shim may ask what a loop that stands still is doing. */
  watched(interval) {
    const blocked = () => performance.now() - this.due > interval / 2;
    if (interval > 0) require('./stack.cjs').install((line) => this.say(line), blocked);
  }

  /** `sent` is called once the line is with the kernel, or cannot be sent at all. */
  say(line, sent) {
    if (!this.socket.destroyed) this.socket.write(`${line}\n`, sent);
    else if (sent !== undefined) sent();
  }

  /** How late the timer is shows how long the event loop was held. Nothing piles up while the shim does not read. */
  beat() {
    const now = performance.now();
    const delay = Math.max(0, Math.round(now - this.due));
    this.due = now + BEAT_MS;
    if (this.socket.writableLength === 0) this.say(`beat ${delay} ${this.load()}`);
  }

  read(text) {
    const lines = (this.pending + text).split('\n');
    this.pending = lines.pop();
    const longest = Math.max(this.pending.length, ...lines.map((line) => line.length));
    if (longest > LINE_LIMIT) return void this.socket.destroy();
    for (const line of lines) this.act(line.split(' '));
  }

  act([verb, ...words]) {
    if (Object.hasOwn(this.actions, verb) && words.length === 2 && words.every((word) => /^\d{1,9}$/.test(word))) {
      this.actions[verb](words);
    }
  }
}

module.exports = { Control };
