#!/usr/bin/env python3
"""Fetch the published package of workerd, and take its scripts of some modules of Node into third_party/workerd.

    scripts/vendor_workerd.py

Through npm, which compares the package with the registry's checksum. See third_party/workerd/README.md.
"""
import hashlib, pathlib, re, struct, subprocess, tarfile, tempfile

PACKAGE = "@cloudflare/workerd-linux-64"
VERSION = "1.20261117.1"  # of workerd in tests/npm/package.json, with which the tests compare
MODULES = {
    "node:fs": "fs",
    "node:fs/promises": "fs_promises",
    "node:net": "net",
    "node:tls": "tls",
    "node-internal:internal_errors": None,
    "node-internal:internal_fs": None,
    "node-internal:internal_fs_callback": None,
    "node-internal:internal_fs_constants": None,
    "node-internal:internal_fs_glob": None,
    "node-internal:internal_fs_promises": None,
    "node-internal:internal_fs_stdio": None,
    "node-internal:internal_fs_streams": None,
    "node-internal:internal_fs_sync": None,
    "node-internal:internal_fs_utils": None,
    "node-internal:internal_glob_pattern": None,
    "node-internal:internal_net": None,
    "node-internal:internal_tls": None,
    "node-internal:internal_tls_common": None,
    "node-internal:internal_tls_constants": None,
    "node-internal:internal_tls_wrap": None,
    "node-internal:validators": None,
}

folder = pathlib.Path(__file__).resolve().parent.parent / "third_party/workerd"


def listed(binary, at):
    """The bytes of the list of Cap'n Proto to which the pointer at a position points."""
    low, high = struct.unpack_from("<iI", binary, at)
    assert low & 3 == 1 and high & 7 == 2, "not a list of bytes"
    start = at + 8 + (low >> 2) * 8
    return binary[start : start + (high >> 3)]


def source(binary, name):
    """The source of a module. Each is a struct of pointers: to its name, then to its source."""
    text = name.encode() + b"\0"
    for found in re.finditer(re.escape(text), binary):
        # The name follows its struct, behind the sources of some modules.
        for at in range(found.start() - 8, max(found.start() - 8_000_000, 0), -8):
            low, high = struct.unpack_from("<iI", binary, at)
            if low & 3 == 1 and high == len(text) << 3 | 2 and at + 8 + (low >> 2) * 8 == found.start():
                return listed(binary, at + 8)
    raise SystemExit(f"{PACKAGE} has no module {name}")


def main():
    with tempfile.TemporaryDirectory() as download:
        pack = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"]
        subprocess.run(pack, check=True, cwd=download, stdout=subprocess.DEVNULL)
        with tarfile.open(next(pathlib.Path(download).glob("*.tgz"))) as package:
            binary = package.extractfile("package/bin/workerd").read()
    for old in folder.glob("*.js"):
        old.unlink()
    sums = []
    for module, file in MODULES.items():
        script = source(binary, module)
        assert b"Cloudflare" in script[:200], f"{module} does not begin with its licence"
        name = f"{file or module.split(':')[1]}.js"
        (folder / name).write_bytes(script)
        sums.append(f"{hashlib.sha256(script).hexdigest()}  {name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums))
    print(f"{folder}: {len(sums)} scripts of {PACKAGE} {VERSION}")


main()
