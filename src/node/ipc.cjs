'use strict';
// What apps written for PM2 say and hear over Node's IPC channel, for those behind a launcher: the launcher has that
// channel, the app only the control one.

const { isMainThread } = require('worker_threads');

function install(service) {
  if (typeof process.send === 'function') return;
  const value = function send(message, ...rest) {
    if (message === 'ready') service.say({ word: 'ready' });
    const callback = rest.pop();
    if (typeof callback === 'function') process.nextTick(callback, null);
    return true;
  };
  Object.defineProperty(process, 'send', { value, enumerable: false, configurable: true, writable: true });
}

/**
 * The stop request as a message. Who has an IPC channel hears it there, from the shim or from its own parent; older
 * guides listen for an event of that name instead.
 */
function shutdown() {
  if (!isMainThread) return;
  if (process.channel === undefined || process.channel === null) process.emit('message', 'shutdown', undefined);
  /** @type {NodeJS.EventEmitter} */ (process).emit('shutdown');
}

module.exports = { install, shutdown };
