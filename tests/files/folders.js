
function listing() {
  const at = fresh({ b: 'x', a: 'y', sub: null });
  fs.writeFileSync(`${at}/sub/c`, 'z');
  fs.mkdirSync(`${at}/sub/deep/er`, { recursive: true });
  fs.symlinkSync(`${at}/a`, `${at}/link`);
  check('listing: names', () => fs.readdirSync(at));
  check('listing: with types', () => fs.readdirSync(at, { withFileTypes: true }));
  check('listing: recursive', () => fs.readdirSync(at, { recursive: true }));
  check('listing: recursive with types', () => fs.readdirSync(at, { recursive: true, withFileTypes: true }));
  for (const encoding of ['utf8', 'buffer', 'hex', 'base64', 'no', null, undefined]) {
    check(`listing: as ${encoding}`, () => fs.readdirSync(at, encoding));
    check(`listing: with types as ${encoding}`, () => fs.readdirSync(at, { encoding, withFileTypes: true }));
  }
  check('listing: wrong options', () => fs.readdirSync(at, { recursive: 1 }));
  check('listing: wrong type option', () => fs.readdirSync(at, { withFileTypes: 1 }));
  check('listing: an empty folder', () => fs.readdirSync(fresh()));
  check('listing: a link to a folder', () => { const at = fresh({ sub: null }); fs.symlinkSync(`${at}/sub`, `${at}/link`); return fs.readdirSync(`${at}/link`); });
  check('listing: recursive through a link', () => { const at = fresh({ sub: null }); fs.writeFileSync(`${at}/sub/a`, ''); fs.symlinkSync(`${at}/sub`, `${at}/link`); return fs.readdirSync(at, { recursive: true }); });
  check('listing: recursive through a broken link', () => { const at = fresh(); fs.symlinkSync(`${at}/sub`, `${at}/link`); return fs.readdirSync(at, { recursive: true }); });
  check('listing: recursive through a link to itself', () => { const at = fresh(); fs.symlinkSync(at, `${at}/link`); return fs.readdirSync(at, { recursive: true }).length; });
  check('listing: recursive of the root', () => fs.readdirSync('/dev/..', { recursive: true }).includes('dev/null'));
  check('listing: opendir', () => { const dir = fs.opendirSync(at); const seen = [dir.path]; for (let entry; (entry = dir.readSync()) !== null;) seen.push(shown(entry)); dir.closeSync(); return seen; });
  check('listing: opendir with options', () => { const dir = fs.opendirSync(at, { encoding: 'buffer', bufferSize: 1, recursive: true }); const seen = []; for (let entry; (entry = dir.readSync());) seen.push(shown(entry)); return seen; });
  check('listing: opendir as hex', () => fs.opendirSync(at, { encoding: 'hex' }).readSync());
  check('listing: opendir with a wrong encoding', () => fs.opendirSync(at, { encoding: 'no' }));
  check('listing: opendir with a wrong buffer', () => fs.opendirSync(at, { bufferSize: 'a' }));
  check('listing: opendir closed', () => { const dir = fs.opendirSync(at); dir.closeSync(); return dir.readSync(); });
  check('listing: opendir closed twice', () => { const dir = fs.opendirSync(at); dir.closeSync(); dir.closeSync(); });
  check('listing: opendir of a URL', () => typeof fs.opendirSync(new URL(`file://${at}`)).path);
  check('listing: opendir of a file', () => fs.opendirSync(`${at}/a`));
  check('listing: the tag of an entry', () => [Object.keys(fs.readdirSync(at, { withFileTypes: true })[0]), String(fs.readdirSync(at, { withFileTypes: true })[0])]);
}

