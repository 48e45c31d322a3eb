"""Installs the peers from npm and the tools from Debian. Nothing starts by itself afterwards."""
import os
import shutil
import subprocess

from errors import BenchError

# Each package brings its binary in a package for the platform; only that is used, so no install script has to run.
NPM = ["deno@2.9.6", "workerd@1.20261117.1", "bun@1.4.5"]
TOOLS = {"wrk": "wrk", "perf": "linux-perf"}  # program: Debian package


def install(peers):
    peers.mkdir(parents=True, exist_ok=True)
    require("npm", "install Node.js with npm first")
    run(["npm", "install", "--prefix", peers, "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", *NPM])
    require("apt-get", "install wrk, perf and nginx with the system's package manager")
    wanted = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    run(["apt-get", "update", "-q"])
    if wanted:
        run(["apt-get", "install", "-y", "--no-install-recommends", *wanted])
    if not (peers / "nginx").exists():
        install_nginx(peers)
    print(f"peers are in {peers}; now run scripts/bench")


def install_nginx(peers):
    """Unpacks the package rather than installing it, which would start a web server on port 80."""
    packages = peers / "packages"
    packages.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(packages, "_apt")  # apt-get downloads as this user
    run(["apt-get", "download", "nginx"], cwd=packages)
    for package in packages.glob("nginx_*.deb"):
        run(["dpkg-deb", "-x", package, peers / "nginx"])
    shutil.rmtree(packages)


def require(program, hint):
    if not shutil.which(program):
        raise BenchError(f"{program} is missing: {hint}")


def run(command, cwd=None):
    """Runs a command with its output shown; a failure ends the benchmark."""
    done = subprocess.run(command, cwd=cwd, timeout=900)
    if done.returncode != 0:
        raise BenchError(f"`{' '.join(map(str, command))}` failed; --install-peers needs npm, Debian and root")
