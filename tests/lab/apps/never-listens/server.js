'use strict';

console.log('connecting to the database');
setInterval(() => {}, 1000);
