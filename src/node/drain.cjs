'use strict';
// The drain: accept no more, answer all that is in progress or still arrives on open connections, let idle ones linger,
// then say so. The app itself notices nothing before its own stop signal comes afterwards.

const { guarded } = require('./guard.cjs');
const { handleOf, inClusterWorker, isReferenced, park, streamsOf } = require('./internals.cjs');
const { recordOf } = require('./connections.cjs');
const { reckon } = require('./cut.cjs');
const farewell = require('./farewell.cjs');

const TICK_MS = 20;
/** How long a half-closed connection waits for its peer to close. */
const GENTLE_MS = 1000;
/** A connection handed over by a cluster primary may still be under way to its worker. */
const HANDOVER_MS = 100;
const REQUESTS = new Set(['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect']);
/** Those whose handler may wait until everything that came in with the request has been read. */
const PATIENT = new Set(['request', 'checkContinue', 'checkExpectation']);

/** @typedef {import('./connection.cjs').Connection} Connection */

class Drain {
  constructor(connections, sockets, streams, say) {
    this.connections = connections;
    this.sockets = sockets;
    this.streams = streams;
    /** @type {(message: import('./protocol.cjs').AdapterMessage) => void} */
    this.say = say;
    this.started = 0;
    /** Milliseconds: until idle connections are ended, until everything is, and for which a connection may be on its way. */
    this.linger = 0;
    this.timeout = 0;
    this.settle = 0;
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    this.ended = false;
    this.served = 0;
    /** Idle for longer than that. @type {Connection[]} */
    this.leaving = [];
  }

  follow(server) {
    this.connections.follow(server);
    if (this.started === 0) return;
    this.connections.watchAll();
    this.stopAccepting();
    this.intercept(server);
  }

  start(linger, timeout) {
    if (this.started > 0) return;
    this.started = performance.now();
    this.linger = linger;
    this.timeout = timeout;
    this.settle = inClusterWorker() ? HANDOVER_MS : 0;
    guarded(() => this.stayAlive());
    this.stopAccepting();
    this.say({ word: 'stopped' });
    guarded(() => this.prepare());
    this.timer = setInterval(() => guarded(() => this.tick()), TICK_MS).unref();
    this.endWhenEmpty();
  }

  /** Not server.close(): since Node 19 that destroys idle connections. Parked, the server looks open to the app. */
  stopAccepting() {
    for (const { handle, server } of this.sockets) {
      if (handle !== null && server !== null && !park(handle)) handle.close();
    }
    for (const server of this.connections.servers.keys()) {
      const handle = handleOf(server);
      if (handle !== null) guarded(() => park(handle));
    }
  }

  /** A parked socket does not keep the process alive, but its server must: the app is to get its stop signal. */
  stayAlive() {
    const open = this.sockets.filter(({ handle, server }) => server !== null && handle !== null && isReferenced(handle));
    if (open.length === 0) return;
    const timer = setInterval(() => {}, 2 ** 30);
    const release = () => {
      if (open.every(({ server }) => server === null)) clearInterval(timer);
    };
    for (const socket of open) socket.onrelease.push(release);
  }

  prepare() {
    const { connections } = this;
    connections.watchAll();
    connections.onadd = (record) => this.begin(record);
    connections.onempty = () => guarded(() => this.endWhenEmpty());
    connections.onsession = (session) => this.announce(session);
    for (const server of connections.servers.keys()) this.intercept(server);
    farewell.sayCloseFromNowOn();
    for (const record of connections.open) this.begin(record);
    for (const session of connections.sessions) this.announce(session);
    this.streams.begin(connections, this.timeout, this.started);
  }

  begin(/** @type {Connection} */ record) {
    const response = record.response();
    record.since = performance.now();
    record.look(record.since);
    record.wasBusy = response !== null;
    record.mark = record.socket.bytesRead;
    farewell.endGently(record);
    farewell.flag(record);
    if (response !== null) this.count(response);
  }

  /**
   * GOAWAY names the last stream that is carried out. Node drops all that come after it without a word, so it must not
   * be sent with a higher number; what crosses it on the wire is known to be undone (RFC 9113 section 6.8). Where
   * nothing is in progress it goes out before the answer to the next stream, or to all that came in together.
   */
  announce(session) {
    endAfterWriting(session);
    if (streamsOf(session).length > 0) return void session.close();
    const { emit } = session;
    const late = [];
    const value = function (event, ...args) {
      if (event !== 'stream') return emit.call(session, event, ...args);
      if (late.push(args) > 1) return true;
      setImmediate(() => {
        guarded(() => session.close());
        for (const one of late.splice(0)) emit.call(session, 'stream', ...one);
      });
      return true;
    };
    Object.defineProperty(session, 'emit', { value, configurable: true, writable: true });
  }

  count(response) {
    response.once('close', () => {
      if (response.writableFinished) this.served += 1;
    });
  }

