
function paths() {
  process.chdir('/bundle');
  check('paths: cwd', () => process.cwd());
  check('paths: of the top', () => fs.existsSync('/tmp/top'));
  check('paths: root', () => fs.readdirSync('/'));
  check('paths: devices', () => fs.readdirSync('/dev', { withFileTypes: true }));
  check('paths: bundle', () => fs.readdirSync('/bundle'));
  check('paths: module', () => text('/bundle/index.js').startsWith('// What an app sees'));
  check('paths: relative to bundle', () => fs.statSync('index.js').isFile());
  check('paths: stat of module', () => { const stat = fs.statSync('/bundle/index.js'); return [stat.size > 5000, stat.mode, stat.mtimeMs]; });
  for (const folder of ['/bundle', '/', '/dev', '/nope']) {
    for (const [name, act] of Object.entries({
      write: () => fs.writeFileSync(`${folder}/a`, 'x'), mkdir: () => fs.mkdirSync(`${folder}/a`), 'mkdir -p': () => fs.mkdirSync(`${folder}/a/b`, { recursive: true }),
      symlink: () => fs.symlinkSync('/tmp', `${folder}/a`), link: () => fs.linkSync('/bundle/index.js', `${folder}/a`), open: () => fs.openSync(`${folder}/a`, 'w'),
      mkdtemp: () => fs.mkdtempSync(`${folder}/a`), rm: () => fs.rmSync(`${folder}/a`), copy: () => fs.copyFileSync('/bundle/index.js', `${folder}/a`),
      'rm -r': () => fs.rmSync(folder, { recursive: true }), rmdir: () => fs.rmdirSync(folder), cp: () => fs.cpSync('/bundle/index.js', `${folder}/a`),
      rename: () => fs.renameSync(folder, '/tmp/renamed'), unlink: () => fs.unlinkSync(folder), 'list -r': () => fs.readdirSync(folder, { recursive: true }).length > 0,
    })) check(`paths: ${name} in ${folder}`, act);
  }
  for (const [name, act] of Object.entries({
    write: () => fs.writeFileSync('/bundle/index.js', 'x'), append: () => fs.appendFileSync('/bundle/index.js', 'x'), open: () => fs.openSync('/bundle/index.js', 'r+'),
    truncate: () => fs.truncateSync('/bundle/index.js'), utimes: () => fs.utimesSync('/bundle/index.js', 1, 1), unlink: () => fs.unlinkSync('/bundle/index.js'),
    rename: () => fs.renameSync('/bundle/index.js', '/tmp/index.js'), rm: () => fs.rmSync('/bundle/index.js'), chmod: () => fs.chmodSync('/bundle/index.js', 0o777),
    access: () => fs.accessSync('/bundle/index.js', fs.constants.W_OK), readable: () => fs.accessSync('/bundle/index.js', fs.constants.R_OK), run: () => fs.accessSync('/bundle/index.js', fs.constants.X_OK),
  })) check(`paths: ${name} of a module`, act);
  check('paths: copy of a module', () => { const at = `${fresh()}/copy.js`; fs.copyFileSync('/bundle/index.js', at); fs.appendFileSync(at, '!'); return text(at).endsWith('!'); });
  check('paths: chdir', () => { const at = fresh({ a: 'x', sub: null }); process.chdir(at); const seen = [process.cwd(), text('a'), text('./a'), text('sub/../a')];
    process.chdir('sub'); seen.push(process.cwd(), text('../a')); process.chdir('..'); seen.push(process.cwd()); return seen; });
  check('paths: chdir to nothing', () => process.chdir('/nope'));
  check('paths: chdir to a file', () => process.chdir(`${fresh({ a: 'x' })}/a`));
  check('paths: chdir to a number', () => process.chdir(5));
  check('paths: chdir nowhere', () => process.chdir());
  check('paths: chdir to a device folder', () => { process.chdir('/dev'); return [process.cwd(), fs.readdirSync('.')]; });
  check('paths: chdir to the root', () => { process.chdir('/'); return [process.cwd(), fs.readdirSync('.')]; });
  check('paths: chdir through a link', () => { const at = fresh({ sub: null }); fs.symlinkSync(`${at}/sub`, `${at}/link`); process.chdir(`${at}/link`); return process.cwd(); });
  check('paths: chdir with a slash', () => { process.chdir('/tmp/'); return process.cwd(); });
  check('paths: resolve', () => [path.resolve('a'), path.resolve('/a', 'b'), path.relative('/a', '/b')]);
  check('paths: glob', () => [path.matchesGlob('/a/b.js', '/a/*.js'), path.matchesGlob('a/b/c', 'a/**'), path.matchesGlob('a', 'b'), path.posix.matchesGlob('a.{js}', 'a.{js,ts}')]);
  process.chdir('/bundle');
  check('paths: url', () => { const at = `${fresh({ a: 'x' })}/a`; return [text(new URL(`file://${at}`)), fs.existsSync(new URL(`file://${at}?a#b`))]; });
  check('paths: buffer', () => text(Buffer.from(`${fresh({ a: 'x' })}/a`)));
  for (const name of ['\u00e9', 'a b', 'a%20b', '%', '#', '?', 'a?b#c', '~', "'", '"', '<', '`', '{', '|', '^', '[', '\\', '+', ':', '\u{1f600}', '%41', '%2f', '%zz']) {
    check(`paths: the name ${name}`, () => { const at = fresh(); fs.writeFileSync(`${at}/${name}`, 'x'); return [fs.readdirSync(at), fs.existsSync(`${at}/${name}`)]; });
  }
  for (const way of ['//a', '/./a', '/sub/../a', '/a/', '/a/.', '/sub//../a', '/../a', '/sub/../../a', '/a/b', '/sub/', '/sub/.', '/..', '/.']) {
    check(`paths: by ${way}`, () => { const at = fresh({ a: 'x', sub: null }); return [fs.existsSync(at + way), fs.statSync(at + way).isDirectory(), fs.realpathSync(at + way).replace(at, '')]; });
  }
  check('paths: empty', () => fs.readFileSync(''));
  check('paths: a folder', () => fs.readFileSync('/tmp'));
  check('paths: below a file', () => fs.readFileSync(`${fresh({ a: 'x' })}/a/b`));
  for (const call of ['mkdirSync', 'rmSync', 'rmdirSync', 'unlinkSync', 'readdirSync', 'writeFileSync', 'openSync', 'truncateSync', 'mkdtempSync', 'readlinkSync']) {
    check(`paths: ${call} below a file`, () => fs[call](`${fresh({ a: 'x' })}/a/b`, call === 'writeFileSync' ? 'x' : undefined));
    check(`paths: ${call} with a slash at the end`, () => { const at = fresh({ a: 'x', sub: null }); fs[call](`${at}/sub/`, call === 'writeFileSync' ? 'x' : undefined); return sorted(fs.readdirSync(at)); });
  }
}

