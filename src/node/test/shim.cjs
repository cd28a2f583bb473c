'use strict';
// Plays the shim for the tests: holds listening sockets, starts real processes with them and speaks the control protocol.

const cp = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const ADAPTER = path.join(__dirname, '..', 'node.cjs');
const DEADLINE_MS = 20000;

/** A listening socket on which this process never accepts, as systemd holds one. */
function hold({ port, host, path: file }) {
  const family = file === undefined ? (net.isIPv6(host) ? 6 : 4) : -1;
  const bound = net._createServerHandle(file === undefined ? host : file, file === undefined ? port : -1, family);
  if (typeof bound === 'number') throw new Error(`cannot bind ${file || host}: ${bound}`);
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen({ fd: bound.fd }, 512, () => {
      server._handle.readStart();
      server._handle.readStop();
      const at = file === undefined ? server.address() : null;
      const address = at === null ? file : `${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`;
      const inode = fs.fstatSync(bound.fd).ino;
      const place = at === null ? { path: file } : { port: at.port, host };
      resolve({ fd: bound.fd, inode, address, port: at === null ? 0 : at.port, place, close: () => bound.close() });
    });
  });
}

/** Resolves with the first truthy value of `probe`; fails at the deadline. */
async function until(probe, what, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not in time: ${typeof what === 'function' ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The promise's value, or a failure at the deadline. */
function inTime(promise, what) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${what}`)), DEADLINE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

class Shim {
  constructor(directory) {
    this.directory = directory;
    this.controlPath = path.join(directory, 'control.sock');
    this.probePath = path.join(directory, 'probe.sock');
    this.lines = [];
    this.channels = new Set();
    this.children = [];
    this.held = [];
  }

  static async start() {
    const shim = new Shim(fs.mkdtempSync(path.join(os.tmpdir(), 'appctl-node-')));
    shim.control = net.createServer((channel) => shim.take(channel));
    await new Promise((resolve) => shim.control.listen(shim.controlPath, resolve));
    return shim;
  }

  take(channel) {
    this.channels.add(channel);
    channel.said = [];
    let pending = '';
    channel.on('error', () => {});
    channel.on('close', () => this.channels.delete(channel));
    channel.on('data', (data) => {
      const lines = (pending + data).split('\n');
      pending = lines.pop();
      channel.said.push(...lines);
      this.lines.push(...lines);
    });
  }

  /** Holds one more socket for the apps started after. */
  async hold(place = { port: 0, host: '127.0.0.1' }) {
    const socket = await hold(place);
    this.held.push(socket);
    return socket;
  }

  /** Starts `argv` with all held sockets from descriptor 3 on. */
  spawn(argv, { env = {}, cwd = this.directory, listen } = {}) {
    const words = this.held.map((socket, index) => `${3 + index}:${socket.inode}=${socket.address}`);
    const child = cp.spawn(argv[0], argv.slice(1), {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', ...this.held.map((socket) => socket.fd)],
      env: {
        ...process.env,
        NODE_OPTIONS: `--require ${ADAPTER}`,
        APPCTL_LISTEN: listen === undefined ? words.join(' ') : listen,
        APPCTL_CONTROL: this.controlPath,
        APPCTL_BACKLOG: '1000',
        HELD: this.held.map((socket) => socket.port || socket.address).join(','),
        ...env,
      },
    });
    child.out = '';
    child.err = '';
    child.stdout.on('data', (data) => (child.out += data));
    child.stderr.on('data', (data) => (child.err += data));
    child.gone = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
    Object.defineProperty(child, 'exited', { get: () => inTime(child.gone, 'the end of the app') });
    this.children.push(child);
    return child;
  }

  /** Runs JavaScript as the app; it finds its first held port in PORT0. */
  app(source, options = {}) {
    const file = path.join(this.directory, `app-${this.children.length}.${options.extension || 'cjs'}`);
    fs.writeFileSync(file, `const PORT0 = Number(process.env.HELD.split(',')[0]);\n${source}`);
    return this.spawn([process.execPath, file], options);
  }

  /** The first line that begins with `start`. */
  said(start, child) {
    const about = child === undefined ? '' : `\nstderr: ${child.err}`;
    return until(() => this.lines.find((line) => line.startsWith(start)), `"${start}" from the app`).catch((error) => {
      throw new Error(`${error.message}; said: ${this.lines.join(' | ')}${about}`);
    });
  }

  send(line) {
    for (const channel of this.channels) channel.write(`${line}\n`);
  }

  stop(linger, timeout = 10000) {
    this.send(`stop ${linger} ${timeout}`);
  }

  /** Ends everything this shim started, by process group. */
  async end() {
    for (const child of this.children) {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Already gone.
      }
    }
    await Promise.all(this.children.map((child) => child.gone));
    for (const socket of this.held) socket.close();
    for (const channel of this.channels) channel.destroy();
    this.control.close();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A raw client that records what arrives and how the connection ended: 'fin', 'reset' or undefined while open. */
class Client {
  constructor(place) {
    this.text = '';
    this.ended = undefined;
    this.socket = net.connect({ allowHalfOpen: true, ...place });
    this.socket.on('data', (data) => (this.text += data.toString('latin1')));
    this.socket.on('end', () => (this.ended = this.ended || 'fin'));
    this.socket.on('error', (error) => (this.ended = error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : error.code));
  }

  static async open(place) {
    const client = new Client(place);
    await new Promise((resolve, reject) => client.socket.once('connect', resolve).once('error', reject));
    return client;
  }

  write(text) {
    this.socket.write(text);
  }

  /** Waits until `pattern` is in what arrived. */
  see(pattern) {
    return until(() => (pattern.test(this.text) ? this.text : undefined), () => `${pattern} in ${JSON.stringify(this.text)}`);
  }

  finish() {
    return until(() => this.ended, () => `the end of the connection; arrived: ${JSON.stringify(this.text)}`);
  }

  close() {
    this.socket.destroy();
  }
}

/** One request on a connection of its own; the body as text, or the error's code. */
function get(place, text = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n') {
  return new Promise((resolve) => {
    const client = new Client(place);
    client.socket.once('connect', () => client.write(text));
    client.socket.once('close', () => resolve(client.text));
    client.socket.once('end', () => client.socket.end());
    client.socket.once('error', (error) => resolve(error.code));
  });
}

module.exports = { Shim, Client, get, until, inTime, hold, ADAPTER };
