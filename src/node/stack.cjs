'use strict';
// What a blocked event loop is doing. Only one thing from outside runs code in JavaScript that never returns: SIGUSR1,
// by which Node opens its debugger, and tells so by an event in the middle of whatever runs. The debugger is closed
// again at once.

const { isMainThread } = require('worker_threads');
const { guarded } = require('./guard.cjs');
const { onDebugger } = require('./internals.cjs');

const FRAMES = 32;
const WIDTH = 300;

/** From now on SIGUSR1 makes a process that is `blocked()` tell its stack by `say`, which takes several messages at once, and has said that it can. */
function install(say, blocked) {
  // Only a main thread has the signal; who debugs or has taken the signal for something else keeps it.
  if (!isMainThread || process.listenerCount('SIGUSR1') > 0) return;
  const inspector = require('inspector');
  if (inspector.url() !== undefined) return;
  // Any free port: the usual one may be a sibling's.
  process.debugPort = 0;
  onDebugger(() => guarded(() => opened(inspector, say, blocked)));
  say({ word: 'traceable' });
}

function opened(inspector, say, blocked) {
  // A person may want to debug an app that turns.
  if (!blocked()) return;
  inspector.close();
  const lines = stack().map((line) => ({ word: 'stack', line: line.trim().slice(0, WIDTH) }));
  // One write, which leaves at once: nothing else of this process will happen.
  say(...lines, { word: 'traced' });
}

/** The frames below the event. The app's own idea of what a stack looks like is not asked for: it is not to run now. */
function stack() {
  const { stackTraceLimit, prepareStackTrace } = Error;
  try {
    Error.stackTraceLimit = FRAMES;
    Object.assign(Error, { prepareStackTrace: undefined });
    const here = {};
    Error.captureStackTrace(here, process.emit);
    return here.stack.split('\n').slice(1);
  } finally {
    Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  }
}

module.exports = { install };
