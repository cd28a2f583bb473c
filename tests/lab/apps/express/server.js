'use strict';

const fs = require('fs');
const express = require('express');

const RELEASE = fs.existsSync('release.txt') ? fs.readFileSync('release.txt', 'utf8').trim() : process.env.RELEASE || 'none';
const app = express();

app.use((req, res, next) => {
  res.set({ 'x-request-id': req.get('x-request-id') || '', 'x-pid': process.pid, 'x-release': RELEASE });
  next();
});
app.get('/health', (req, res) => res.send('ok\n'));
app.get('/slow', (req, res) => {
  setTimeout(() => res.send(`${req.get('x-request-id') || ''}\n`), Number(req.query.ms));
});
app.get('/', (req, res) => res.send(`${req.get('x-request-id') || ''}\n`));
app.post('/', express.text({ limit: '16mb' }), (req, res) => res.send(req.body));

app.listen(3000, () => console.log('listening on 3000'));
