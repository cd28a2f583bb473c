'use strict';
// How many responses the servers on held sockets have finished, and how many of them with a status of 500 or above: a
// release that is watched is judged by that. An HTTP/1 response costs two additions, no listener and no object.

const { replaceDetach, showsRequests } = require('./internals.cjs');

let finished = 0;
let errors = 0;
let installed = false;

/** One more, of this status. */
function count(status) {
  finished += 1;
  if (status >= 500) errors += 1;
}

/** Node takes a response off its connection once all of it is handed over. `counts` tells which connections are ours. */
function install(counts) {
  if (installed || !showsRequests()) return;
  installed = true;
  replaceDetach((original) => function (socket) {
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

/** For the heartbeat: all, and those with an error. @returns {[number, number]} */
function counted() {
  return [finished, errors];
}

module.exports = { install, count, follow, counted };