function changing() {
  const once = (name, files, act) => check(`changing: ${name}`, () => {
    const at = fresh(files);
    let outcome;
    try { outcome = shown(act(at)); } catch (error) { outcome = failure(error); }
    const left = fs.readdirSync(at, { recursive: true, withFileTypes: true }).map((entry) => `${entry.name}${entry.isFile() ? `=${text(`${entry.parentPath.startsWith('/') ? '' : '/'}${entry.parentPath}/${entry.name.split('/').pop()}`)}` : ''}`);
    return [outcome, sorted(left)].map((value) => JSON.parse(JSON.stringify(value ?? 'undefined').replaceAll(at, 'AT').replaceAll(at.slice(1), 'AT')));
  });
  once('mkdir', {}, (at) => fs.mkdirSync(`${at}/a`));
  once('mkdir again', { a: null }, (at) => fs.mkdirSync(`${at}/a`));
  once('mkdir over a file', { a: 'x' }, (at) => fs.mkdirSync(`${at}/a`));
  once('mkdir -p over a file', { a: 'x' }, (at) => fs.mkdirSync(`${at}/a`, { recursive: true }));
  once('mkdir -p below a file', { a: 'x' }, (at) => fs.mkdirSync(`${at}/a/b/c`, { recursive: true }));
  once('mkdir over a link', {}, (at) => { fs.symlinkSync('/tmp', `${at}/a`); return fs.mkdirSync(`${at}/a`); });
  once('mkdir -p through a link', { sub: null }, (at) => { fs.symlinkSync(`${at}/sub`, `${at}/a`); return fs.mkdirSync(`${at}/a/b`, { recursive: true }); });
  once('mkdir without parent', {}, (at) => fs.mkdirSync(`${at}/a/b`));
  once('mkdir -p', {}, (at) => [fs.mkdirSync(`${at}/a/b/c`, { recursive: true }), fs.mkdirSync(`${at}/a/b/d`, { recursive: true }), fs.mkdirSync(`${at}/a`, { recursive: true }), fs.mkdirSync(`${at}/z`, { recursive: true })]);
  once('mkdir with a mode', {}, (at) => [fs.mkdirSync(`${at}/a`, 0o700), fs.mkdirSync(`${at}/b`, { mode: '700' })]);
  once('mkdir with a wrong mode', {}, (at) => fs.mkdirSync(`${at}/a`, { mode: 'x' }));
  once('mkdir with wrong options', {}, (at) => fs.mkdirSync(`${at}/a`, { recursive: 'yes' }));
  const renamedLink = (at) => { fs.writeFileSync(`${at}/a/f`, 'x'); fs.symlinkSync(`${at}/a`, `${at}/link`); fs.renameSync(`${at}/link`, `${at}/b`); };
  once('rename of a link to a folder', { a: null }, renamedLink);
  once('rm of a renamed link to a folder', { a: null }, (at) => { renamedLink(at); fs.rmSync(`${at}/b`, { recursive: true }); });
  once('rm of a folder of which a link was renamed', { a: null }, (at) => { renamedLink(at); fs.rmSync(`${at}/a`, { recursive: true }); });
  once('rm of a folder that is renamed and open', { a: null }, (at) => { fs.writeFileSync(`${at}/a/f`, 'x'); fs.renameSync(`${at}/a`, `${at}/b`); const fd = fs.openSync(`${at}/b`, 'r'); fs.rmSync(`${at}/b`, { recursive: true }); fs.closeSync(fd); });
  once('mkdtemp', {}, (at) => { const made = [fs.mkdtempSync(`${at}/a-`), fs.mkdtempSync(`${at}/a-`)]; const seen = [made[0] !== made[1], made.every((name) => name.startsWith(`${at}/a-`) && fs.statSync(name).isDirectory())]; made.forEach((name) => fs.rmdirSync(name)); return seen; });
  once('mkdtemp as a buffer', {}, (at) => { const made = fs.mkdtempSync(`${at}/a-`, 'buffer'); fs.rmdirSync(made); return typeof made; });
  once('mkdtemp without parent', {}, (at) => fs.mkdtempSync(`${at}/no/a-`));
  once('rmdir', { a: null }, (at) => fs.rmdirSync(`${at}/a`));
  once('rmdir of a file', { a: 'x' }, (at) => fs.rmdirSync(`${at}/a`));
  once('rmdir of nothing', {}, (at) => fs.rmdirSync(`${at}/a`));
  once('rmdir of nothing in nothing', {}, (at) => fs.rmdirSync(`${at}/a/b`));
  once('rmdir of a full folder', { a: null }, (at) => { fs.writeFileSync(`${at}/a/b`, 'x'); return fs.rmdirSync(`${at}/a`); });
  once('rmdir -r', { a: null }, (at) => { fs.writeFileSync(`${at}/a/b`, 'x'); return fs.rmdirSync(`${at}/a`, { recursive: true }); });
  once('rmdir of a link', { a: null }, (at) => { fs.symlinkSync(`${at}/a`, `${at}/link`); return fs.rmdirSync(`${at}/link`); });
  once('rm of a file', { a: 'x', b: 'y' }, (at) => fs.rmSync(`${at}/a`));
  once('rm of a folder', { a: null }, (at) => fs.rmSync(`${at}/a`));
  once('rm of a full folder', { a: null }, (at) => { fs.writeFileSync(`${at}/a/b`, 'x'); return fs.rmSync(`${at}/a`); });
  once('rm -r', { a: null, c: 'z' }, (at) => { fs.writeFileSync(`${at}/a/b`, 'x'); return fs.rmSync(`${at}/a`, { recursive: true }); });
  once('rm of nothing', {}, (at) => fs.rmSync(`${at}/a`));
  once('rm -f of nothing', {}, (at) => fs.rmSync(`${at}/a`, { force: true }));
  once('rm -f of nothing in nothing', {}, (at) => fs.rmSync(`${at}/a/b`, { force: true, recursive: true }));
  once('rm of a link', { a: null }, (at) => { fs.writeFileSync(`${at}/a/b`, 'x'); fs.symlinkSync(`${at}/a`, `${at}/link`); return fs.rmSync(`${at}/link`, { recursive: true }); });
  once('rm below a file', { a: 'x' }, (at) => fs.rmSync(`${at}/a/b`));
  once('rm with wrong options', { a: 'x' }, (at) => fs.rmSync(`${at}/a`, { force: 1 }));
  once('rm with retries', { a: 'x' }, (at) => fs.rmSync(`${at}/a`, { maxRetries: 3, retryDelay: 5 }));
  once('unlink', { a: 'x', b: 'y', c: 'z' }, (at) => fs.unlinkSync(`${at}/a`));
  once('unlink of a folder', { a: null }, (at) => fs.unlinkSync(`${at}/a`));
  once('unlink of nothing', {}, (at) => fs.unlinkSync(`${at}/a`));
  once('unlink of nothing in nothing', {}, (at) => fs.unlinkSync(`${at}/a/b`));
  once('unlink below a file', { a: 'x' }, (at) => fs.unlinkSync(`${at}/a/b`));
  once('unlink of a link', { a: 'x' }, (at) => { fs.symlinkSync(`${at}/a`, `${at}/link`); return fs.unlinkSync(`${at}/link`); });
  once('unlink of a broken link', {}, (at) => { fs.symlinkSync(`${at}/a`, `${at}/link`); return fs.unlinkSync(`${at}/link`); });
  once('unlink of a link to a folder', { a: null }, (at) => { fs.symlinkSync(`${at}/a`, `${at}/link`); return fs.unlinkSync(`${at}/link`); });
  for (const [name, act] of [['rename', fs.renameSync], ['copyFile', fs.copyFileSync], ['link', fs.linkSync]]) {
    once(`${name}`, { a: 'x' }, (at) => act(`${at}/a`, `${at}/b`));
    once(`${name} over a file`, { a: 'x', b: 'y' }, (at) => act(`${at}/a`, `${at}/b`));
    once(`${name} over a folder`, { a: 'x', b: null }, (at) => act(`${at}/a`, `${at}/b`));
    once(`${name} to itself`, { a: 'x' }, (at) => act(`${at}/a`, `${at}/a`));
    once(`${name} to itself by another way`, { a: 'x' }, (at) => act(`${at}/a`, `${at}/./a`));
    once(`${name} of nothing`, {}, (at) => act(`${at}/a`, `${at}/b`));
    once(`${name} of nothing in nothing`, {}, (at) => act(`${at}/a/c`, `${at}/b`));
    once(`${name} into nothing`, { a: 'x' }, (at) => act(`${at}/a`, `${at}/b/c`));
    once(`${name} below a file`, { a: 'x', b: 'y' }, (at) => act(`${at}/a`, `${at}/b/c`));
    once(`${name} of a folder`, { a: null }, (at) => { fs.writeFileSync(`${at}/a/b`, 'x'); return act(`${at}/a`, `${at}/c`); });
    once(`${name} of a folder over an empty one`, { a: null, c: null }, (at) => { fs.writeFileSync(`${at}/a/b`, 'x'); return act(`${at}/a`, `${at}/c`); });
    once(`${name} of a folder over a full one`, { a: null, c: null }, (at) => { fs.writeFileSync(`${at}/a/b`, 'x'); fs.writeFileSync(`${at}/c/d`, 'x'); return act(`${at}/a`, `${at}/c`); });
    once(`${name} of a folder over a file`, { a: null, c: 'x' }, (at) => act(`${at}/a`, `${at}/c`));
    once(`${name} of a folder into itself`, { a: null }, (at) => act(`${at}/a`, `${at}/a/b`));
    once(`${name} of a link`, { a: 'x' }, (at) => { fs.symlinkSync(`${at}/a`, `${at}/link`); return [act(`${at}/link`, `${at}/b`), fs.lstatSync(`${at}/b`).isSymbolicLink()]; });
    once(`${name} of a broken link`, {}, (at) => { fs.symlinkSync(`${at}/a`, `${at}/link`); return [act(`${at}/link`, `${at}/b`), fs.lstatSync(`${at}/b`).isSymbolicLink()]; });
    once(`${name} over a link`, { a: 'x', b: 'y' }, (at) => { fs.symlinkSync(`${at}/b`, `${at}/link`); return [act(`${at}/a`, `${at}/link`), fs.lstatSync(`${at}/link`).isSymbolicLink()]; });
    once(`${name} over a broken link`, { a: 'x' }, (at) => { fs.symlinkSync(`${at}/b`, `${at}/link`); return act(`${at}/a`, `${at}/link`); });
    once(`${name} to a device`, { a: 'x' }, (at) => act(`${at}/a`, '/dev/null'));
    once(`${name} of a device`, {}, (at) => act('/dev/zero', `${at}/b`));
  }
  for (const mode of [0, 1, 2, 4, 3, 5, 'x', -1, null]) {
    once(`copyFile with the mode ${mode}`, { a: 'x' }, (at) => fs.copyFileSync(`${at}/a`, `${at}/b`, mode));
    once(`copyFile over a file with the mode ${mode}`, { a: 'x', b: 'y' }, (at) => fs.copyFileSync(`${at}/a`, `${at}/b`, mode));
  }
  const tree = (at) => { fs.mkdirSync(`${at}/t/u/v`, { recursive: true }); fs.writeFileSync(`${at}/t/a`, '1'); fs.writeFileSync(`${at}/t/u/b`, '2'); fs.symlinkSync(`${at}/t/a`, `${at}/t/link`); };
  for (const [how, options] of Object.entries({ plain: undefined, recursive: { recursive: true }, dereference: { recursive: true, dereference: true }, careful: { recursive: true, force: false },
    strict: { recursive: true, force: false, errorOnExist: true }, 'strict with force': { recursive: true, errorOnExist: true }, times: { recursive: true, preserveTimestamps: true }, verbatim: { recursive: true, verbatimSymlinks: true } })) {
    once(`cp of a file, ${how}`, { a: 'x' }, (at) => fs.cpSync(`${at}/a`, `${at}/b`, options));
    once(`cp over a file, ${how}`, { a: 'x', b: 'y' }, (at) => fs.cpSync(`${at}/a`, `${at}/b`, options));
    once(`cp over a folder, ${how}`, { a: 'x', b: null }, (at) => fs.cpSync(`${at}/a`, `${at}/b`, options));
    once(`cp into nothing, ${how}`, { a: 'x' }, (at) => fs.cpSync(`${at}/a`, `${at}/b/c/d`, options));
    once(`cp of a tree, ${how}`, {}, (at) => { tree(at); return [fs.cpSync(`${at}/t`, `${at}/s`, options), fs.lstatSync(`${at}/s/link`).isSymbolicLink()]; });
    once(`cp of a tree into nothing, ${how}`, {}, (at) => { tree(at); return fs.cpSync(`${at}/t`, `${at}/no/s`, options); });
    once(`cp of a tree over another, ${how}`, { s: null }, (at) => { tree(at); fs.writeFileSync(`${at}/s/a`, 'old'); fs.writeFileSync(`${at}/s/z`, 'kept'); return fs.cpSync(`${at}/t`, `${at}/s`, options); });
    once(`cp of a tree over a file, ${how}`, { s: 'x' }, (at) => { tree(at); return fs.cpSync(`${at}/t`, `${at}/s`, options); });
    once(`cp of a file in the way of a folder, ${how}`, { s: null }, (at) => { tree(at); fs.writeFileSync(`${at}/s/u`, 'old'); return fs.cpSync(`${at}/t`, `${at}/s`, options); });
    once(`cp of a folder in the way of a file, ${how}`, { s: null }, (at) => { tree(at); fs.mkdirSync(`${at}/s/a`); return fs.cpSync(`${at}/t`, `${at}/s`, options); });
    once(`cp of a link, ${how}`, { a: 'x' }, (at) => { fs.symlinkSync(`${at}/a`, `${at}/link`); return [fs.cpSync(`${at}/link`, `${at}/b`, options), fs.lstatSync(`${at}/b`).isSymbolicLink()]; });
    once(`cp of a link over a file, ${how}`, { a: 'x', b: 'y' }, (at) => { fs.symlinkSync(`${at}/a`, `${at}/link`); return [fs.cpSync(`${at}/link`, `${at}/b`, options), fs.lstatSync(`${at}/b`).isSymbolicLink()]; });
    once(`cp of a link over a folder, ${how}`, { a: 'x', b: null }, (at) => { fs.symlinkSync(`${at}/a`, `${at}/link`); return fs.cpSync(`${at}/link`, `${at}/b`, options); });
    once(`cp over a link, ${how}`, { a: 'x', b: 'y' }, (at) => { fs.symlinkSync(`${at}/b`, `${at}/link`); return [fs.cpSync(`${at}/a`, `${at}/link`, options), fs.lstatSync(`${at}/link`).isSymbolicLink()]; });
    once(`cp of a tree over a link, ${how}`, { s: null }, (at) => { tree(at); fs.symlinkSync(`${at}/s`, `${at}/link`); return fs.cpSync(`${at}/t`, `${at}/link`, options); });
    once(`cp to itself, ${how}`, { a: 'x' }, (at) => fs.cpSync(`${at}/a`, `${at}/a`, options));
    once(`cp into itself, ${how}`, { a: null }, (at) => fs.cpSync(`${at}/a`, `${at}/a/b`, options));
    once(`cp of nothing, ${how}`, {}, (at) => fs.cpSync(`${at}/a`, `${at}/b`, options));
    once(`cp of a module, ${how}`, {}, (at) => { fs.cpSync('/bundle/index.js', `${at}/index.js`, options); const seen = text(`${at}/index.js`).length > 0; fs.unlinkSync(`${at}/index.js`); return seen; });
  }
  once('cp with a filter', { a: 'x' }, (at) => fs.cpSync(`${at}/a`, `${at}/b`, { filter: () => true }));
  once('cp with a wrong filter', { a: 'x' }, (at) => fs.cpSync(`${at}/a`, `${at}/b`, { filter: 1 }));
  once('cp with a mode', { a: 'x' }, (at) => fs.cpSync(`${at}/a`, `${at}/b`, { mode: fs.constants.COPYFILE_FICLONE_FORCE }));
  for (const name of ['dereference', 'errorOnExist', 'force', 'preserveTimestamps', 'recursive', 'verbatimSymlinks', 'mode']) once(`cp with wrong ${name}`, { a: 'x' }, (at) => fs.cpSync(`${at}/a`, `${at}/b`, { [name]: 'x' }));
}

