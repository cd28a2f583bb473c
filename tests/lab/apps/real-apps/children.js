'use strict';

const { execFile, spawn } = require('child_process');
const path = require('path');
const { promisify } = require('util');
const serve = require('./serve.js');

/** A shell, its input a pipe. */
const shell = (script, input) =>
  new Promise((resolve, reject) => {
    const child = spawn(script, { shell: true, stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (data) => (output += data));
    child.on('error', reject).on('close', (code) => (code === 0 ? resolve(output.trim()) : reject(new Error(`${code}`))));
    child.stdin.end(input);
  });

/** A browser as a test driver starts it: its own session, and a pipe for each direction beside the usual three. */
const browser = (question) =>
  new Promise((resolve, reject) => {
    const stdio = ['ignore', 'inherit', 'inherit', 'pipe', 'pipe'];
    const child = spawn(process.execPath, [path.join(__dirname, 'browser.js')], { detached: true, stdio });
    let answer = '';
    child.on('error', reject).on('exit', () => resolve(answer.replace('\0', '')));
    child.stdio[4].setEncoding('utf8').on('data', (data) => {
      answer += data;
      if (answer.endsWith('\0')) child.stdio[3].end();
    });
    child.stdio[3].write(`${question}\0`);
  });

serve(
  (id) => shell('cat', id),
  async () => {
    const { stdout } = await promisify(execFile)('expr', ['6', '*', '7']);
    return `${stdout.trim()}, ${await shell('tr a-z A-Z | rev', 'shell')}, ${await browser('render')}`;
  },
);
