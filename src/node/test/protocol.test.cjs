'use strict';
// Node's half of the protocol says and understands what the shim's half does: the same vectors, src/contract/adapter.

const test = require('node:test');
const assert = require('node:assert');
const vectors = require('../../contract/adapter/vectors.json');
const { LONGEST_LINE, read, write } = require('../protocol.cjs');

test('what the adapter says is written as the vectors have it', () => {
  assert.ok(vectors.from_adapter.length > 0);
  for (const [line, message] of vectors.from_adapter) assert.strictEqual(write(message), line);
});

test('what the shim says is read as the vectors have it', () => {
  assert.ok(vectors.from_shim.length > 0);
  for (const [line, message] of vectors.from_shim) assert.deepStrictEqual(read(line), message);
});

test('everything else means nothing', () => {
  assert.ok(vectors.ignored_by_adapter.length > 0);
  for (const line of vectors.ignored_by_adapter) assert.strictEqual(read(line), null, JSON.stringify(line));
  for (const [line] of vectors.from_adapter) assert.strictEqual(read(line), null, line);
});

test('no line is longer than the shim reads', () => {
  assert.strictEqual(LONGEST_LINE, vectors.longest_line);
  const most = Number.MAX_SAFE_INTEGER;
  const line = write({ word: 'beat', delay: most, inFlight: most, open: most, responses: [most, most] });
  assert.ok(line.length < LONGEST_LINE);
});
