'use strict';
// One app that speaks all a web app may speak: HTTP/1.1 with uploads, large and slow responses, server-sent events and
// WebSockets on a port and on a unix socket, HTTP/2 on another port.

const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const { WebSocketServer } = require('ws');

const RELEASE = fs.readFileSync('release.txt', 'utf8').trim();
/** As long as a short look into a database takes. */
const WORK_MS = 10;

function events(res, id, url) {
  const [count, every] = [Number(url.searchParams.get('count')), Number(url.searchParams.get('ms'))];
  res.setHeader('content-type', 'text/event-stream');
  let number = 0;
  const timer = setInterval(() => {
    number += 1;
    res.write(`id: ${number}\ndata: ${id}\n\n`);
    if (number < count) return;
    clearInterval(timer);
    res.end();
  }, every);
  res.on('close', () => clearInterval(timer));
}

function large(line, bytes) {
  return line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes);
}

function answer(req, res) {
  const id = req.headers['x-request-id'] || '';
  const url = new URL(req.url, 'http://localhost');
  res.setHeader('x-request-id', id);
  res.setHeader('x-pid', process.pid);
  res.setHeader('x-release', RELEASE);
  if (url.pathname === '/events') return events(res, id, url);
  if (url.pathname === '/large') return res.end(large(`${id}\n`, Number(url.searchParams.get('bytes'))));
  const work = url.pathname === '/slow' ? Number(url.searchParams.get('ms')) : WORK_MS;
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => setTimeout(() => res.end(req.method === 'POST' ? Buffer.concat(chunks) : `${id}\n`), work));
}

function converse(socket) {
  socket.on('message', (data) => setTimeout(() => socket.send(String(data)), WORK_MS));
}

function serve(place) {
  const server = http.createServer(answer);
  const sockets = new WebSocketServer({ server });
  sockets.on('headers', (headers, req) => {
    headers.push(`x-request-id: ${req.headers['x-request-id']}`, `x-pid: ${process.pid}`, `x-release: ${RELEASE}`);
  });
  sockets.on('connection', converse);
  server.listen(place);
}

serve(3000);
serve(process.env.SOCKET);
http2.createServer(answer).listen(3001);
