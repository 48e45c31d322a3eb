// What changes folders of an app or lists them: entries made, removed, renamed, linked.
(function () {
  const { core, primordials } = __bootstrap;
  const { ArrayPrototypeJoin, ArrayPrototypePush, ArrayPrototypeSlice, SafeArrayIterator, SafeSet, StringPrototypeStartsWith } = primordials;
  const { File, Folder, Link, done, failure, find, lookUp, namesOf, pathOf, resolve, split, store } = core
    .loadExtScript("ext:nano_node/files.js");

  // The kinds of entries, by the numbers of Node.
  const FILE = 1;
  const FOLDER = 2;
  const LINK = 3;
  const DEVICE = 6;

  const absolute = (names) => `/${ArrayPrototypeJoin(names, "/")}`;

  /** The folder in which something is to change. `missing` is the path that an error names if there is none. */
  function parentOf(base, syscall, missing) {
    const parent = lookUp(base, syscall);
    if (parent === undefined) throw failure("ENOENT", syscall, missing);
    if (parent.type !== "directory") throw failure("ENOTDIR", syscall);
    return parent;
  }

  function readLink(url, { failIfNotSymlink }) {
    const path = pathOf(url);
    const node = lookUp(path, "readlink", false);
    if (node === undefined) throw failure("ENOENT", "readlink", path);
    if (node.type === "symlink") return absolute(node.target);
    if (failIfNotSymlink) throw failure("EINVAL", "readlink");
    return absolute(namesOf(path));
  }

  /** Creates a link at `from` to `to`. */
  function link(from, to, { symbolic }) {
    const path = pathOf(from);
    const target = pathOf(to);
    if (lookUp(path, "link") !== undefined) throw failure("EEXIST", "link", undefined, "File already exists");
    const { base, name } = split(path);
    const parent = lookUp(base, "link");
    if (parent === undefined) throw failure("ENOENT", "link", target, "Directory does not exist");
    if (parent.type !== "directory") throw failure("EINVAL", "link", undefined, "Not a directory");
    if (symbolic) return done(parent.add(name, new Link(namesOf(target))), "link");
    const node = lookUp(target, "link", false);
    if (node === undefined) throw failure("ENOENT", "link", target, "File not found");
    if (node.type === "directory") throw failure("EPERM", "link", undefined, "Cannot hardlink to a directory");
    done(parent.add(name, node), "link");
  }

  /** What an entry is, through links. */
  function entryOf(folder, name, syscall) {
    const node = folder.entries.get(name);
    const found = node?.type === "symlink" ? resolve(node) : node;
    if (found === "ELOOP") throw failure("ELOOP", syscall);
    return found;
  }

  function unlink(url) {
    const { base, name } = split(pathOf(url));
    const parent = lookUp(base, "unlink");
    if (parent === undefined) throw failure("ENOENT", "unlink", name, "File not found");
    if (parent.type !== "directory") throw failure("ENOTDIR", "unlink", undefined, "Parent path is not a directory");
    const node = name === "" ? parent : entryOf(parent, name, "unlink");
    if (node === undefined) throw failure("ENOENT", "unlink", name, "File not found");
    if (node.type === "directory") throw failure("EISDIR", "unlink", undefined, "Cannot unlink a directory");
    done(parent.remove(name, false), "unlink");
  }

  let folders = 0;

  function mkdir(url, { recursive, tmp }) {
    const path = pathOf(url);
    const node = lookUp(path, "mkdir", false);
    if (node !== undefined) {
      if (node.type === "directory") return undefined;
      throw failure("EEXIST", "mkdir");
    }
    if (recursive) return makeAll(namesOf(path));
    const { base, name } = split(path);
    const parent = parentOf(base, "mkdir", name);
    if (!parent.writable) throw failure("EPERM", "mkdir");
    const made = tmp ? `${name}${folders++}` : name;
    done(parent.add(made, new Folder(true)), "mkdir");
    return tmp ? `${base}${made}` : undefined;
  }

  /** Makes a folder and those above it. Returns the path of the first one that was made, unless that is the folder itself. */
  function makeAll(names) {
    let first;
    let at = lookUp("/", "mkdir");
    for (let i = 0; i < names.length; i++) {
      const there = find(absolute(ArrayPrototypeSlice(names, 0, i + 1)));
      if (there === "ELOOP") throw failure("ELOOP", "mkdir");
      if (there !== undefined) {
        if (there.type !== "directory") throw failure("ENOTDIR", "mkdir");
        at = there;
        continue;
      }
      if (!at.writable) throw failure("EPERM", "mkdir");
      const made = new Folder(true);
      done(at.add(names[i], made), "mkdir");
      at = made;
      if (i < names.length - 1) first ??= absolute(ArrayPrototypeSlice(names, 0, i + 1));
    }
    return first;
  }

  function rm(url, { recursive, dironly }) {
    const { base, name } = split(pathOf(url));
    const parent = lookUp(base, "rm");
    if (parent === undefined) throw failure("ENOENT", "rm", name);
    if (parent.type !== "directory") throw failure("ENOTDIR", "rm", name);
    if (!parent.writable) throw failure("EPERM", "rm");
    if (dironly) {
      const node = entryOf(parent, name, "rm");
      if (node === undefined) throw failure("ENOENT", "rm", name);
      if (node.type !== "directory") throw failure("ENOTDIR", "rm");
    }
    done(parent.remove(name, recursive), "rm", name);
  }

  /** Copies a file for the folder in which it goes. */
  function copied(node, syscall) {
    if (node.device) return node;
    const file = new File(store());
    done(file.replace(node.all()), syscall);
    return file;
  }

  function renameOrCopy(from, to, { copy }) {
    const syscall = copy ? "copy" : "rename";
    const source = pathOf(from);
    const target = split(pathOf(to));
    const parent = parentOf(target.base, syscall, target.name);
    const origin = split(source);
    let sourceParent;
    if (!copy) {
      sourceParent = parentOf(origin.base, syscall, origin.name);
      if (!sourceParent.writable) throw failure("EPERM", syscall);
    }
    const node = lookUp(source, syscall);
    if (node === undefined) throw failure("ENOENT", syscall, source);
    if (copy && node.type === "directory") throw failure("EISDIR", syscall);
    if (!parent.writable) throw failure("EPERM", syscall);
    const there = parent.entries.get(target.name);
    if (there === node || (there !== undefined && sourceParent?.entries.get(origin.name) === there)) return;
    if (node.type === "directory" && StringPrototypeStartsWith(target.base, `${absolute(namesOf(source))}/`)) {
      throw failure("EINVAL", syscall);
    }
    if (there?.type === "directory") {
      if (node.type !== "directory") throw failure("EISDIR", syscall);
      if (there.entries.size > 0) throw failure("ENOTEMPTY", syscall);
    } else if (there !== undefined && node.type === "directory") {
      throw failure("ENOTDIR", syscall);
    }
    const moved = copy ? copied(node, syscall) : node;
    done(parent.remove(target.name, false), syscall);
    done(parent.add(target.name, moved), syscall);
    // Its bytes are still held by the new entry.
    if (!copy) done(sourceParent.remove(origin.name, true), syscall);
  }

  function list(folder, names, isRecursive, entries, seen) {
    const parentPath = absolute(names);
    folder.entries.forEach((node, key) => {
      const path = [...new SafeArrayIterator(names), key];
      const name = isRecursive ? ArrayPrototypeJoin(path, "/") : key;
      const type = node.type === "directory" ? FOLDER : node.type === "symlink" ? LINK : node.device ? DEVICE : FILE;
      ArrayPrototypePush(entries, { name, parentPath, type });
      if (!isRecursive) return;
      let inside = node;
      if (type === LINK) {
        if (seen.has(node)) throw failure("ELOOP", "readdir");
        seen.add(node);
        inside = resolve(node);
        if (inside === "ELOOP") throw failure("ELOOP", "readdir");
      }
      if (inside?.type === "directory") list(inside, path, true, entries, seen);
      if (type === LINK) seen.delete(node);
    });
    return entries;
  }

  function readdir(url, { recursive }) {
    const path = pathOf(url);
    const node = lookUp(path, "readdir", false);
    if (node === undefined) throw failure("ENOENT", "readdir", path);
    if (node.type === "symlink") throw failure("EINVAL", "readdir", path);
    if (node.type !== "directory") throw failure("ENOTDIR", "readdir", path);
    return list(node, namesOf(path), recursive, [], new SafeSet());
  }

  return { absolute, copied, link, makeAll, mkdir, readLink, readdir, renameOrCopy, rm, unlink };
})();
