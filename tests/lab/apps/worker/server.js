'use strict';

// A queue worker: it serves nothing and counts its own work.
let jobs = 0;
console.log(`worker ${process.pid} started`);
setInterval(() => {
  jobs += 1;
  console.log(`job ${jobs} done`);
}, 500);
