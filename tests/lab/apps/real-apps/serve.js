'use strict';

const http = require('http');

/** Serves `/` with what `echo` makes of the request's id, and `/special`. */
module.exports = (echo, special) => {
  const answer = async (req, res) => {
    const id = req.headers['x-request-id'] || '';
    try {
      const body = await (req.url.startsWith('/special') ? special() : echo(id));
      res.writeHead(200, { 'x-request-id': id, 'x-pid': process.pid }).end(`${body}\n`);
    } catch (error) {
      res.writeHead(500).end(`${error.stack}\n`);
    }
  };
  http.createServer(answer).listen(process.env.PORT || 3000);
};
