'use strict';

// As tsc writes it: decorators and their metadata are calls.
const { __decorate, __metadata, __param } = require('tslib');
require('reflect-metadata');
const { Controller, Get, Header, Headers, Injectable, Module, Param, ParseIntPipe, Res } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');

let Squares = class Squares {
  of(number) {
    return number * number;
  }
};
Squares = __decorate([Injectable()], Squares);

let Root = class Root {
  constructor(squares) {
    this.squares = squares;
  }

  echo(id, response) {
    response.set({ 'x-request-id': id || '', 'x-pid': process.pid }).send(`${id || ''}\n`);
  }

  square(number) {
    return `${this.squares.of(number)}\n`;
  }
};
__decorate([Get(), __param(0, Headers('x-request-id')), __param(1, Res())], Root.prototype, 'echo', null);
__decorate(
  [Get('special/:number'), Header('content-type', 'text/plain'), __param(0, Param('number', ParseIntPipe))],
  Root.prototype,
  'square',
  null,
);
Root = __decorate([Controller(), __metadata('design:paramtypes', [Squares])], Root);

let App = class App {};
App = __decorate([Module({ controllers: [Root], providers: [Squares] })], App);

NestFactory.create(App).then((app) => app.listen(process.env.PORT || 3000));
