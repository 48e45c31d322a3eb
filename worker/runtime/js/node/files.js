// The files that an app sees, all of them in memory: /bundle with its modules, /tmp of the request, and devices in /dev. This is
// the tree, and how a path leads through it. What can be done with files is in files_open.js, files_change.js and files_copy.js.
//
// As on Workers, a path is that of a URL, so the name of a file has its special characters percent-encoded.
(function () {
  const { core, primordials } = __bootstrap;
  const {
    ArrayPrototypeJoin,
    ArrayPrototypePush,
    Error,
    MathMax,
    MathMin,
    NumberParseInt,
    SafeMap,
    SafeSet,
    StringFromCharCode,
    StringPrototypeIncludes,
    StringPrototypeLastIndexOf,
    StringPrototypeReplace,
    StringPrototypeSlice,
    StringPrototypeSplit,
    StringPrototypeToUpperCase,
    TypeError,
    TypedArrayPrototypeSet,
    TypedArrayPrototypeSubarray,
    Uint8Array,
  } = primordials;
  const { op_files_bundled, op_files_grow, op_files_keep, op_files_of, op_files_read, op_files_shrink } = core.ops;

  /** Longest path, most folders in it, and most links on the way to a file: those of Workers. */
  const MAX_PATH = 4096;
  const MAX_DEPTH = 48;
  const MAX_LINKS = 256;
  /** Greatest size of a file, in bytes: that of Workers. */
  const MAX_FILE = 128 * 1024 * 1024;
  /** Room that a file gets at least when it grows, in bytes. */
  const LEAST_ROOM = 64;

  const MESSAGES = {
    __proto__: null,
    EBADF: "bad file descriptor",
    EEXIST: "file already exists",
    EFBIG: "file too large",
    EINVAL: "invalid argument",
    EIO: "i/o error",
    EISDIR: "illegal operation on a directory",
    ELOOP: "symlink depth exceeded",
    ENOENT: "no such file or directory",
    ENOSPC: "no space left on device",
    ENOTDIR: "not a directory",
    ENOTEMPTY: "directory not empty",
    EPERM: "operation not permitted",
  };

  /** Creates an error. A path is named in the text unless a text is given. */
  function failure(code, syscall, path, text) {
    const says = text ?? MESSAGES[code];
    const names = path !== undefined && text === undefined && code !== "ELOOP";
    const error = new Error(names ? `${says}, ${syscall} '${path}'` : says);
    error.code = code;
    error.syscall = syscall;
    if (path !== undefined) error.path = path;
    return error;
  }

  /** A folder. Those that an app cannot change are not writable. */
  class Folder {
    type = "directory";
    entries = new SafeMap();
    /** How many entries there are of it. The renaming of a link to a folder adds one. */
    #holders = 0;
    constructor(writable) {
      this.writable = writable;
    }
    held(change) {
      this.#holders += change;
      if (this.#holders === 0) this.entries.forEach(release);
    }
    /** Adds an entry. Returns the code of the error if it cannot. */
    add(name, node) {
      if (!this.writable) return "EPERM";
      if (name === "") return "EINVAL";
      if (this.entries.has(name)) return "EEXIST";
      this.entries.set(name, node);
      node.held?.(1);
    }
    /** Removes an entry. Returns the code of the error if it cannot. That there is none is no error. */
    remove(name, isRecursive) {
      if (!this.writable) return "EPERM";
      const node = this.entries.get(name);
      if (node === undefined) return undefined;
      if (node.type === "directory" && node.entries.size > 0 && !isRecursive) return "ENOTEMPTY";
      this.entries.delete(name);
      release(node);
    }
  }

  /** Gives back the room of what has lost an entry, unless it has others. */
  const release = (node) => node.held?.(-1);

  /** A file in /tmp. */
  class File {
    type = "file";
    writable = true;
    device = false;
    modified = 0n;
    size = 0;
    /** Its bytes, and room behind them. */
    #bytes = new Uint8Array();
    /** How many entries and descriptors there are of it. Without any, its room is given back. */
    #holders = 0;
    #store;

    constructor(store) {
      this.#store = store;
    }
    held(change) {
      this.#holders += change;
      if (this.#holders === 0) this.#shrink(0);
    }
    #shrink(size) {
      op_files_shrink(this.#store.id, this.#bytes.length - size);
      this.#keep(size);
    }
    #keep(room) {
      const bytes = new Uint8Array(room);
      const kept = this.size < room ? this.size : room;
      TypedArrayPrototypeSet(bytes, TypedArrayPrototypeSubarray(this.#bytes, 0, kept));
      this.#bytes = bytes;
    }
    /** Makes it as long as this, with room for as many bytes if they may be had. Returns the code of the error if it cannot. */
    resize(size, room = size) {
      if (size > MAX_FILE) return "EFBIG";
      const now = this.#bytes.length;
      if (size > now) {
        const granted = op_files_grow(this.#store.id, size - now, room - now);
        if (granted === 0) return "ENOSPC";
        this.#keep(now + granted);
      } else if (size < this.size) {
        this.#shrink(size);
      }
      this.size = size;
    }
    read(at, into) {
      if (at >= this.size) return 0;
      const part = TypedArrayPrototypeSubarray(this.#bytes, at, MathMin(at + into.length, this.size));
      TypedArrayPrototypeSet(into, part);
      return part.length;
    }
    write(at, bytes) {
      const end = at + bytes.length;
      if (end > this.size) {
        // Room for what follows, so that many small writes do not copy the file each time.
        const more = this.size === 0 ? 0 : MathMax(LEAST_ROOM, this.#bytes.length + (this.#bytes.length >> 1));
        const error = this.resize(end, MathMax(end, more));
        if (error !== undefined) return error;
      }
      TypedArrayPrototypeSet(this.#bytes, bytes, at);
    }
    /** Replaces all of it. */
    replace(bytes) {
      const error = this.resize(bytes.length);
      if (error !== undefined) return error;
      TypedArrayPrototypeSet(this.#bytes, bytes);
    }
    all() {
      return new Uint8Array(TypedArrayPrototypeSubarray(this.#bytes, 0, this.size));
    }
    touch(time) {
      this.modified = time;
    }
  }

  /** A module of the app. It is read when it is asked for, and when it is opened. */
  class Module {
    type = "file";
    writable = false;
    device = false;
    modified = 0n;
    #name;
    #bytes;
    constructor(name, bytes = undefined) {
      this.#name = name;
      this.#bytes = bytes;
    }
    #now() {
      if (this.#bytes !== undefined) return this.#bytes;
      try {
        return op_files_read(this.#name);
      } catch {
        // It is no longer there, or unreadable.
        throw failure("EIO", "read");
      }
    }
    opened() {
      return new Module(this.#name, this.#now());
    }
    get size() {
      return this.#now().length;
    }
    all() {
      return new Uint8Array(this.#now());
    }
    read(at, into) {
      const bytes = this.#now();
      if (at >= bytes.length) return 0;
      const part = TypedArrayPrototypeSubarray(bytes, at, at + into.length);
      TypedArrayPrototypeSet(into, part);
      return part.length;
    }
    resize() {
      return "EPERM";
    }
    write() {
      return "EPERM";
    }
    replace() {
      return "EPERM";
    }
    touch() {}
  }

  /** A symbolic link, to the names on the way from the root. */
  class Link {
    type = "symlink";
    writable = false;
    device = false;
    modified = 0n;
    size = 0;
    constructor(target) {
      this.target = target;
    }
  }

  /** What one request has: its /tmp, its working directory, and its descriptors. What runs while the app loads has one, too. */
  class Store {
    cwd = "/bundle";
    opened = new SafeMap();
    constructor(id) {
      this.id = id;
      this.tmp = new Folder(id !== OF_NONE);
      // By the root.
      this.tmp.held(1);
    }
  }
  /** Of what runs for no request: its /tmp is empty and stays so. */
  const OF_NONE = -1;
  const RUNS_FOR_NONE = new Store(OF_NONE);
  /** The descriptors that the app opened while it was loaded, which are there for every request. */
  let openedAtLoad;

  function store() {
    const id = core.getAsyncContext()?.request ?? 0;
    const kept = op_files_of(id);
    if (kept === null) return RUNS_FOR_NONE;
    if (kept !== undefined) return kept;
    const made = new Store(id);
    if (id === 0) openedAtLoad = made.opened;
    op_files_keep(id, made);
    return made;
  }

  const dev = new Folder(false);
  let bundle = new Folder(false);
  /** The names on the way to the app's folder. Modules know themselves by it (`import.meta.url`, `__dirname`). */
  let home = [];
  let bundled = -1;

  /** Returns /bundle, with the modules that have been loaded so far. */
  function bundleNow() {
    const listed = op_files_bundled(bundled);
    if (listed === null) return bundle;
    bundle = new Folder(false);
    home = namesOf(listed[0]);
    bundled = listed.length - 1;
    for (let i = 1; i < listed.length; i++) {
      const names = namesOf(listed[i]);
      let folder = bundle;
      for (let j = 0; j < names.length - 1; j++) {
        if (!folder.entries.has(names[j])) folder.entries.set(names[j], new Folder(false));
        folder = folder.entries.get(names[j]);
      }
      folder.entries.set(names[names.length - 1], new Module(listed[i]));
    }
    return bundle;
  }

  /** Returns the root. It is made anew, since what it has depends on who asks. */
  function root() {
    const made = new Folder(false);
    made.entries.set("bundle", bundleNow());
    made.entries.set("tmp", store().tmp);
    made.entries.set("dev", dev);
    return made;
  }

  /** Returns the names on the way that a path describes, without the empty ones. */
  function namesOf(path) {
    const parts = StringPrototypeSplit(path, "/");
    const names = [];
    for (let i = 0; i < parts.length; i++) {
      if (parts[i] !== "") ArrayPrototypePush(names, parts[i]);
    }
    return names;
  }

  /** One spelling for each name: what need not be encoded is not, and the rest is in upper case. */
  function normal(path) {
    return StringPrototypeReplace(path, /%[0-9a-f]{2}/gi, (escape) => {
      const byte = NumberParseInt(StringPrototypeSlice(escape, 1), 16);
      const character = StringFromCharCode(byte);
      const isPlain = byte > 0x20 && byte < 0x7f && !StringPrototypeIncludes('"#%/<>?^`{}', character);
      return isPlain ? character : StringPrototypeToUpperCase(escape);
    });
  }

  /** The path of a URL as an absolute one. */
  function pathOf(url) {
    if (url.protocol !== "file:") throw new TypeError("File path must be a file: URL");
    if (url.host !== "") throw new Error("File path must not have a host");
    const path = normal(url.pathname);
    if (path.length > MAX_PATH) throw new Error("File path is too long");
    if (StringPrototypeSplit(path, "/").length - 1 > MAX_DEPTH) throw new Error("File path has too many segments");
    return path;
  }

  /** Splits a path into that of the folder and the last name. A slash at the end does not matter. */
  function split(path) {
    const whole = StringPrototypeSlice(path, -1) === "/" ? StringPrototypeSlice(path, 0, -1) : path;
    const end = StringPrototypeLastIndexOf(whole, "/") + 1;
    return { base: StringPrototypeSlice(whole, 0, end), name: StringPrototypeSlice(whole, end) };
  }

  function isBelow(names, folder) {
    if (folder.length === 0 || names.length < folder.length) return false;
    for (let i = 0; i < folder.length; i++) {
      if (names[i] !== folder[i]) return false;
    }
    return true;
  }

  /** Finds what a path leads to. Returns nothing if there is nothing, and "ELOOP" if links lead nowhere. */
  function find(path, follows = true) {
    return walk(namesOf(path), follows, new SafeSet());
  }

  function walk(names, follows, seen) {
    let at = root();
    let first = 0;
    if (isBelow(names, home)) {
      at = bundle;
      first = home.length;
    }
    for (let i = first; i < names.length; i++) {
      if (at.type !== "directory") return undefined;
      at = at.entries.get(names[i]);
      if (at === undefined) return undefined;
      if (at.type !== "symlink") continue;
      if (!follows) return i === names.length - 1 ? at : undefined;
      at = resolve(at, seen);
      if (at === undefined || at === "ELOOP") return at;
    }
    return at;
  }

  /** Finds what a link leads to. */
  function resolve(link, seen = new SafeSet()) {
    if (seen.has(link) || seen.size >= MAX_LINKS) return "ELOOP";
    seen.add(link);
    return walk(link.target, true, seen);
  }

  /** Finds what a path leads to. Throws if links lead nowhere; the error has the path that is `named`. */
  function lookUp(path, syscall, follows = true, named = undefined) {
    const node = find(path, follows);
    if (node === "ELOOP") throw failure("ELOOP", syscall, named);
    return node;
  }

  /** Throws if a change has failed with this code. */
  function done(code, syscall, path) {
    if (code === undefined) return;
    throw code === "EFBIG" ? failure("EPERM", syscall, undefined, "File size limit exceeded") : failure(code, syscall, path);
  }

  const openedAt = (fd) => store().opened.get(fd) ?? openedAtLoad?.get(fd);

  const cwd = () => store().cwd;

  /** Changes the working directory. As on Workers, an error names the path without its first slash. */
  function chdir(url) {
    const path = pathOf(url);
    const names = namesOf(path);
    const shown = StringPrototypeSlice(path, 1);
    const node = lookUp(path, "chdir");
    if (node === undefined) throw failure("ENOENT", "chdir", shown);
    if (node.type !== "directory") throw failure("ENOTDIR", "chdir", shown);
    const here = store();
    if (here === RUNS_FOR_NONE) throw failure("EPERM", "chdir", shown);
    here.cwd = `/${ArrayPrototypeJoin(names, "/")}`;
  }

  return {
    File,
    Folder,
    Link,
    chdir,
    cwd,
    dev,
    done,
    failure,
    find,
    lookUp,
    namesOf,
    openedAt,
    pathOf,
    resolve,
    split,
    store,
  };
})();
