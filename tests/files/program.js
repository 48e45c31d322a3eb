// What an app sees of node:fs, member by member. It runs in workerd and here, and each check must be the same in both.
import fs from 'node:fs';
import * as promises from 'node:fs/promises';
import * as namespace from 'node:fs';
import process from 'node:process';
import path from 'node:path';
import { Buffer } from 'node:buffer';
import { pipeline } from 'node:stream/promises';

const results = {};

/** What a value is, so that it can be compared as JSON. */
function shown(value) {
  if (value === undefined) return 'undefined';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return failure(value);
  if (Buffer.isBuffer(value)) return `Buffer ${value.toString('latin1')}`;
  if (value instanceof Uint8Array) return `Uint8Array ${value}`;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof fs.Dirent) return { dirent: shown(value.name), parentPath: value.parentPath, is: kinds(value) };
  if (value instanceof fs.Stats) return { stats: Object.fromEntries(Object.entries(value).map(([key, of]) => [key, shown(of)])), is: kinds(value) };
  if (Array.isArray(value)) return value.map(shown);
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, shown(of)]));
}
function failure(error) {
  const { name, code, errno, syscall, path, dest, message } = error;
  return { name, code, errno, syscall, path, dest, message };
}
const KINDS = ['isFile', 'isDirectory', 'isSymbolicLink', 'isFIFO', 'isSocket', 'isBlockDevice', 'isCharacterDevice'];
const kinds = (of) => KINDS.filter((kind) => of[kind]()).join();

function record(name, outcome) {
  if (name in results) throw new Error(`two checks have the name ${name}`);
  results[name] = outcome;
}
function check(name, act) {
  try {
    record(name, { value: shown(act()) });
  } catch (error) {
    record(name, { thrown: failure(error) });
  }
}
async function later(name, act) {
  try {
    record(name, { value: shown(await act()) });
  } catch (error) {
    record(name, { thrown: failure(error) });
  }
}
/** Calls a function with a callback as last argument, and returns what the callback gets. */
const called = (of, ...args) => new Promise((resolve, reject) => of(...args, (error, ...values) => error ? reject(error) : resolve(values)));
/** An empty folder of its own. */
let folders = 0;
function fresh(files = {}) {
  const folder = `/tmp/${++folders}`;
  fs.mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) {
    if (text === null) fs.mkdirSync(`${folder}/${name}`);
    else fs.writeFileSync(`${folder}/${name}`, text);
  }
  return folder;
}
const sorted = (names) => [...names].sort();
const text = (file) => fs.readFileSync(file, 'utf8');

// Outside of any request.
check('top: cwd', () => process.cwd());
check('top: write', () => fs.writeFileSync('/tmp/top', 'x'));
check('top: read', () => text('/tmp/top'));
check('top: list', () => fs.readdirSync('/tmp'));
check('top: bundle', () => fs.existsSync('/bundle'));
check('top: chdir', () => { process.chdir('/tmp'); return process.cwd(); });
check('top: random', () => fs.readSync(fs.openSync('/dev/random', 'r'), Buffer.alloc(4)));
check('top: device', () => fs.readFileSync('/dev/null').length);

function names() {
  check('names: fs', () => sorted(Object.keys(fs)));
  check('names: import', () => sorted(Object.keys(namespace)));
  check('names: promises', () => sorted(Object.keys(promises)));
  check('names: fs.promises', () => sorted(Object.keys(fs.promises)));
  check('names: same', () => [fs.promises.readFile === promises.readFile, namespace.default === fs, namespace.readFileSync === fs.readFileSync]);
  check('names: constants', () => sorted(Object.entries(fs.constants).map(String)));
  check('names: constants of promises', () => Object.entries(promises.constants).join() === Object.entries(fs.constants).join());
  check('names: flags', () => [fs.F_OK, fs.R_OK, fs.W_OK, fs.X_OK]);
  for (const name of sorted(Object.keys(fs))) {
    if (typeof fs[name] === 'function') check(`names: ${name}`, () => [fs[name].name, fs[name].length, typeof fs[name].native]);
  }
  for (const name of sorted(Object.keys(promises))) {
    if (typeof promises[name] === 'function') check(`names: promises.${name}`, () => [promises[name].name, promises[name].length]);
  }
  for (const name of ['Stats', 'Dirent', 'Dir', 'ReadStream', 'WriteStream', 'FileReadStream', 'FileWriteStream']) {
    check(`names: members of ${name}`, () => sorted(Object.getOwnPropertyNames(fs[name].prototype)));
    check(`names: new ${name}`, () => new fs[name]() instanceof fs[name]);
  }
}

/** Every function with arguments that are wrong. None of them does anything. */
async function wrong() {
  const ARGUMENTS = [[], [5], [null], [{}], ['/nope/a'], ['/nope/a', null], ['/nope/a', 'b'], ['/nope/a', {}], ['/nope/a', -1, -1], [99999, 'b'], [-1], [1.5], ['/a\0b'],
    [new URL('http://a/b')], [new URL('file://host/b')], [`/${'a'.repeat(5000)}`], ['/a'.repeat(50)], ['/nope/a', '/nope/b'], ['/nope/a', 5, 5], ['/nope/a', { encoding: 'no' }]];
  const label = (args) => JSON.stringify(args, (_, value) => typeof value === 'string' && value.length > 40 ? value.slice(0, 9) : value);
  for (const name of sorted(Object.keys(fs))) {
    if (!name.endsWith('Sync') || name === 'closeSync') continue;
    for (const args of ARGUMENTS) check(`wrong: ${name} ${label(args)}`, () => fs[name](...args));
  }
  for (const name of sorted(Object.keys(promises))) {
    if (typeof promises[name] !== 'function' || name === 'glob' || name === 'watch') continue;
    for (const args of ARGUMENTS) await later(`wrong: promises.${name} ${label(args)}`, () => promises[name](...args));
  }
  for (const name of sorted(Object.keys(fs))) {
    if (typeof fs[name] !== 'function' || name.endsWith('Sync') || /^(create|[A-Z]|exists$|openAsBlob)/.test(name)) continue;
    check(`wrong: ${name} without callback`, () => fs[name]('/nope/a'));
    check(`wrong: ${name} of a number`, () => fs[name](5));
    for (const args of [['/nope/a'], ['/nope/a', '/nope/b'], ['/nope/a', {}], ['/nope/a', 0], [99999], [99999, 'b'], ['/nope/a', 0, 0]]) {
      // Some throw, some call back with an error, some do not call back at all.
      await later(`wrong: ${name} ${label(args)} with callback`, () => Promise.race([called(fs[name], ...args), scheduler.wait(1).then(() => 'no callback')]));
    }
  }
}
