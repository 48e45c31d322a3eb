
async function callbacks() {
  const at = fresh({ a: 'abc', sub: null });
  const fd = fs.openSync(`${at}/a`, 'r+');
  for (const [name, ...args] of [
    ['access', `${at}/a`], ['access', `${at}/a`, fs.constants.W_OK], ['access', `${at}/nope`], ['appendFile', `${at}/a`, 'd'], ['appendFile', `${at}/a`, 'e', 'utf8'], ['chmod', `${at}/a`, 0o600],
    ['chown', `${at}/a`, 1, 1], ['copyFile', `${at}/a`, `${at}/copy`], ['copyFile', `${at}/a`, `${at}/copy`, fs.constants.COPYFILE_EXCL], ['cp', `${at}/a`, `${at}/cp`], ['cp', `${at}/sub`, `${at}/cps`, { recursive: true }], ['cp', `${at}/sub`, `${at}/cps2`],
    ['fchmod', fd, 0o600], ['fchown', fd, 1, 1], ['fdatasync', fd], ['fstat', fd], ['fstat', fd, { bigint: true }], ['fsync', fd], ['futimes', fd, 1, 2], ['lchmod', `${at}/a`, 0o600], ['lchown', `${at}/a`, 1, 1], ['link', `${at}/a`, `${at}/hard`],
    ['lstat', `${at}/a`], ['lstat', `${at}/nope`], ['lstat', `${at}/nope`, { throwIfNoEntry: false }], ['lutimes', `${at}/a`, 1, 2], ['mkdir', `${at}/m`], ['mkdir', `${at}/n/o`, { recursive: true }], ['mkdir', `${at}/q/r`],
    ['read', fd, Buffer.alloc(3), 0, 3, 0], ['read', fd, Buffer.alloc(3)], ['read', fd, { buffer: Buffer.alloc(2), position: 1 }], ['read', fd, Buffer.alloc(4), { length: 2, position: 0 }], ['readv', fd, [Buffer.alloc(1), Buffer.alloc(2)], 0], ['readv', fd, [Buffer.alloc(1)]],
    ['readFile', `${at}/a`], ['readFile', `${at}/a`, 'utf8'], ['readFile', `${at}/a`, { encoding: 'hex' }], ['readFile', `${at}/nope`], ['readdir', at], ['readdir', at, { withFileTypes: true }], ['readdir', `${at}/nope`],
    ['realpath', `${at}/sub/..`], ['realpath', `${at}/nope`], ['rename', `${at}/hard`, `${at}/harder`], ['stat', `${at}/a`], ['stat', `${at}/a`, { bigint: true }], ['stat', `${at}/nope`], ['statfs', at], ['symlink', `${at}/a`, `${at}/link`], ['symlink', `${at}/a`, `${at}/link2`, 'file'],
    ['readlink', `${at}/link`], ['readlink', `${at}/link`, 'buffer'], ['readlink', `${at}/a`], ['ftruncate', fd, 3], ['ftruncate', fd], ['truncate', `${at}/a`, 5], ['truncate', `${at}/a`], ['unlink', `${at}/link`], ['unlink', `${at}/nope`], ['utimes', `${at}/a`, 1, 2],
    ['write', fd, 'abc'], ['write', fd, 'X', 1], ['write', fd, '4142', 0, 'hex'], ['write', fd, Buffer.from('abc'), 1, 2, 0], ['write', fd, Buffer.from('abc'), 1], ['write', fd, Buffer.from('abcd'), { offset: 1 }], ['writev', fd, [Buffer.from('a'), Buffer.from('b')]], ['writev', fd, [Buffer.from('a')], 0],
    ['writeFile', `${at}/w`, 'x'], ['writeFile', `${at}/w`, 'y', 'utf8'], ['writeFile', `${at}/w`, 'z', { flag: 'a' }], ['writeFile', `${at}/no/w`, 'x'], ['writeFile', fd, 'whole'], ['rmdir', `${at}/m`], ['rmdir', `${at}/n`], ['rm', `${at}/n`, { recursive: true }], ['rm', `${at}/nope`], ['close', fd], ['close', fd],
  ]) await later(`callbacks: ${JSON.stringify([name, ...args].map((of) => of === fd ? 'fd' : of?.type === 'Buffer' || of instanceof Uint8Array ? String(of) : of))} ${Object.keys(results).length}`, () => called(fs[name], ...args));
  await later('callbacks: open', async () => { const [fd] = await called(fs.open, `${at}/a`); return [typeof fd, await called(fs.read, fd), await called(fs.close, fd)].length; });
  await later('callbacks: open with flags', async () => { const [fd] = await called(fs.open, `${at}/new`, 'w', 0o600); return [typeof fd, fs.existsSync(`${at}/new`)]; });
  await later('callbacks: open nothing', () => called(fs.open, `${at}/nope`));
  await later('callbacks: exists', () => new Promise((resolve) => fs.exists(`${at}/a`, resolve)));
  await later('callbacks: exists not', () => new Promise((resolve) => fs.exists(`${at}/nope`, resolve)));
  await later('callbacks: mkdtemp', async () => (await called(fs.mkdtemp, `${at}/t-`))[0].startsWith(`${at}/t-`));
  await later('callbacks: opendir', async () => { const [dir] = await called(fs.opendir, at); const seen = [await dir.read(), await called(dir.read.bind(dir))]; await called(dir.close.bind(dir)); return seen; });
  await later('callbacks: opendir in a loop', async () => { const [dir] = await called(fs.opendir, at, { bufferSize: 4 }); const seen = []; for await (const entry of dir) seen.push(entry.name); return sorted(seen).filter((name) => !name.startsWith('t-')); });
  await later('callbacks: come later', async () => { const order = []; const done = new Promise((resolve) => fs.stat(at, () => { order.push('stat'); resolve(); })); order.push('sync'); await done; return order; });
  await later('callbacks: operate at once', async () => { fs.writeFile(`${at}/once`, 'x', () => {}); return fs.existsSync(`${at}/once`); });
  for (const name of ['watch', 'watchFile', 'unwatchFile']) check(`callbacks: ${name}`, () => fs[name](at, () => {}));
}

