#!/usr/bin/env python3
"""Fetch the published package of workerd, and take its scripts of some modules of Node into third_party/workerd.

    scripts/vendor_workerd.py

Through npm, which compares the package with the registry's checksum. See third_party/workerd/README.md.
"""
import hashlib, pathlib, re, struct, subprocess, tarfile, tempfile

PACKAGE = "@cloudflare/workerd-linux-64"
VERSION = "1.20261117.1"  # of workerd in tests/npm/package.json, with which the tests compare
MODULES = {
    "cloudflare-internal:http": "cloudflare_http",
    "cloudflare:node": "cloudflare_node",
    "node:_http_agent": "_http_agent",
    "node:_http_client": "_http_client",
    "node:_http_common": "_http_common",
    "node:_http_incoming": "_http_incoming",
    "node:_http_outgoing": "_http_outgoing",
    "node:_http_server": "_http_server",
    "node:crypto": "node_crypto",  # beside `node-internal:crypto`, which is what it calls
    "node:dns": "dns",
    "node:dns/promises": "dns_promises",
    "node:fs": "fs",
    "node:fs/promises": "fs_promises",
    "node:http": "http",
    "node:https": "https",
    "node:net": "net",
    "node:test": "test",
    "node:tls": "tls",
    "node:vm": "vm",
    "node-internal:crypto_cipher": "crypto_cipher",
    "node-internal:crypto_dh": "crypto_dh",
    "node-internal:crypto_keys": "crypto_keys",
    "node-internal:crypto_random": "crypto_random",
    "node-internal:crypto_sign": "crypto_sign",
    "node-internal:crypto_spkac": "crypto_spkac",
    "node-internal:crypto_util": "crypto_util",
    "node-internal:crypto_x509": "crypto_x509",
    "node-internal:internal_dns": "internal_dns",
    "node-internal:internal_dns_constants": "internal_dns_constants",
    "node-internal:internal_dns_promises": "internal_dns_promises",
    "node-internal:internal_errors": "internal_errors",
    "node-internal:internal_fs": "internal_fs",
    "node-internal:internal_fs_callback": "internal_fs_callback",
    "node-internal:internal_fs_constants": "internal_fs_constants",
    "node-internal:internal_fs_glob": "internal_fs_glob",
    "node-internal:internal_fs_promises": "internal_fs_promises",
    "node-internal:internal_fs_stdio": "internal_fs_stdio",
    "node-internal:internal_fs_streams": "internal_fs_streams",
    "node-internal:internal_fs_sync": "internal_fs_sync",
    "node-internal:internal_fs_utils": "internal_fs_utils",
    "node-internal:internal_glob_pattern": "internal_glob_pattern",
    "node-internal:internal_http": "internal_http",
    "node-internal:internal_http_agent": "internal_http_agent",
    "node-internal:internal_http_client": "internal_http_client",
    "node-internal:internal_http_constants": "internal_http_constants",
    "node-internal:internal_http_incoming": "internal_http_incoming",
    "node-internal:internal_http_outgoing": "internal_http_outgoing",
    "node-internal:internal_http_server": "internal_http_server",
    "node-internal:internal_http_util": "internal_http_util",
    "node-internal:internal_https_agent": "internal_https_agent",
    "node-internal:internal_https_server": "internal_https_server",
    "node-internal:internal_net": "internal_net",
    "node-internal:internal_tls": "internal_tls",
    "node-internal:internal_tls_common": "internal_tls_common",
    "node-internal:internal_tls_constants": "internal_tls_constants",
    "node-internal:internal_tls_wrap": "internal_tls_wrap",
    "node-internal:mock": "mock",
    "node-internal:validators": "validators",
}
# Modules that name neither their authors nor a licence: that of the package holds.
WITHOUT_LICENCE = {"node-internal:internal_http_util"}

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
        assert b"Cloudflare" in script[:200] or module in WITHOUT_LICENCE, f"{module} does not begin with its licence"
        name = f"{file}.js"
        (folder / name).write_bytes(script)
        sums.append(f"{hashlib.sha256(script).hexdigest()}  {name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums))
    print(f"{folder}: {len(sums)} scripts of {PACKAGE} {VERSION}")


main()