async function globs() {
  const at = fresh({ 'a.js': '', 'b.js': '', 'c.ts': '', '.hidden': '', sub: null });
  fs.mkdirSync(`${at}/sub/deep`);
  for (const name of ['sub/d.js', 'sub/deep/e.js', 'sub/deep/f.txt']) fs.writeFileSync(`${at}/${name}`, '');
  for (const pattern of ['*', '*.js', '**', '**/*.js', 'sub/*', 'sub/**', '*.{js,ts}', '[ab].js', '[!a].js', '?.js', '.*', 'nope/*', '+(a|b).js', '!(a).js', './*.js', 'sub/../*.js', '**/deep/**', '']) {
    check(`globs: ${pattern}`, () => sorted(fs.globSync(pattern, { cwd: at })));
    check(`globs: match ${pattern}`, () => ['a.js', 'sub/d.js', '.hidden', 'sub/deep/f.txt'].map((name) => path.matchesGlob(name, pattern)));
  }
  check('globs: several', () => sorted(fs.globSync(['*.js', '*.ts'], { cwd: at })));
  check('globs: by a URL', () => sorted(fs.globSync('*.js', { cwd: new URL(`file://${at}`) })));
  check('globs: without a folder', () => { process.chdir(at); const found = sorted(fs.globSync('*.js')); process.chdir('/bundle'); return found; });
  check('globs: absolute', () => sorted(fs.globSync(`${at}/*.js`)));
  check('globs: excluded', () => sorted(fs.globSync('**', { cwd: at, exclude: ['sub/**'] })));
  check('globs: excluded by a function', () => sorted(fs.globSync('**', { cwd: at, exclude: (name) => name.includes('deep') })));
  check('globs: with types', () => fs.globSync('**', { cwd: at, withFileTypes: true }).map((entry) => `${entry.parentPath.replace(at, '')}/${entry.name} ${kinds(entry)}`).sort());
  check('globs: of a number', () => fs.globSync(5));
  check('globs: of a number in a list', () => fs.globSync([5]));
  check('globs: wrong folder', () => fs.globSync('*', { cwd: 5 }));
  await later('globs: called', () => called(fs.glob, '*.js', { cwd: at }).then(([found]) => sorted(found)));
  await later('globs: promised', async () => { const found = []; for await (const name of promises.glob('*.js', { cwd: at })) found.push(name); return sorted(found); });
}
