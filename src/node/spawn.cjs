'use strict';
// Hands the held sockets through launchers (npm, npx, tsx, a shell): Node marks inherited descriptors close-on-exec,
// so a process that has not taken its sockets itself gives them to every child it starts.

const cp = require('child_process');
const { guarded, replace } = require('./guard.cjs');
const { environmentOf, isClusterWorker, replaceSpawn, withEnvironment } = require('./internals.cjs');
const { format } = require('./sockets.cjs');

const VARIABLE = 'APPCTL_LISTEN=';

function install(sockets) {
  replaceSpawn((original) => function (options) {
    const more = guarded(() => forChild(sockets, options));
    if (!more) return original.apply(this, arguments);
    const result = original.call(this, more.options);
    if (Array.isArray(this.stdio)) this.stdio.length = more.visible;
    return result;
  });
  replace(cp, 'spawnSync', (original) => function (file, args, options) {
    const more = guarded(() => forSyncChild(sockets, args, options));
    if (!more) return original.apply(this, arguments);
    const result = original.call(this, file, more.args, more.options);
    if (Array.isArray(result.output)) result.output.length = more.visible;
    return result;
  });
}

/** The descriptors a child gets: appended, because the app counts on the places of its own. */
function extend(sockets, stdio) {
  const given = sockets.filter((socket) => socket.free());
  if (given.length === 0) return null;
  const list = Array.isArray(stdio) ? stdio.slice() : Array(3).fill(stdio || 'pipe');
  const visible = Math.max(list.length, 3);
  while (list.length < 3) list.push('pipe');
  const place = new Map();
  for (const socket of given) place.set(socket, list.push(socket.fd) - 1);
  return { stdio: list, visible, listen: format(sockets, (socket) => (place.has(socket) ? place.get(socket) : -1)) };
}

function forChild(sockets, options) {
  const env = environmentOf(options);
  // A cluster worker asks its primary, which adopts in its stead.
  if (env === null || isClusterWorker(env)) return null;
  const more = extend(sockets, options.stdio);
  if (more === null || !env.some((pair) => pair.startsWith(VARIABLE))) return null;
  const pairs = env.filter((pair) => !pair.startsWith(VARIABLE)).concat(VARIABLE + more.listen);
  return { options: withEnvironment({ ...options, stdio: more.stdio }, pairs), visible: more.visible };
}

function forSyncChild(sockets, args, options) {
  const given = (Array.isArray(args) ? options : options || args) || {};
  const env = given.env || process.env;
  const more = env.APPCTL_LISTEN === undefined ? null : extend(sockets, given.stdio);
  if (more === null) return null;
  return {
    args: Array.isArray(args) ? args : [],
    options: { ...given, stdio: more.stdio, env: { ...env, APPCTL_LISTEN: more.listen } },
    visible: more.visible,
  };
}

module.exports = { install };
