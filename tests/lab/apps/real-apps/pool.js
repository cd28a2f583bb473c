'use strict';

const { threadId } = require('worker_threads');

/** What a thread of the pool runs. */
module.exports = ({ id, until }) => {
  if (id !== undefined) return id;
  let sum = 0;
  for (let number = 1; number <= until; number += 1) sum += number;
  return `${sum} ${threadId > 0 ? 'in a thread' : 'in the main thread'}`;
};

if (require.main === module) {
  const { Piscina } = require('piscina');
  const pool = new Piscina({ filename: __filename, minThreads: 2, maxThreads: 2 });
  require('./serve.js')((id) => pool.run({ id }), () => pool.run({ until: 1000 }));
}
