'use strict';
// What is still owed when the time for the drain is over: counted for the shim, and named in the app's log, because
// it will be asked which requests those were. Queries are left out: they hold what a log should not.

const { note } = require('./guard.cjs');
const { requestOf, streamsOf } = require('./internals.cjs');

/** @typedef {import('./connection.cjs').Connection} Connection */

/** More lines than this say nothing new. */
const MOST_NAMED = 20;
const LONGEST_PATH = 200;

/** How many requests and streams are left on these connections; each is named. */
function reckon(records, now) {
  const all = records.flatMap((record) => owed(record));
  for (const { what, since } of all.slice(0, MOST_NAMED)) {
    note(`cut at the stop deadline: ${what} after ${Math.max(0, (now - since) / 1000).toFixed(1)} s`);
  }
  if (all.length > MOST_NAMED) note(`cut at the stop deadline: ${all.length - MOST_NAMED} more`);
  return all.length;
}

function owed(/** @type {Connection} */ record) {
  const { session, upgrade, socket } = record;
  if (session !== null) return streamsOf(session).map((stream) => ofSession(stream, record));
  const response = record.response();
  if (response !== null) return [{ what: named(response.req), since: record.sight.since }];
  if (upgrade !== null) return [{ what: `${named(upgrade)} (upgraded)`, since: upgrade.since }];
  const kind = record.server.http ? 'an unfinished request' : 'a connection';
  return [{ what: `${kind} from ${socket.remoteAddress || 'a local socket'}`, since: record.sight.opened }];
}

/** Node keeps the path of a stream only in its own request object, for apps that use that. */
function ofSession(stream, { sight }) {
  const request = requestOf(stream);
  return { what: request !== null ? named(request) : `HTTP/2 stream ${stream.id}`, since: sight.opened };
}

function named({ method, url }) {
  const [path] = String(url).split('?');
  return `${method} ${path.slice(0, LONGEST_PATH).replace(/[^\x21-\x7e]/g, '?')}`;
}

module.exports = { reckon };
