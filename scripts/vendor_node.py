#!/usr/bin/env python3
"""Fetch the published package that node: modules are made from, into third_party/node.

    scripts/vendor_node.py

Through cargo, which compares the package with the registry's checksum. See third_party/node/README.md.
"""
import hashlib, os, pathlib, subprocess, sys

PACKAGE = "deno_node"
VERSION = "0.198.0"  # of the same release as deno_core in Cargo.toml

folder = pathlib.Path(__file__).resolve().parent.parent / "third_party/node"


def main():
    # The one command of cargo that downloads a package without its dependencies.
    subprocess.run(["cargo", "info", "--quiet", f"{PACKAGE}@{VERSION}"], check=True, stdout=subprocess.DEVNULL)
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    name = f"{PACKAGE}-{VERSION}.crate"
    found = sorted(home.glob(f"registry/cache/*/{name}"))
    if not found:
        sys.exit(f"cargo has not downloaded {name} to {home}")
    package = found[0].read_bytes()
    for old in folder.glob(f"{PACKAGE}-*.crate"):
        old.unlink()
    (folder / name).write_bytes(package)
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(package).hexdigest()}  {name}\n")
    print(f"{folder / name}: {len(package)} bytes")


main()