function reading() {
  const at = fresh({ a: 'h\u00e9llo', empty: '' });
  for (const encoding of [undefined, null, 'utf8', 'utf-8', 'hex', 'base64', 'base64url', 'latin1', 'binary', 'ascii', 'utf16le', 'ucs2', 'buffer', 'no', 5, {}]) {
    check(`reading: as ${encoding}`, () => fs.readFileSync(`${at}/a`, encoding));
    check(`reading: with encoding ${encoding}`, () => fs.readFileSync(`${at}/a`, { encoding }));
  }
  check('reading: an empty file', () => [fs.readFileSync(`${at}/empty`), text(`${at}/empty`)]);
  check('reading: with a flag', () => [fs.readFileSync(`${at}/a`, { flag: 'r' }).length, fs.readFileSync(`${at}/a`, { flag: 'r+' }).length]);
  check('reading: with a flag that is none', () => fs.readFileSync(`${at}/a`, { flag: 'no' }));
  check('reading: what is read is a copy', () => { fs.readFileSync(`${at}/a`).fill(0); return text(`${at}/a`); });
  const fd = fs.openSync(`${at}/a`, 'r');
  check('reading: by descriptor', () => [fs.readFileSync(fd, 'utf8'), fs.readFileSync(fd, 'utf8'), fs.readSync(fd, Buffer.alloc(2))]);
  check('reading: at a position', () => { const buffer = Buffer.alloc(4); return [fs.readSync(fd, buffer, 0, 4, 1), buffer]; });
  check('reading: at a large position', () => fs.readSync(fd, Buffer.alloc(4), 0, 4, 1000));
  check('reading: at a position as bigint', () => { const buffer = Buffer.alloc(2); return [fs.readSync(fd, buffer, 0, 2, 3n), buffer]; });
  check('reading: at a negative position', () => fs.readSync(fd, Buffer.alloc(4), 0, 4, -1));
  check('reading: at a huge position', () => fs.readSync(fd, Buffer.alloc(4), 0, 4, 2n ** 40n));
  check('reading: with options', () => { const buffer = Buffer.alloc(6); return [fs.readSync(fd, buffer, { offset: 1, length: 3, position: 0 }), buffer]; });
  check('reading: more than there is room', () => fs.readSync(fd, Buffer.alloc(4), 2, 4, 0));
  check('reading: nothing', () => [fs.readSync(fd, Buffer.alloc(0)), fs.readSync(fd, Buffer.alloc(2), 0, 0, 0)]);
  check('reading: into a Uint16Array', () => { const array = new Uint16Array(2); return [fs.readSync(fd, array, 0, 4, 0), [...array]]; });
  check('reading: into a DataView', () => { const view = new DataView(new ArrayBuffer(4), 1); return [fs.readSync(fd, view, 0, 2, 0), view.getUint8(0)]; });
  check('reading: into an ArrayBuffer', () => fs.readSync(fd, new ArrayBuffer(4), 0, 2, 0));
  check('reading: in turn', () => { const turn = fs.openSync(`${at}/a`, 'r'); const part = () => { const buffer = Buffer.alloc(4); return [fs.readSync(turn, buffer), buffer]; };
    const parts = [part(), part(), part()]; fs.closeSync(turn); return parts; });
  check('reading: readv', () => { const parts = [Buffer.alloc(2), Buffer.alloc(3), Buffer.alloc(9)]; return [fs.readvSync(fd, parts, 0), parts]; });
  check('reading: readv of none', () => fs.readvSync(fd, [], 0));
  check('reading: readv in turn', () => { const turn = fs.openSync(`${at}/a`); return [fs.readvSync(turn, [Buffer.alloc(2)]), fs.readvSync(turn, [Buffer.alloc(9)]), fs.readvSync(turn, [Buffer.alloc(9)])]; });
  check('reading: closed', () => { fs.closeSync(fd); return fs.readSync(fd, Buffer.alloc(1)); });
  check('reading: closed twice', () => fs.closeSync(fd));
  check('reading: stat of closed', () => fs.fstatSync(fd));
  check('reading: all of closed', () => fs.readFileSync(fd));
  check('reading: what was opened to be written', () => fs.readSync(fs.openSync(`${at}/a`, 'a'), Buffer.alloc(1)));
  check('reading: all of what was opened to be written', () => fs.readFileSync(fs.openSync(`${at}/a`, 'a')));
  check('reading: a folder by descriptor', () => fs.readSync(fs.openSync(at, 'r'), Buffer.alloc(1)));
  check('reading: all of a folder by descriptor', () => fs.readFileSync(fs.openSync(at, 'r')));
  check('reading: zero', () => { const buffer = Buffer.alloc(4, 1); return [fs.readSync(fs.openSync('/dev/zero'), buffer), buffer]; });
  check('reading: full', () => { const buffer = Buffer.alloc(4, 1); return [fs.readSync(fs.openSync('/dev/full'), buffer), buffer]; });
  check('reading: null', () => fs.readSync(fs.openSync('/dev/null'), Buffer.alloc(4)));
  check('reading: random', () => { const buffer = Buffer.alloc(32); return [fs.readSync(fs.openSync('/dev/random'), buffer), buffer.some((byte) => byte !== 0)]; });
  for (const device of ['null', 'zero', 'full', 'random']) {
    const of = `/dev/${device}`;
    check(`reading: all of ${device}`, () => fs.readFileSync(of));
    check(`reading: stat of ${device}`, () => fs.statSync(of));
    check(`reading: write to ${device}`, () => fs.writeFileSync(of, 'abc'));
    check(`reading: append to ${device}`, () => fs.appendFileSync(of, 'abc'));
    check(`reading: write by descriptor to ${device}`, () => fs.writeSync(fs.openSync(of, 'w'), 'abc'));
    check(`reading: truncate ${device}`, () => fs.truncateSync(of, 5));
    check(`reading: times of ${device}`, () => fs.utimesSync(of, 5, 5));
    check(`reading: copy of ${device}`, () => { const to = `${fresh()}/copy`; fs.copyFileSync(of, to); return fs.statSync(to).isCharacterDevice(); });
    check(`reading: remove ${device}`, () => fs.unlinkSync(of));
    check(`reading: link to ${device}`, () => { const to = `${fresh()}/link`; fs.symlinkSync(of, to); return [fs.lstatSync(to).isSymbolicLink(), fs.statSync(to).isCharacterDevice()]; });
  }
  for (const fd of [0, 1, 2]) {
    check(`reading: stat of descriptor ${fd}`, () => fs.fstatSync(fd));
    check(`reading: from descriptor ${fd}`, () => fs.readSync(fd, Buffer.alloc(4)));
    check(`reading: all of descriptor ${fd}`, () => fs.readFileSync(fd));
    check(`reading: write to descriptor ${fd}`, () => [fs.writeSync(fd, 'a line\n'), fs.writeFileSync(fd, 'more\n')]);
    check(`reading: close descriptor ${fd}`, () => [fs.closeSync(fd), fs.fstatSync(fd).isFile()]);
    check(`reading: truncate descriptor ${fd}`, () => fs.ftruncateSync(fd, 0));
    check(`reading: times of descriptor ${fd}`, () => fs.futimesSync(fd, 0, 0));
  }
}

