// node:fs and node:fs/promises: an app has no files. What asks whether there is one says no; the rest says why not.
(function () {
  const { core, primordials } = __bootstrap;
  const { queueMicrotask } = primordials;
  const { absent } = core.loadExtScript("ext:nano_node/absent.js");

  const NO_FILES = 'an app has no access to files; import what it needs, as in `import text from "./file.txt"`';

  // The numbers of Linux.
  const constants = {
    __proto__: null,
    UV_FS_SYMLINK_DIR: 1,
    UV_FS_SYMLINK_JUNCTION: 2,
    O_RDONLY: 0,
    O_WRONLY: 1,
    O_RDWR: 2,
    UV_DIRENT_UNKNOWN: 0,
    UV_DIRENT_FILE: 1,
    UV_DIRENT_DIR: 2,
    UV_DIRENT_LINK: 3,
    UV_DIRENT_FIFO: 4,
    UV_DIRENT_SOCKET: 5,
    UV_DIRENT_CHAR: 6,
    UV_DIRENT_BLOCK: 7,
    EXTENSIONLESS_FORMAT_JAVASCRIPT: 0,
    EXTENSIONLESS_FORMAT_WASM: 1,
    S_IFMT: 0o170000,
    S_IFREG: 0o100000,
    S_IFDIR: 0o040000,
    S_IFCHR: 0o020000,
    S_IFBLK: 0o060000,
    S_IFIFO: 0o010000,
    S_IFLNK: 0o120000,
    S_IFSOCK: 0o140000,
    O_CREAT: 0o100,
    O_EXCL: 0o200,
    UV_FS_O_FILEMAP: 0,
    O_NOCTTY: 0o400,
    O_TRUNC: 0o1000,
    O_APPEND: 0o2000,
    O_DIRECTORY: 0o200000,
    O_NOATIME: 0o1000000,
    O_NOFOLLOW: 0o400000,
    O_SYNC: 0o4010000,
    O_DSYNC: 0o10000,
    O_DIRECT: 0o40000,
    O_NONBLOCK: 0o4000,
    S_IRWXU: 0o700,
    S_IRUSR: 0o400,
    S_IWUSR: 0o200,
    S_IXUSR: 0o100,
    S_IRWXG: 0o070,
    S_IRGRP: 0o040,
    S_IWGRP: 0o020,
    S_IXGRP: 0o010,
    S_IRWXO: 0o007,
    S_IROTH: 0o004,
    S_IWOTH: 0o002,
    S_IXOTH: 0o001,
    F_OK: 0,
    R_OK: 4,
    W_OK: 2,
    X_OK: 1,
    UV_FS_COPYFILE_EXCL: 1,
    COPYFILE_EXCL: 1,
    UV_FS_COPYFILE_FICLONE: 2,
    COPYFILE_FICLONE: 2,
    UV_FS_COPYFILE_FICLONE_FORCE: 4,
    COPYFILE_FICLONE_FORCE: 4,
  };

  const promised = [
    "access", "appendFile", "chmod", "chown", "copyFile", "cp", "glob", "lchmod", "lchown", "link", "lstat", "lutimes",
    "mkdir", "mkdtemp", "open", "opendir", "readFile", "readdir", "readlink", "realpath", "rename", "rm", "rmdir", "stat",
    "statfs", "symlink", "truncate", "unlink", "utimes", "watch", "writeFile",
  ];
  const promises = { ...absent("fs.promises", NO_FILES, { promised, classes: ["FileHandle"] }), constants };

  const fs = {
    ...absent("fs", NO_FILES, {
      classes: ["Dir", "Dirent", "FileReadStream", "FileWriteStream", "ReadStream", "Stats", "WriteStream"],
      functions: [
        "access", "accessSync", "appendFile", "appendFileSync", "chmod", "chmodSync", "chown", "chownSync", "close",
        "closeSync", "copyFile", "copyFileSync", "cp", "cpSync", "createReadStream", "createWriteStream", "fchmod",
        "fchmodSync", "fchown", "fchownSync", "fdatasync", "fdatasyncSync", "fstat", "fstatSync", "fsync", "fsyncSync",
        "ftruncate", "ftruncateSync", "futimes", "futimesSync", "glob", "globSync", "lchmod", "lchmodSync", "lchown",
        "lchownSync", "link", "linkSync", "lstat", "lstatSync", "lutimes", "lutimesSync", "mkdir", "mkdirSync", "mkdtemp",
        "mkdtempSync", "open", "openAsBlob", "openSync", "opendir", "opendirSync", "read", "readFile", "readFileSync",
        "readSync", "readdir", "readdirSync", "readlink", "readlinkSync", "readv", "readvSync", "realpath", "realpathSync",
        "rename", "renameSync", "rm", "rmSync", "rmdir", "rmdirSync", "stat", "statSync", "statfs", "statfsSync", "symlink",
        "symlinkSync", "truncate", "truncateSync", "unlink", "unlinkSync", "unwatchFile", "utimes", "utimesSync", "watch",
        "watchFile", "write", "writeFile", "writeFileSync", "writeSync", "writev", "writevSync",
      ],
    }),
    F_OK: 0,
    R_OK: 4,
    W_OK: 2,
    X_OK: 1,
    constants,
    exists: (_path, callback) => queueMicrotask(() => callback(false)),
    existsSync: () => false,
    promises,
  };
  // Libraries reach for these through the functions.
  fs.realpath.native = fs.realpath;
  fs.realpathSync.native = fs.realpathSync;

  return { constants, fs, promises };
})();
