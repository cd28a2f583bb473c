import { createServer } from 'node:http';
import answer from './answer.js';

const server = createServer(answer);
await new Promise((resolve) => server.listen({ port: Number(process.env.PORT), host: '0.0.0.0' }, resolve));
console.log('listening', server.address().port);