function writing() {
  const once = (name, act) => check(`writing: ${name}`, () => { const at = `${fresh()}/a`; const result = act(at); return [result, fs.existsSync(at) && text(at)]; });
  once('text', (at) => fs.writeFileSync(at, 'h\u00e9llo'));
  once('text as hex', (at) => fs.writeFileSync(at, '6869', 'hex'));
  once('text as latin1', (at) => fs.writeFileSync(at, '\u00e9', { encoding: 'latin1' }));
  once('bytes', (at) => fs.writeFileSync(at, new Uint8Array([104, 105])));
  once('a DataView', (at) => fs.writeFileSync(at, new DataView(new Uint8Array([104, 105, 106]).buffer, 1)));
  once('a Uint16Array', (at) => fs.writeFileSync(at, new Uint16Array([26984])));
  once('an ArrayBuffer', (at) => fs.writeFileSync(at, new ArrayBuffer(4)));
  once('a number', (at) => fs.writeFileSync(at, 5));
  once('null', (at) => fs.writeFileSync(at, null));
  once('undefined', (at) => fs.writeFileSync(at));
  once('an object', (at) => fs.writeFileSync(at, { toString: () => 'x' }));
  once('an iterable', (at) => fs.writeFileSync(at, ['a', 'b']));
  once('over', (at) => { fs.writeFileSync(at, 'long text'); return fs.writeFileSync(at, 'x'); });
  once('over nothing', (at) => { fs.writeFileSync(at, 'long text'); return fs.writeFileSync(at, ''); });
  once('what is written is a copy', (at) => { const bytes = Buffer.from('abc'); fs.writeFileSync(at, bytes); bytes.fill(0); });
  once('append', (at) => [fs.appendFileSync(at, 'a'), fs.appendFileSync(at, 'b'), fs.appendFileSync(at, Buffer.from('c'))]);
  once('append with a flag', (at) => { fs.writeFileSync(at, 'a'); return fs.writeFileSync(at, 'b', { flag: 'a' }); });
  for (const flag of ['r', 'r+', 'w', 'w+', 'wx', 'xw', 'wx+', 'a', 'a+', 'ax', 'as', 'rs', 'rs+', 'sr', 'no', '', 0, 1, 2, 64, 65, 193, 577, 1025, null, undefined, -1, 1.5]) {
    once(`with the flag ${flag}`, (at) => fs.writeFileSync(at, 'new', { flag }));
    once(`over a file with the flag ${flag}`, (at) => { fs.writeFileSync(at, 'old text'); return fs.writeFileSync(at, 'new', { flag }); });
    once(`open with ${flag}`, (at) => { fs.closeSync(fs.openSync(at, flag)); });
    once(`open a file with ${flag}`, (at) => { fs.writeFileSync(at, 'old text'); fs.closeSync(fs.openSync(at, flag)); });
    once(`write by descriptor with ${flag}`, (at) => { fs.writeFileSync(at, 'old text'); return fs.writeSync(fs.openSync(at, flag), 'new'); });
    once(`read by descriptor with ${flag}`, (at) => { fs.writeFileSync(at, 'old text'); return fs.readSync(fs.openSync(at, flag), Buffer.alloc(3)); });
    once(`all by descriptor with ${flag}`, (at) => { fs.writeFileSync(at, 'old text'); return fs.writeFileSync(fs.openSync(at, flag), 'new'); });
    once(`open a folder with ${flag}`, (at) => { fs.mkdirSync(`${at}1`); return typeof fs.openSync(`${at}1`, flag); });
  }
  for (const mode of [0o600, '600', '0o600', 'abc', -1, 1.5, null, undefined, 2 ** 33]) once(`with the mode ${mode}`, (at) => fs.writeFileSync(at, 'x', { mode }));
  once('flush', (at) => fs.writeFileSync(at, 'x', { flush: true }));
  once('flush that is no boolean', (at) => fs.writeFileSync(at, 'x', { flush: 1 }));
  once('in turn', (at) => { const fd = fs.openSync(at, 'w'); return [fs.writeSync(fd, 'ab'), fs.writeSync(fd, 'cd'), fs.writeSync(fd, Buffer.from('efgh'), 1, 2)]; });
  once('at a position', (at) => { const fd = fs.openSync(at, 'w'); return [fs.writeSync(fd, 'abcd'), fs.writeSync(fd, 'X', 1), fs.writeSync(fd, Buffer.from('Y'), 0, 1, 2), fs.writeSync(fd, 'e')]; });
  once('beyond the end', (at) => fs.writeSync(fs.openSync(at, 'w'), 'x', 4));
  once('at a huge position', (at) => fs.writeSync(fs.openSync(at, 'w'), 'x', 2n ** 40n));
  once('with an encoding', (at) => fs.writeSync(fs.openSync(at, 'w'), '6869', null, 'hex'));
  once('with options', (at) => fs.writeSync(fs.openSync(at, 'w'), Buffer.from('abcdef'), { offset: 1, length: 3, position: 2 }));
  once('with an offset too far', (at) => fs.writeSync(fs.openSync(at, 'w'), Buffer.from('abc'), 5));
  once('with a length too far', (at) => fs.writeSync(fs.openSync(at, 'w'), Buffer.from('abc'), 1, 5));
  once('a number by descriptor', (at) => fs.writeSync(fs.openSync(at, 'w'), 5));
  once('writev', (at) => { const fd = fs.openSync(at, 'w'); return [fs.writevSync(fd, [Buffer.from('ab'), Buffer.from('cd')]), fs.writevSync(fd, [Buffer.from('X')], 1), fs.writevSync(fd, [])]; });
  once('to append at a position', (at) => { fs.writeFileSync(at, 'abc'); return fs.writeSync(fs.openSync(at, 'a'), 'X', 0); });
  once('all, then more', (at) => { const fd = fs.openSync(at, 'w+'); return [fs.writeFileSync(fd, 'abc'), fs.writeSync(fd, 'd'), fs.readSync(fd, Buffer.alloc(9)), fs.readSync(fd, Buffer.alloc(9), 0, 9, 0)]; });
  once('append by descriptor', (at) => { const fd = fs.openSync(at, 'w'); return [fs.appendFileSync(fd, 'abc'), fs.appendFileSync(fd, 'd')]; });
  once('to a descriptor that is not open', () => fs.writeFileSync(99999, 'x'));
  once('truncate', (at) => { fs.writeFileSync(at, 'abcdef'); return [fs.truncateSync(at, 3), fs.truncateSync(at, 5), text(at).length, fs.truncateSync(at)]; });
  once('ftruncate', (at) => { const fd = fs.openSync(at, 'w'); fs.writeSync(fd, 'abcdef'); return [fs.ftruncateSync(fd, 3), fs.writeSync(fd, 'X'), fs.ftruncateSync(fd)]; });
  once('ftruncate of what is only read', (at) => { fs.writeFileSync(at, 'abc'); return fs.ftruncateSync(fs.openSync(at, 'r'), 1); });
  once('truncate to less than nothing', (at) => { fs.writeFileSync(at, 'abc'); return fs.truncateSync(at, -1); });
  once('truncate a folder', () => fs.truncateSync('/tmp', 0));
  once('after it was removed', (at) => { const fd = fs.openSync(at, 'w+'); fs.unlinkSync(at); return [fs.writeSync(fd, 'abc'), fs.fstatSync(fd).size, fs.readFileSync(fd, 'utf8')]; });
  once('more than a file may hold', (at) => fs.writeFileSync(at, new Uint8Array(129 * 1024 * 1024)));
  once('truncate to more than a file may hold', (at) => { fs.writeFileSync(at, 'abc'); return fs.truncateSync(at, 2 ** 31); });
  once('existing that must not be', (at) => { fs.writeFileSync(at, 'abc'); return fs.openSync(at, 'wx'); });
  once('many', (at) => { const fd = fs.openSync(at, 'w'); for (let i = 0; i < 1000; i++) fs.writeSync(fd, 'x'); return fs.fstatSync(fd).size; });
}

