'use strict';

const Koa = require('koa');

const app = new Koa();
app.use(async (ctx) => {
  const id = ctx.get('x-request-id');
  ctx.set({ 'x-request-id': id, 'x-pid': String(process.pid) });
  ctx.body = `${id}\n`;
});
app.listen(process.env.PORT);
