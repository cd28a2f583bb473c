'use strict';

const fs = require('fs');
const app = require('fastify')({ bodyLimit: 16 << 20 });

const RELEASE = fs.existsSync('release.txt') ? fs.readFileSync('release.txt', 'utf8').trim() : process.env.RELEASE || 'none';

app.addHook('onRequest', async (request, reply) => {
  reply.headers({ 'x-request-id': request.headers['x-request-id'] || '', 'x-pid': process.pid, 'x-release': RELEASE });
});
app.get('/health', async () => 'ok\n');
app.get('/slow', async (request) => {
  await new Promise((resolve) => setTimeout(resolve, Number(request.query.ms)));
  return `${request.headers['x-request-id'] || ''}\n`;
});
app.get('/', async (request) => `${request.headers['x-request-id'] || ''}\n`);
app.post('/', async (request) => request.body);

app.listen({ port: 3000, host: '::' }).then((address) => console.log(`listening on ${address}`));
