'use strict';
// The channel to the shim: lines over a unix socket, both ways. It never keeps the app alive, and when the shim is gone
// it stays silent: systemd ends the instance then.

const net = require('net');
const { guarded } = require('./guard.cjs');
const { LONGEST_LINE, read, write } = require('./protocol.cjs');

const BEAT_MS = 1000;

/** @typedef {import('./protocol.cjs').AdapterMessage} AdapterMessage */

class Control {
  /**
   * `hear` is given each message of the shim, `load` tells what goes into a beat.
   * @param {string} path
   * @param {(message: import('./protocol.cjs').ShimMessage) => void} hear
   * @param {() => import('./protocol.cjs').Load} load
   */
  constructor(path, hear, load) {
    this.hear = hear;
    this.load = load;
    this.pending = '';
    this.socket = net.createConnection({ path });
    this.socket.unref();
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text) => guarded(() => this.take(String(text))));
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => clearInterval(this.timer));
    this.say({ word: 'hello', pid: process.pid });
    this.due = performance.now() + BEAT_MS;
    this.timer = setInterval(() => guarded(() => this.beat()), BEAT_MS).unref();
    guarded(() => this.watched(Number(process.env.APPCTL_WATCHDOG_MS)));
  }

  /** Under a watchdog the shim may ask what a loop that stands still is doing. */
  watched(interval) {
    const blocked = () => performance.now() - this.due > interval / 2;
    if (interval > 0) require('./stack.cjs').install((...messages) => this.send(messages), blocked);
  }

  /** `sent` is called once the message is with the kernel, or cannot be sent at all. */
  say(/** @type {AdapterMessage} */ message, /** @type {(() => void) | undefined} */ sent = undefined) {
    this.send([message], sent);
  }

  /** Several in one write. */
  send(/** @type {AdapterMessage[]} */ messages, /** @type {(() => void) | undefined} */ sent = undefined) {
    const text = messages.map((message) => `${write(message)}\n`).join('');
    if (!this.socket.destroyed) this.socket.write(text, sent);
    else if (sent !== undefined) sent();
  }

  /** How late the timer is shows how long the event loop was held. Nothing piles up while the shim does not read. */
  beat() {
    const now = performance.now();
    const delay = Math.max(0, Math.round(now - this.due));
    this.due = now + BEAT_MS;
    if (this.socket.writableLength === 0) this.say({ word: 'beat', delay, ...this.load() });
  }

  take(/** @type {string} */ text) {
    const lines = (this.pending + text).split('\n');
    this.pending = lines.pop() || '';
    const longest = Math.max(this.pending.length, ...lines.map((line) => line.length));
    if (longest >= LONGEST_LINE) return void this.socket.destroy();
    for (const message of lines.map(read)) if (message !== null) this.hear(message);
  }
}

module.exports = { Control };
