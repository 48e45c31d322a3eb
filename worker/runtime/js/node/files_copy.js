// fs.cp: copies files, links and whole folders of an app.
(function () {
  const { core, primordials } = __bootstrap;
  const { Error, StringPrototypeStartsWith } = primordials;
  const { Folder, done, failure, lookUp, namesOf, pathOf, resolve, split } = core.loadExtScript("ext:nano_node/files.js");
  const { absolute, copied, makeAll } = core.loadExtScript("ext:nano_node/files_change.js");

  function coded(code, text) {
    const error = new Error(text);
    error.code = code;
    return error;
  }

  /** The folder at a path. It is made if it is not there. */
  function folderAt(path) {
    const there = lookUp(path, "cp");
    if (there !== undefined) {
      if (there.type !== "directory") throw failure("ENOTDIR", "cp");
      return there;
    }
    try {
      makeAll(namesOf(path));
    } catch (error) {
      throw failure(error.code ?? "EINVAL", "cp");
    }
    return lookUp(path, "cp");
  }

  const copyOf = (node) => node.type === "symlink" ? node : copied(node, "cp");

  function put(folder, name, node) {
    done(folder.remove(name, false), "cp");
    done(folder.add(name, copyOf(node)), "cp");
  }

  /** What is in the way of an entry. */
  function there(folder, name, { deferenceSymlinks }) {
    const node = folder.entries.get(name);
    if (node?.type !== "symlink" || !deferenceSymlinks) return node;
    const found = resolve(node);
    if (found === "ELOOP") throw failure("ELOOP", "cp");
    return found;
  }

  function copyInto(source, target, options) {
    if (!target.writable) throw failure("EPERM", "cp", undefined, "Destination directory is not writable");
    if (source === target) throw failure("EINVAL", "cp", undefined, "Source and destination directories are the same");
    source.entries.forEach((node, name) => {
      const existing = there(target, name, options);
      if (node.type === "directory") return copyFolder(node, target, name, existing, options);
      if (existing === undefined) return done(target.add(name, copyOf(node)), "cp");
      if (existing.type === "directory") {
        const what = node.type === "symlink" ? "link" : "file";
        throw failure("EISDIR", "cp", undefined, `Cannot copy ${what} to directory: ${name}`);
      }
      if (existing === node) return;
      if (options.force) put(target, name, node);
      else if (options.errorOnExist) throw failure("EEXIST", "cp", undefined, `Destination already exists: ${name}`);
    });
  }

  function copyFolder(node, target, name, existing, options) {
    if (existing === undefined) {
      const made = new Folder(true);
      done(target.add(name, made), "cp");
      copyInto(node, made, options);
    } else if (existing.type === "directory") {
      copyInto(node, existing, options);
    } else if (existing.type === "symlink") {
      throw failure("EISDIR", "cp", undefined, `Cannot copy directory to symbolic link: ${name}`);
    } else {
      throw failure("ENOTDIR", "cp", undefined, `Cannot copy directory to file: ${name}`);
    }
  }

  function cp(from, to, options) {
    const source = pathOf(from);
    const target = pathOf(to);
    const names = absolute(namesOf(source));
    const into = absolute(namesOf(target));
    if (names === into) throw new Error("Source and destination paths must not be the same");
    const node = lookUp(source, "cp", options.deferenceSymlinks);
    const existing = lookUp(target, "cp", options.deferenceSymlinks);
    if (node === undefined) throw failure("ENOENT", "cp", source);
    if (node.type === "directory") {
      if (StringPrototypeStartsWith(into, `${names}/`)) {
        throw coded("ERR_FS_CP_EINVAL", `Cannot copy '${names}' to a subdirectory of itself, '${into}'`);
      }
      if (!options.recursive) throw coded("ERR_FS_EISDIR", "Expected a file but found a directory");
      if (existing?.type === "symlink") throw failure("ENOTDIR", "cp");
      if (existing !== undefined && existing.type !== "directory") {
        throw coded("ERR_FS_CP_DIR_TO_NON_DIR", "Cannot copy directory to non-directory");
      }
      return copyInto(node, existing ?? folderAt(target), options);
    }
    if (existing?.type === "directory") {
      if (node.type === "symlink") throw failure("ENOTDIR", "cp");
      throw coded("ERR_FS_CP_NON_DIR_TO_DIR", "Cannot copy non-directory to directory");
    }
    if (existing !== undefined && !options.force) {
      if (options.errorOnExist) throw coded("ERR_FS_CP_EEXIST", "File already exists");
      return;
    }
    const { base, name } = split(target);
    put(folderAt(base), name, node);
  }

  return { cp };
})();