function stats() {
  const at = fresh({ a: 'abc', sub: null });
  fs.symlinkSync(`${at}/a`, `${at}/link`);
  fs.symlinkSync(`${at}/nope`, `${at}/broken`);
  fs.symlinkSync(`${at}/loop2`, `${at}/loop1`);
  fs.symlinkSync(`${at}/loop1`, `${at}/loop2`);
  for (const name of ['a', 'sub', 'link', 'broken', 'loop1', 'nope']) {
    for (const call of ['statSync', 'lstatSync']) {
      check(`stats: ${call} of ${name}`, () => fs[call](`${at}/${name}`));
      check(`stats: ${call} of ${name}, bigint`, () => fs[call](`${at}/${name}`, { bigint: true }));
      check(`stats: ${call} of ${name}, no throw`, () => fs[call](`${at}/${name}`, { throwIfNoEntry: false })?.size);
    }
    check(`stats: access ${name}`, () => fs.accessSync(`${at}/${name}`, fs.constants.R_OK | fs.constants.W_OK));
    check(`stats: exists ${name}`, () => fs.existsSync(`${at}/${name}`));
    check(`stats: read ${name}`, () => text(`${at}/${name}`));
    check(`stats: readlink ${name}`, () => fs.readlinkSync(`${at}/${name}`));
    check(`stats: realpath ${name}`, () => [fs.realpathSync(`${at}/${name}`), fs.realpathSync.native(`${at}/${name}`)]);
    check(`stats: list ${name}`, () => fs.readdirSync(`${at}/${name}`));
    check(`stats: open ${name}`, () => typeof fs.openSync(`${at}/${name}`, 'r'));
    for (const call of ['chmodSync', 'lchmodSync']) check(`stats: ${call} ${name}`, () => fs[call](`${at}/${name}`, 0o600));
    for (const call of ['chownSync', 'lchownSync']) check(`stats: ${call} ${name}`, () => fs[call](`${at}/${name}`, 0, 0));
    for (const call of ['utimesSync', 'lutimesSync']) check(`stats: ${call} ${name}`, () => [fs[call](`${at}/${name}`, 5, 7000), fs.lstatSync(`${at}/${name}`).mtimeMs]);
    check(`stats: statfs ${name}`, () => [fs.statfsSync(`${at}/${name}`), fs.statfsSync(`${at}/${name}`, { bigint: true })]);
    check(`stats: write ${name}`, () => [fs.writeFileSync(`${at}/${name}`, 'abc'), fs.existsSync(`${at}/nope`)]);
    check(`stats: copy ${name}`, () => { const to = `${fresh()}/copy`; fs.copyFileSync(`${at}/${name}`, to); return [fs.lstatSync(to).isSymbolicLink(), text(to)]; });
    check(`stats: hard link to ${name}`, () => { const to = `${fresh()}/hard`; fs.linkSync(`${at}/${name}`, to); return [fs.lstatSync(to).isSymbolicLink(), text(to)]; });
  }
  for (const time of [0, 5, 1e12, '2020-01-01', '5', new Date(5), 5n, NaN, 'no', null, undefined, {}, true]) {
    check(`stats: the time ${typeof time} ${time}`, () => { fs.utimesSync(`${at}/a`, time, time); return fs.statSync(`${at}/a`).mtimeMs; });
    check(`stats: the time ${typeof time} ${time} by descriptor`, () => { const fd = fs.openSync(`${at}/a`, 'r+'); fs.futimesSync(fd, time, time); return fs.fstatSync(fd, { bigint: true }).mtimeNs; });
  }
  check('stats: of a descriptor', () => [fs.fstatSync(fs.openSync(`${at}/a`, 'r')), fs.fstatSync(fs.openSync(at, 'r'))]);
  check('stats: fchmod', () => { const fd = fs.openSync(`${at}/a`, 'r'); return [fs.fchmodSync(fd, 0o600), fs.fchownSync(fd, 1, 1), fs.fsyncSync(fd), fs.fdatasyncSync(fd)]; });
  for (const call of ['fchmodSync', 'fchownSync', 'fsyncSync', 'fdatasyncSync', 'ftruncateSync', 'fstatSync']) check(`stats: ${call} of none`, () => fs[call](99999, 1, 1));
  check('stats: a link written through', () => { const at = fresh({ a: 'x' }); fs.symlinkSync(`${at}/a`, `${at}/link`); fs.writeFileSync(`${at}/link`, 'y'); fs.appendFileSync(`${at}/link`, 'z'); return [text(`${at}/a`), fs.lstatSync(`${at}/link`).isSymbolicLink()]; });
  check('stats: a hard link written through', () => { const at = fresh({ a: 'x' }); fs.linkSync(`${at}/a`, `${at}/hard`); fs.writeFileSync(`${at}/hard`, 'y'); fs.unlinkSync(`${at}/a`); return text(`${at}/hard`); });
  check('stats: a relative link', () => { const at = fresh({ a: 'x' }); process.chdir(at); fs.symlinkSync('a', 'link'); const seen = [fs.readlinkSync('link'), text('link')]; process.chdir('/bundle'); return seen; });
  check('stats: a link to a folder', () => { const at = fresh({ sub: null }); fs.writeFileSync(`${at}/sub/a`, 'x'); fs.symlinkSync(`${at}/sub`, `${at}/link`);
    return [text(`${at}/link/a`), fs.statSync(`${at}/link`).isDirectory(), fs.realpathSync(`${at}/link`)]; });
  check('stats: lstat through a link to a folder', () => { const at = fresh({ sub: null }); fs.writeFileSync(`${at}/sub/a`, 'x'); fs.symlinkSync(`${at}/sub`, `${at}/link`); return fs.lstatSync(`${at}/link/a`).size; });
  check('stats: write through a link to a folder', () => { const at = fresh({ sub: null }); fs.symlinkSync(`${at}/sub`, `${at}/link`); fs.writeFileSync(`${at}/link/b`, 'x'); return fs.readdirSync(`${at}/sub`); });
  check('stats: open through a link to a folder', () => { const at = fresh({ sub: null }); fs.symlinkSync(`${at}/sub`, `${at}/link`); fs.openSync(`${at}/link/b`, 'w'); return fs.readdirSync(`${at}/sub`); });
  check('stats: realpath through a link', () => { const at = fresh({ sub: null }); fs.writeFileSync(`${at}/sub/a`, 'x'); fs.symlinkSync(`${at}/sub`, `${at}/link`); return fs.realpathSync(`${at}/link/a`); });
  check('stats: rmdir through a link', () => { const at = fresh({ sub: null }); fs.mkdirSync(`${at}/sub/x`); fs.symlinkSync(`${at}/sub`, `${at}/link`); return [fs.rmdirSync(`${at}/link/x`), fs.readdirSync(`${at}/sub`)]; });
  check('stats: a link over a file', () => { const at = fresh({ a: 'x', b: 'y' }); fs.symlinkSync(`${at}/a`, `${at}/b`); });
  check('stats: a link over a broken link', () => { const at = fresh(); fs.symlinkSync(`${at}/a`, `${at}/b`); fs.symlinkSync(`${at}/a`, `${at}/b`); });
  for (const type of ['file', 'dir', 'junction', null, undefined, 'no', 5]) check(`stats: a link of the type ${type}`, () => fs.symlinkSync('/tmp', `${fresh()}/link`, type));
  check('stats: a hard link to a folder', () => fs.linkSync(at, `${fresh()}/hard`));
  check('stats: a hard link to a module', () => { const to = `${fresh()}/hard`; fs.linkSync('/bundle/index.js', to); return fs.statSync(to).mode; });
  for (const encoding of ['utf8', 'buffer', 'hex', 'no', null]) {
    check(`stats: readlink as ${encoding}`, () => fs.readlinkSync(`${at}/link`, encoding));
    check(`stats: realpath as ${encoding}`, () => fs.realpathSync(`${at}/link`, { encoding }));
  }
}