  /**
   * Sees every request of the server from now on, however the app or a library has arranged its listeners. Node reads
   * pipelined requests one by one and has a quick handler answer each before it looks at the next: with its answer put
   * off until all that has arrived is read, `Connection: close` goes to the last of them and none is left undone.
   */
  intercept(server) {
    const { emit } = server;
    const drain = this;
    const value = function (event, message, response) {
      if (!REQUESTS.has(event)) return emit.apply(this, arguments);
      if (guarded(() => drain.refuses(message, response))) return true;
      if (!PATIENT.has(event) || message.httpVersionMajor !== 1) return emit.apply(this, arguments);
      process.nextTick(() => emit.apply(this, arguments));
      return true;
    };
    Object.defineProperty(server, 'emit', { value, configurable: true, writable: true });
  }

  /** After `Connection: close` a further request is left undone, so that its client may safely send it again. */
  refuses(message, response) {
    const record = message.httpVersionMajor === 1 ? recordOf(message.socket) : undefined;
    if (record === undefined) return false;
    if (farewell.closeSent(record)) {
      message.resume();
      return true;
    }
    record.wasBusy = true;
    const earlier = record.response();
    if (earlier !== null && earlier !== response) farewell.takeBack(earlier);
    if (typeof response.writeHead === 'function') this.count(response);
    return false;
  }

  tick() {
    const now = performance.now();
    const lingered = now - this.started >= this.linger;
    const waiting = this.leaving.length > 0;
    for (const record of this.connections.open) guarded(() => this.review(record, now));
    if (!waiting) this.dismissSoon();
    for (const session of this.connections.sessions) guarded(() => this.reviewSession(session, now, lingered));
    if (now - this.started >= this.timeout) this.end();
    else this.endWhenEmpty();
  }

  review(/** @type {Connection} */ record, now) {
    record.look(now);
    this.streams.review(record, now);
    if (record.closing || record.sessionEnded()) this.waitForPeer(record, now);
    else if (record.handshaking()) this.handshake(record, now);
    else if (record.http() && this.idle(record, now) && now - record.since >= this.linger) this.leaving.push(record);
  }

  /**
   * A timer may be due before what has arrived meanwhile is read, by as long as this process had to wait for a
   * processor: a request in there would meet the FIN and never be answered. So right after reading, and one at a time.
   */
  dismissSoon() {
    if (this.leaving.length > 0) setImmediate(() => guarded(() => this.dismiss()));
  }

  dismiss() {
    const record = this.leaving.pop();
    if (record !== undefined && record.http() && this.idle(record, performance.now())) farewell.shut(record);
    this.dismissSoon();
  }

  /** One that gets on is worth waiting for: a request comes right behind it. */
  handshake(/** @type {Connection} */ record, now) {
    const { socket } = record;
    if (socket.bytesRead !== record.mark) {
      record.mark = socket.bytesRead;
      record.since = now;
    } else if (now - record.since >= this.linger) socket.destroy();
  }

  reviewSession(session, now, lingered) {
    this.streams.reviewSession(session, now);
    if (lingered) session.close();
  }

  /** Nothing is owed on it: no response in progress and no part of a request has arrived since the last one. */
  idle(/** @type {Connection} */ record, now) {
    if (record.response() !== null) record.wasBusy = true;
    else if (record.wasBusy) {
      record.wasBusy = false;
      record.mark = record.socket.bytesRead;
      record.since = now;
    } else return record.socket.bytesRead === record.mark;
    return false;
  }

  /** From the moment on at which the last byte is with the kernel. */
  waitForPeer(/** @type {Connection} */ record, now) {
    if (record.socket.writableLength > 0) return;
    if (record.finished === 0) record.finished = now;
    if (now - record.finished >= GENTLE_MS) record.socket.destroy();
  }

  endWhenEmpty() {
    if (this.connections.open.size === 0 && performance.now() - this.started >= this.settle) this.end();
  }

  /** What is still owed at the deadline is cut: idle and half-closed connections are not. */
  end() {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.timer);
    const now = performance.now();
    const cut = guarded(() => reckon([...this.connections.open].filter((record) => !this.settled(record, now)), now));
    this.say({ word: 'drained', served: this.served, cut: cut || 0 });
  }

  settled(/** @type {Connection} */ record, now) {
    if (record.closing || record.handshaking()) return record.socket.writableLength === 0;
    return record.http() && this.idle(record, now);
  }
}

/**
 * Before Node 20 a closing session ends itself from within the writing of its last frames, which drops the end of the last
 * answer. A turn later they are with the kernel.
 */
function endAfterWriting(session) {
  const { destroy } = session;
  const value = (error, code) => {
    if (error !== undefined || !session.closed) return destroy.call(session, error, code);
    setImmediate(() => guarded(() => destroy.call(session)));
  };
  Object.defineProperty(session, 'destroy', { value, configurable: true, writable: true });
}

module.exports = { Drain };
