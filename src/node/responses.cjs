'use strict';
// How many responses the servers on held sockets have finished, and how many of them with a status of 500 or above: a
// release that is watched is judged by that. An HTTP/1 response costs two additions, no listener and no object.

const { replace } = require('./guard.cjs');

let finished = 0;
let errors = 0;
let installed = false;

function count(status) {
  finished += 1;
  if (status >= 500) errors += 1;
}

/** Node takes a response off its connection once all of it is handed over. `counts` tells which connections are ours. */
function install(counts) {
  if (installed) return;
  installed = true;
  replace(require('http').ServerResponse.prototype, 'detachSocket', (original) => function (socket) {
    if (socket && counts(socket)) count(this.statusCode);
    return original.call(this, socket);
  });
}

/** The streams of an HTTP/2 session, with one listener each. */
function follow(session) {
  session.on('stream', (stream) => stream.on('close', closed));
}

/** One that was reset has not been answered. */
function closed() {
  if (this.rstCode === 0 && this.sentHeaders) count(this.sentHeaders[':status']);
}

/** For the heartbeat: all, and those with an error. */
function counted() {
  return [finished, errors];
}

module.exports = { install, follow, counted };
