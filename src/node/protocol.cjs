'use strict';
// Node's half of the protocol with the shim: messages, and the lines that they are on the way. The other half and what the
// messages mean is src/contract/adapter; both are held to the vectors there.

/**
 * @typedef {{ word: 'hello', pid: number } | { word: 'listening', address: string } | { word: 'elsewhere', port: number }
 *   | { word: 'probe' } | { word: 'ready' } | { word: 'stopped' } | { word: 'drained', served: number, cut: number }
 *   | { word: 'traceable' } | { word: 'stack', line: string } | { word: 'traced' } | { word: 'beat', delay: number } & Load
 * } AdapterMessage
 *
 * What comes with a sign of life; `responses` are all and those with errors, null where nothing is served.
 * @typedef {{ inFlight: number, open: number, responses: [number, number] | null }} Load
 *
 * @typedef {{ word: 'accept' } | { word: 'stop', linger: number, timeout: number } | { word: 'shutdown' }} ShimMessage
 */

const VERSION = 1;
/** Of either side, in bytes, with the newline. */
const LONGEST_LINE = 1024;

/**
 * The line of a message, without its newline.
 * @param {AdapterMessage} message
 * @returns {string}
 */
function write(message) {
  const { word } = message;
  switch (message.word) {
    case 'hello':
      return `${word} ${VERSION} ${message.pid}`;
    case 'listening':
      return `${word} ${message.address}`;
    case 'elsewhere':
      return `${word} ${message.port}`;
    case 'beat':
      return [word, message.delay, message.inFlight, message.open, ...(message.responses || [])].join(' ');
    case 'drained':
      return `${word} ${message.served} ${message.cut}`;
    case 'stack':
      return `${word} ${message.line}`;
    case 'probe':
    case 'ready':
    case 'stopped':
    case 'traceable':
    case 'traced':
      return word;
  }
}

/**
 * The message in a line of the shim; null when it is none of this version.
 * @param {string} line
 * @returns {ShimMessage | null}
 */
function read(line) {
  const match = /^([a-z]+) (\d{1,9}) (\d{1,9})$/.exec(line);
  if (match === null) return null;
  const [, word, first, second] = match;
  switch (word) {
    case 'stop':
      return { word, linger: Number(first), timeout: Number(second) };
    case 'accept':
    case 'shutdown':
      return { word };
    default:
      return null;
  }
}

module.exports = { LONGEST_LINE, write, read };
