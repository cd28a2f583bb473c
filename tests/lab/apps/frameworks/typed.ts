import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const handler: (req: IncomingMessage, res: ServerResponse) => void = require('./answer');
const port: number = Number(process.env.PORT);

createServer(handler).listen(port);
