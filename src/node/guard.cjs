'use strict';
// Keeps the adapter's own mistakes away from the app: caught, said once, and the app goes on.

let complained = false;

function complain(error) {
  if (complained) return;
  complained = true;
  note(`the Node adapter failed; the app continues: ${(error && error.stack) || error}`);
}

/** One line in the app's log. */
function note(text) {
  try {
    process.stderr.write(`appctl: ${text}\n`);
  } catch {
    // A closed stderr is the app's business.
  }
}

/** The result of `work`, or undefined after a complaint. */
function guarded(work) {
  try {
    return work();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

/** Replaces a function property and keeps how it looks: enumerability, name and length. */
function replace(object, name, make) {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  const original = object[name];
  const value = make(original);
  Object.defineProperty(value, 'name', { value: original.name, configurable: true });
  Object.defineProperty(value, 'length', { value: original.length, configurable: true });
  const enumerable = descriptor !== undefined && descriptor.enumerable;
  Object.defineProperty(object, name, { value, enumerable, writable: true, configurable: true });
}

module.exports = { complain, guarded, note, replace };