async function promised() {
  const at = fresh({ a: 'abc', sub: null });
  for (const [name, ...args] of [
    ['access', `${at}/a`], ['access', `${at}/nope`], ['appendFile', `${at}/a`, 'd'], ['chmod', `${at}/a`, 0o600], ['chown', `${at}/a`, 1, 1], ['copyFile', `${at}/a`, `${at}/copy`], ['copyFile', `${at}/nope`, `${at}/copy2`], ['cp', `${at}/sub`, `${at}/cp`, { recursive: true }],
    ['lchmod', `${at}/a`, 0o600], ['lchown', `${at}/a`, 1, 1], ['link', `${at}/a`, `${at}/hard`], ['lstat', `${at}/a`], ['lutimes', `${at}/a`, 1, 2], ['mkdir', `${at}/m`], ['mkdir', `${at}/n/o`, { recursive: true }], ['readFile', `${at}/a`], ['readFile', `${at}/a`, 'utf8'],
    ['readFile', `${at}/nope`], ['readdir', at], ['readdir', at, { withFileTypes: true }], ['realpath', `${at}/.`], ['rename', `${at}/hard`, `${at}/harder`], ['stat', `${at}/a`], ['stat', `${at}/a`, { bigint: true }], ['stat', `${at}/nope`], ['stat', `${at}/nope`, { throwIfNoEntry: false }],
    ['statfs', at], ['symlink', `${at}/a`, `${at}/link`], ['readlink', `${at}/link`], ['truncate', `${at}/a`, 2], ['unlink', `${at}/link`], ['utimes', `${at}/a`, 1, 2], ['writeFile', `${at}/w`, 'x'], ['writeFile', `${at}/w`, 'x', { flag: 'wx' }], ['rmdir', `${at}/m`], ['rm', `${at}/n`, { recursive: true }], ['watch', at],
    ['writeFile', `${at}/i`, ['a', 'b']], ['access', `${at}/a`, 5000], ['readFile', `${at}/a`, { signal: AbortSignal.abort() }], ['writeFile', `${at}/s`, 'x', { signal: AbortSignal.abort() }],
  ]) await later(`promised: ${JSON.stringify([name, ...args])}`, () => promises[name](...args));
  await later('promised: mkdtemp', async () => (await promises.mkdtemp(`${at}/t-`)).startsWith(`${at}/t-`));
  await later('promised: opendir', async () => { const dir = await promises.opendir(at); const seen = []; for await (const entry of dir) seen.push(entry.name); return [sorted(seen).filter((name) => !name.startsWith('t-')), await dir.read()]; });
  await later('promised: fs.promises', async () => (await fs.promises.readFile(`${at}/w`)).toString());
}

