"""Sends one file with kith and with magic-wormhole, each over servers of its own on loopback, and prints the ratio.

Both are measured as their users run them: from the start of the sending command until the receiving command has ended with
the whole file on the disk. kith's relay stores the file durably in between; magic-wormhole streams it from process to process.

Usage: wormhole.py --kith PATH [--mebibytes N] [--rounds N]; needs the packages in wormhole-requirements.txt.
"""

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BAR = 2.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    for _ in range(200):
        if process.poll() is not None:
            sys.exit(f"a server ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    sys.exit("a server does not listen")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def start(stack, command, **options):
    """Starts a process that ends with the stack."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL} | options
    process = subprocess.Popen(command, **quiet)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


class Kith:
    """Two profiles that know each other, and a relay."""

    def __init__(self, stack, folder, program):
        self.program, self.folder = program, folder
        port = free_port()
        relay = start(
            stack,
            [program, "relay", "--listen", f"127.0.0.1:{port}", "--data", str(folder / "relay"),
             "--limit", "address-blob-mib-per-day=1000000"])
        wait_for(port, relay)
        for name in ("alice", "bob"):
            self.run(name, "init", "--yes", "--name", name)
        self.run("bob", "files", "--auto-download", "off")
        inviting = start(
            stack, [program, "invite", "--relay", f"127.0.0.1:{port}", "--wait"], env=self.environment("alice"),
            stdout=subprocess.PIPE, text=True)
        line = next(word for text in inviting.stdout for word in text.split() if word.startswith("kith:"))
        self.run("bob", "join", line, "--no-chat")
        inviting.wait()

    def environment(self, name):
        return os.environ | {"KITH_HOME": str(self.folder / name)}

    def run(self, name, *words):
        """Runs a command of one person, and returns what it prints."""
        done = subprocess.run(
            [self.program, *words], env=self.environment(name), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(f"kith {' '.join(words)}: {done.stderr}")
        return done.stdout

    def transfer(self, file, target):
        self.run("alice", "send", "bob", "--file", str(file), "--timeout", "10m")
        self.run("bob", "listen", "--conversation", "alice", "--once", "--timeout", "10m")
        newest = json.loads(self.run("bob", "files", "alice", "--limit", "1", "--json").splitlines()[0])
        self.run("bob", "get", "alice", str(newest["seq"]), "--save-to", str(target), "--timeout", "10m")


class Wormhole:
    """A mailbox server and a transit relay."""

    def __init__(self, stack, folder):
        self.folder = folder
        tools = pathlib.Path(sys.executable).parent
        self.program = str(tools / "wormhole")
        self.mailbox, self.transit = free_port(), free_port()
        for words in (
            ["wormhole-mailbox", f"--port=tcp:{self.mailbox}:interface=127.0.0.1", "--channel-db=:memory:"],
            ["transitrelay", f"--port=tcp:{self.transit}:interface=127.0.0.1"],
        ):
            server = start(stack, [str(tools / "twist"), *words], cwd=folder)
            wait_for(self.mailbox if "mailbox" in words[0] else self.transit, server)
        self.count = 0

    def transfer(self, file, target):
        self.count += 1
        code = f"{self.count}-bench-mark"
        servers = [
            self.program, "--relay-url", f"ws://127.0.0.1:{self.mailbox}/v1",
            "--transit-helper", f"tcp:127.0.0.1:{self.transit}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        sending = subprocess.Popen([*servers, "send", "--hide-progress", "--code", code, str(file)], **quiet)
        subprocess.run(
            [*servers, "receive", "--hide-progress", "--accept-file", "-o", str(target / file.name), code], check=True,
            **quiet)
        sending.wait()


def measure(peer, file, folder, expected):
    """Returns the MiB per second of one transfer."""
    target = pathlib.Path(tempfile.mkdtemp(dir=folder))
    begin = time.perf_counter()
    peer.transfer(file, target)
    seconds = time.perf_counter() - begin
    if digest(target / file.name) != expected:
        sys.exit(f"{type(peer).__name__} has changed the file")
    shutil.rmtree(target)
    return file.stat().st_size / 2**20 / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kith", required=True, type=os.path.abspath)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rates = {"kith": [], "magic-wormhole": []}
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(tempfile.mkdtemp(dir=pathlib.Path(options.kith).parent))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        file = folder / "file.bin"
        with open(file, "wb") as out:
            for _ in range(options.mebibytes):
                out.write(os.urandom(1 << 20))
        expected = digest(file)
        peers = {"kith": Kith(stack, folder, options.kith), "magic-wormhole": Wormhole(stack, folder)}
        for _ in range(options.rounds):
            for name, peer in peers.items():
                rates[name].append(measure(peer, file, folder, expected))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name, rate in medians.items():
        print(f"{f'{options.mebibytes} MiB with {name}, from sender to receiver':66}{rate:10.0f} MiB/s")
    ratio = medians["kith"] / medians["magic-wormhole"]
    verdict = "holds" if ratio >= BAR else "MISSES"
    print(f"{'kith : magic-wormhole':66}{ratio:10.2f}   {verdict}: at least {BAR:g}")


if __name__ == "__main__":
    main()
