'use strict';

const express = require('express');
const { createHttpTerminator } = require('http-terminator');

const app = express();
app.use(require('./answer'));
const terminator = createHttpTerminator({ server: app.listen(process.env.PORT) });
process.on('SIGTERM', async () => {
  await terminator.terminate();
  process.exit(0);
});