async function handles() {
  const at = fresh({ a: 'h\u00e9llo w\u00f6rld' });
  const open = async (name, flags, act) => {
    await later(`handles: ${name}`, async () => {
      fs.writeFileSync(`${at}/a`, 'one two three');
      const handle = await promises.open(`${at}/a`, flags);
      try { return [await act(handle), fs.existsSync(`${at}/a`) && text(`${at}/a`)]; } finally { await handle.close(); }
    });
  };
  await open('members', 'r', (handle) => [sorted(Object.getOwnPropertyNames(Object.getPrototypeOf(handle))), typeof handle.fd, handle.constructor.name]);
  await open('read', 'r', async (handle) => { const buffer = Buffer.alloc(5); return [await handle.read(buffer), await handle.read(buffer, 1, 3, 0), await handle.read({ buffer, position: 2 }), (await handle.read()).bytesRead, await handle.read(buffer, { position: 100 })]; });
  await open('readv', 'r', async (handle) => [await handle.readv([Buffer.alloc(3), Buffer.alloc(4)], 0), (await handle.readv([Buffer.alloc(2)])).bytesRead]);
  await open('readFile', 'r', async (handle) => [await handle.readFile(), await handle.readFile('utf8'), await handle.readFile({ encoding: 'hex' })]);
  await open('readLines', 'r', (handle) => handle.readLines());
  await open('write', 'r+', async (handle) => [await handle.write('ONE'), await handle.write('X', 10), await handle.write(Buffer.from('abc'), 1, 2, 0), await handle.write('4142', null, 'hex'), await handle.write(Buffer.from('z'), { position: 5 })]);
  await open('writev', 'r+', async (handle) => [await handle.writev([Buffer.from('a'), Buffer.from('b')]), await handle.writev([Buffer.from('c')], 5)]);
  await open('writeFile', 'r+', (handle) => handle.writeFile('new'));
  await open('writeFile bytes', 'r+', (handle) => handle.writeFile(Buffer.from('new'), { encoding: 'utf8' }));
  await open('appendFile', 'a', (handle) => handle.appendFile(' four'));
  await open('stat', 'r', async (handle) => [await handle.stat(), typeof (await handle.stat({ bigint: true })).size]);
  await open('changes', 'r+', async (handle) => [await handle.chmod(0o600), await handle.chown(1, 1), await handle.datasync(), await handle.sync(), await handle.utimes(1, 2), await handle.truncate(3), await handle.truncate()]);
  await open('to read only', 'r', (handle) => handle.write('x'));
  await open('to write only', 'w', (handle) => handle.read());
  await open('readableWebStream', 'r', async (handle) => new Response(handle.readableWebStream()).text());
  await open('createReadStream', 'r', async (handle) => { let all = ''; for await (const part of handle.createReadStream({ encoding: 'utf8' })) all += part; return all; });
  await open('createWriteStream', 'r+', async (handle) => { const stream = handle.createWriteStream(); stream.write('AB'); stream.end('CD'); await new Promise((resolve, reject) => stream.on('finish', resolve).on('error', reject)); });
  await later('handles: closed', async () => { const handle = await promises.open(`${at}/a`); let closes = 0; handle.on('close', () => closes++); await handle.close(); await handle.close(); return [handle.fd, closes]; });
  for (const name of ['appendFile', 'chmod', 'chown', 'datasync', 'sync', 'read', 'readv', 'readFile', 'readLines', 'stat', 'truncate', 'utimes', 'write', 'writev', 'writeFile', 'readableWebStream']) {
    await later(`handles: ${name} of a closed one`, async () => { const handle = await promises.open(`${at}/a`); await handle.close(); return handle[name]('x', 1); });
  }
  await later('handles: using', async () => { const handle = await promises.open(`${at}/a`); await handle[Symbol.asyncDispose](); return handle.fd; });
  await later('handles: nothing', () => promises.open(`${at}/nope`));
  await later('handles: that exists', () => promises.open(`${at}/a`, 'wx'));
}

