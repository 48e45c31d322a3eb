// What an app sees of node:crypto. It runs in workerd and here, and each check must be the same in both.
import crypto from 'node:crypto';
import * as namespace from 'node:crypto';
import { Buffer } from 'node:buffer';
import { promisify } from 'node:util';

const { subtle } = globalThis.crypto;
const results = {};

/** What a value is, so that it can be compared as JSON. */
function shown(value) {
  if (value === undefined) return 'undefined';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return failure(value);
  if (Buffer.isBuffer(value)) return `Buffer ${value.toString('hex')}`;
  if (value instanceof Uint8Array) return `Uint8Array ${Buffer.from(value).toString('hex')}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof crypto.KeyObject) return { key: value.type, is: value.constructor.name, asymmetricKeyType: shown(value.asymmetricKeyType), size: shown(value.symmetricKeySize) };
  if (value instanceof CryptoKey) return { type: value.type, extractable: value.extractable, algorithm: shown({ ...value.algorithm }), usages: [...value.usages] };
  if (Array.isArray(value)) return value.map(shown);
  return Object.fromEntries(Object.entries(value).filter(([, of]) => of !== undefined).map(([key, of]) => [key, shown(of)]));
}
function failure(error) {
  // Workers do not say what is wrong inside of them.
  if (error.message.startsWith("internal error")) return "internal error";
  const { name, code, message } = error;
  return { name, code, message };
}
function record(name, outcome) {
  while (name in results) name += "'";
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
const called = (of, ...args) => new Promise((resolve, reject) => {
  try { of(...args, (error, ...values) => error ? reject(error) : resolve(values)); } catch (error) { reject(error); }
});
/** Some bytes, always the same. */
const bytes = (length, first = 1) => Buffer.from(Array.from({ length }, (_, at) => (first + at * 7) & 255));
const hex = (text) => Buffer.from(text, 'hex');
const WRONG = [undefined, null, true, 1, 'text', Symbol.iterator, {}, [], () => {}, 1n];
const named = (value) => typeof value === 'bigint' ? `${value}n` : typeof value === 'symbol' ? 'symbol' : typeof value === 'function' ? 'function' : JSON.stringify(value) ?? 'undefined';

function names() {
  // The members that nobody else has are checked by what they do.
  check('names: default', () => Object.keys(crypto).sort());
  check('names: types', () => Object.fromEntries(Object.keys(crypto).sort().map((name) => [name, typeof crypto[name]])));
  check('names: import', () => Object.keys(namespace).sort());
  check('names: lengths', () => Object.fromEntries(Object.keys(crypto).sort().filter((name) => typeof crypto[name] === 'function').map((name) => [name, [crypto[name].length, crypto[name].name]])));
  check('names: constants', () => Object.fromEntries(Object.getOwnPropertyNames(crypto.constants).sort().map((name) => [name, crypto.constants[name]])));
  for (const name of ['Certificate', 'Cipheriv', 'Decipheriv', 'DiffieHellman', 'DiffieHellmanGroup', 'ECDH', 'Hash', 'Hmac', 'KeyObject', 'PrivateKeyObject', 'PublicKeyObject', 'SecretKeyObject', 'Sign', 'Verify', 'X509Certificate']) {
    check(`names: members of ${name}`, () => Object.getOwnPropertyNames(crypto[name].prototype).sort());
    check(`names: statics of ${name}`, () => Object.keys(crypto[name]).sort());
    check(`names: ${name} called`, () => typeof crypto[name]());
    check(`names: new ${name}`, () => typeof new crypto[name]());
  }
  check('names: curves', () => crypto.getCurves());
  check('names: heap', () => crypto.secureHeapUsed());
  check('names: engine', () => crypto.setEngine('x'));
  check('names: fips', () => [crypto.fips, crypto.getFips()]);
  check('names: set fips', () => crypto.setFips(true));
  check('names: assign fips', () => { crypto.fips = false; });
  for (const name of ['createCipher', 'createDecipher', 'Cipher', 'Decipher']) check(`names: ${name}`, () => crypto[name]?.('aes-128-cbc', 'x'));
  check('names: webcrypto', () => [crypto.webcrypto === globalThis.crypto, crypto.subtle === globalThis.crypto.subtle, crypto.CryptoKey === CryptoKey]);
}

export default {
  async fetch(request) {
    const area = new URL(request.url).pathname.slice(1);
    for (const name of Object.keys(results)) delete results[name];
    await AREAS[area]();
    return Response.json(results);
  },
};
