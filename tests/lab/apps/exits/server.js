'use strict';

console.error('cannot read config/database.json: no such file');
process.exit(1);