async function streams() {
  const at = fresh({ a: 'one two three', empty: '' });
  const all = async (stream) => { const parts = []; for await (const part of stream) parts.push(typeof part === 'string' ? part : Buffer.from(part).toString()); return parts; };
  for (const [name, options] of Object.entries({ plain: undefined, encoding: 'utf8', options: { encoding: 'hex' }, start: { start: 4 }, end: { end: 2 }, both: { start: 4, end: 6 }, small: { highWaterMark: 4 }, flags: { flags: 'r' }, late: { start: 100 } })) {
    await later(`streams: read, ${name}`, () => all(fs.createReadStream(`${at}/a`, options)));
  }
  await later('streams: read an empty file', () => all(fs.createReadStream(`${at}/empty`)));
  await later('streams: read nothing', () => all(fs.createReadStream(`${at}/nope`)));
  await later('streams: read a folder', () => all(fs.createReadStream(at)));
  await later('streams: read a module', async () => (await all(fs.createReadStream('/bundle/index.js'))).join('').length > 5000);
  await later('streams: read a descriptor', () => all(fs.createReadStream('', { fd: fs.openSync(`${at}/a`, 'r'), autoClose: false })));
  await later('streams: read null', () => all(fs.createReadStream('/dev/null')));
  for (const [name, options] of Object.entries({ start: { start: -1 }, end: { start: 5, end: 1 }, flags: { flags: 'no' }, encoding: 'no', fd: { fd: -1 }, fs: { fs: 5 }, signal: { signal: 5 }, number: 5, autoClose: { autoClose: 1 } })) {
    await later(`streams: read with wrong ${name}`, () => all(fs.createReadStream(`${at}/a`, options)));
    await later(`streams: write with wrong ${name}`, () => { const stream = fs.createWriteStream(`${at}/wrong`, options); return new Promise((resolve, reject) => stream.on('finish', () => resolve('finish')).on('error', reject).end('x')); });
  }
  await later('streams: events of reading', () => new Promise((resolve) => { const stream = fs.createReadStream(`${at}/a`); const seen = []; for (const name of ['open', 'ready', 'data', 'end', 'close', 'error']) stream.on(name, () => { seen.push(name); if (name === 'close') resolve(seen); }); }));
  await later('streams: properties of reading', async () => { const stream = fs.createReadStream(`${at}/a`, { start: 1 }); const seen = [stream.path, stream.pending, stream.bytesRead, typeof stream.fd]; await all(stream); return [...seen, stream.bytesRead, stream.pending, stream instanceof fs.ReadStream, stream.destroyed]; });
  const write = async (name, options, act) => later(`streams: write, ${name}`, async () => {
    fs.writeFileSync(`${at}/w`, 'old text');
    const stream = fs.createWriteStream(`${at}/w`, options);
    const seen = [];
    for (const event of ['open', 'ready', 'finish', 'close']) stream.on(event, () => seen.push(event));
    const closed = new Promise((resolve, reject) => stream.on('close', resolve).on('error', reject));
    act(stream);
    await closed;
    return [text(`${at}/w`), seen, stream.bytesWritten, stream.path, stream.pending];
  });
  await write('plain', undefined, (stream) => { stream.write('ab'); stream.write(Buffer.from('cd')); stream.end('ef'); });
  await write('encoding', 'hex', (stream) => stream.end('4142'));
  await write('append', { flags: 'a' }, (stream) => stream.end('!'));
  await write('start', { flags: 'r+', start: 4 }, (stream) => stream.end('XX'));
  await write('flush', { flush: true }, (stream) => stream.end('x'));
  await write('empty', undefined, (stream) => stream.end());
  await write('corked', undefined, (stream) => { stream.cork(); stream.write('a'); stream.write('b'); stream.uncork(); stream.end(); });
  await write('close', undefined, (stream) => { stream.write('a'); stream.close(); });
  await later('streams: write into nothing', () => new Promise((resolve, reject) => fs.createWriteStream(`${at}/no/w`).on('finish', resolve).on('error', reject).end('x')));
  await later('streams: pipe', async () => { fs.createReadStream(`${at}/a`).pipe(fs.createWriteStream(`${at}/piped`)); await scheduler.wait(20); return text(`${at}/piped`); });
  await later('streams: pipeline', async () => { await pipeline(fs.createReadStream(`${at}/a`), fs.createWriteStream(`${at}/line`)); return text(`${at}/line`); });
  await later('streams: destroyed', () => new Promise((resolve) => { const stream = fs.createReadStream(`${at}/a`); stream.on('error', (error) => resolve(error.message)); stream.destroy(new Error('enough')); }));
  await later('streams: aborted', () => all(fs.createReadStream(`${at}/a`, { signal: AbortSignal.abort() })));
  await later('streams: many parts', async () => { fs.writeFileSync(`${at}/big`, 'x'.repeat(200000)); return (await all(fs.createReadStream(`${at}/big`))).map((part) => part.length); });
  await later('streams: blob', async () => { const blob = await fs.openAsBlob(`${at}/a`, { type: 'text/plain' }); return [blob.size, blob.type, await blob.text()]; });
  await later('streams: blob without type', async () => (await fs.openAsBlob(`${at}/a`)).type);
  await later('streams: blob of nothing', () => fs.openAsBlob(`${at}/nope`));
  await later('streams: blob of a folder', () => fs.openAsBlob(at));
  await later('streams: blob later', async () => { const blob = await fs.openAsBlob(`${at}/a`); fs.writeFileSync(`${at}/a`, 'changed'); return blob.text(); });
}

export default { async fetch(request) {
  const area = new URL(request.url).pathname.slice(1);
  folders = 0;
  const before = Object.keys(results);
  await { names, wrong, paths, reading, writing, stats, listing, changing, globs, callbacks, promised, handles, streams, top: () => {} }[area]();
  const seen = Object.fromEntries(Object.entries(results).filter(([name]) => area === 'top' || !before.includes(name)));
  if (area !== 'top') for (const name of Object.keys(seen)) delete results[name];
  return Response.json(seen);
} };
