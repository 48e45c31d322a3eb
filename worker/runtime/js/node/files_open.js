// What is done with one file of an app: opened, read, written, asked about.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    BigInt,
    DatePrototypeGetTime,
    Number,
    NumberIsNaN,
    TypeError,
    Uint8Array,
  } = primordials;
  const { File, done, failure, lookUp, openedAt, pathOf, split, store } = core.loadExtScript("ext:nano_node/files.js");
  const { STDIO } = core.loadExtScript("ext:nano_node/files_devices.js");
  const { Blob } = core.loadExtScript("ext:deno_web/09_file.js");

  /** Greatest position in a file. */
  const MAX_POSITION = 0xffff_ffff;
  const NANOSECONDS = 1_000_000n;

  let nextFd = STDIO.length;

  /** A file that is open. */
  class Opened {
    position = 0;
    constructor(node, { read, write, append }) {
      this.node = node;
      this.reads = read;
      this.writes = write;
      this.appends = append;
    }
  }
  const STANDARD = { read: true, write: true, append: true };

  function opened(fd, syscall) {
    if (fd < STDIO.length) return new Opened(STDIO[fd], STANDARD);
    const found = openedAt(fd);
    if (found === undefined) throw failure("EBADF", syscall);
    return found;
  }

  const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

  /** What is at a path or behind a descriptor. */
  function nodeOf(pathOrFd, syscall, follows) {
    if (typeof pathOrFd === "number") return opened(pathOrFd, syscall).node;
    return lookUp(pathOf(pathOrFd), syscall, follows);
  }

  function stat(pathOrFd, { followSymlinks = true }) {
    const node = nodeOf(pathOrFd, typeof pathOrFd === "number" ? "fstat" : "stat", followSymlinks);
    if (node === undefined) return undefined;
    const { device = false, modified = 0n, size = 0, type, writable } = node;
    return { type, size, lastModified: modified, created: 0n, writable, device };
  }

  function setLastModified(pathOrFd, date, { followSymlinks = true }) {
    const time = DatePrototypeGetTime(date);
    if (NumberIsNaN(time)) throw new TypeError("The value cannot be converted because it is not a valid Date.");
    const node = nodeOf(pathOrFd, "futimes", followSymlinks);
    if (node === undefined) throw failure("ENOENT", "utimes", pathOf(pathOrFd));
    // That of a folder or a link never changes.
    done(node.touch?.(BigInt(time) * NANOSECONDS), "futimes");
  }

  function truncate(pathOrFd, size) {
    const node = nodeOf(pathOrFd, "ftruncate");
    if (node === undefined) throw failure("ENOENT", "ftruncate", pathOf(pathOrFd));
    if (node.type === "directory") throw failure("EISDIR", "ftruncate");
    done(node.resize(size), "ftruncate");
  }

  function open(url, options) {
    const path = pathOf(url);
    let node = lookUp(path, "open", options.followSymlinks, path);
    if (node === undefined) {
      const { base, name } = split(path);
      const parent = lookUp(base, "open");
      if (parent === undefined) throw failure("ENOENT", "open", path);
      if (parent.type !== "directory") throw failure("ENOTDIR", "open", path);
      if (!options.create) throw failure("ENOENT", "open", path);
      node = new File(store());
      done(parent.add(name, node), "open", path);
    } else {
      if (options.create && options.exclusive) throw failure("EEXIST", "open", path);
      if (options.write && node.type === "directory") throw failure("EISDIR", "open", path);
      if (options.write && !node.writable) throw failure("EPERM", "open", path);
      if (options.write && options.truncate && !node.device) done(node.resize(0), "open", path);
    }
    node.held?.(1);
    store().opened.set(nextFd, new Opened(node.opened?.() ?? node, options));
    return nextFd++;
  }

  function close(fd) {
    const { opened } = store();
    opened.get(fd)?.node.held?.(-1);
    opened.delete(fd);
  }

  /** What a FileHandle keeps. */
  const getFdHandle = (fd) => ({ close: () => close(fd) });

  function positionOf(file, position, syscall) {
    const at = position ?? file.position;
    if (at > MAX_POSITION) throw failure("EINVAL", syscall, undefined, "position out of range");
    return typeof at === "bigint" ? Number(at) : at;
  }

  function write(fd, views, { position }) {
    const file = opened(fd, "write");
    const { node } = file;
    if (node.type === "directory") throw failure("EISDIR", "write");
    if (!file.writes) throw failure("EBADF", "write");
    let at = file.appends ? node.size : positionOf(file, position, "write");
    let total = 0;
    for (let i = 0; i < views.length; i++) {
      const bytes = bytesOf(views[i]);
      done(node.write(at, bytes), "write");
      at += bytes.length;
      total += bytes.length;
    }
    if (position == null && !file.appends) file.position += total;
    return total;
  }

  function read(fd, views, { position }) {
    const file = opened(fd, "read");
    const { node } = file;
    if (!file.reads) throw failure("EBADF", "read");
    if (node.type === "directory") throw failure("EISDIR", "read");
    let at = positionOf(file, position, "read");
    let total = 0;
    for (let i = 0; i < views.length; i++) {
      const bytes = bytesOf(views[i]);
      const length = node.read(at, bytes);
      at += length;
      total += length;
      if (length < bytes.length) break;
    }
    if (position == null) file.position += total;
    return total;
  }

  function readAll(pathOrFd) {
    if (typeof pathOrFd === "number") {
      const file = opened(pathOrFd, "fread");
      if (!file.reads || file.node.type === "directory") throw failure("EBADF", "fread");
      const bytes = file.node.all();
      file.position = bytes.length;
      return bytes;
    }
    const path = pathOf(pathOrFd);
    const node = lookUp(path, "readAll");
    if (node === undefined) throw failure("ENOENT", "readAll", path);
    if (node.type === "directory") throw failure("EISDIR", "readAll");
    return node.all();
  }

  function writeOpened(fd, bytes, append) {
    const file = opened(fd, "fwrite");
    const { node } = file;
    if (!file.writes || node.type === "directory") throw failure("EBADF", "fwrite");
    if (file.appends || append) done(node.write(node.size, bytes), "write");
    else done(node.replace(bytes), "fwriteAll");
    file.position = node.size;
  }

  function writeAll(pathOrFd, data, { append, exclusive }) {
    const bytes = bytesOf(data);
    if (typeof pathOrFd === "number") {
      writeOpened(pathOrFd, bytes, append);
      return bytes.length;
    }
    const path = pathOf(pathOrFd);
    const node = lookUp(path, "writeAll");
    if (node !== undefined) {
      if (exclusive) throw failure("EEXIST", "writeAll");
      if (node.type === "directory") throw failure("EISDIR", "writeAll");
      if (!node.writable) throw failure("EPERM", "writeAll");
      done(append ? node.write(node.size, bytes) : node.replace(bytes), "writeAll");
      return bytes.length;
    }
    const { base, name } = split(path);
    const parent = lookUp(base, "writeAll");
    if (parent === undefined) throw failure("ENOENT", "writeAll", path);
    if (parent.type !== "directory") throw failure("ENOTDIR", "writeAll");
    if (!parent.writable) throw failure("EPERM", "writeAll");
    const file = new File(store());
    done(file.replace(bytes), "writeAll");
    const error = parent.add(name, file);
    if (error !== undefined) file.resize(0);
    done(error, "writeAll");
    return bytes.length;
  }

  function openAsBlob(url, { type }) {
    const path = pathOf(url);
    const node = lookUp(path, "open");
    if (node === undefined) throw failure("ENOENT", "open", path);
    if (node.type === "directory") throw failure("EISDIR", "open");
    return new Blob([node.all()], { type });
  }

  /** Whether the scripts write what goes to the descriptors 1 and 2 to the console, and what they put before each line. */
  const tsStdio = () => true;
  const stdioPrefix = () => "";

  return {
    close,
    getFdHandle,
    open,
    openAsBlob,
    read,
    readAll,
    setLastModified,
    stat,
    stdioPrefix,
    truncate,
    tsStdio,
    write,
    writeAll,
  };
})();
