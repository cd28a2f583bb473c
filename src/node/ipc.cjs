'use strict';
// `process.send('ready')` for an app behind a launcher: the launcher has the IPC channel, the app only the control one.

function install(service) {
  if (typeof process.send === 'function') return;
  const value = function send(message, ...rest) {
    if (message === 'ready') service.say('ready');
    const callback = rest.pop();
    if (typeof callback === 'function') process.nextTick(callback, null);
    return true;
  };
  Object.defineProperty(process, 'send', { value, enumerable: false, configurable: true, writable: true });
}

module.exports = { install };
