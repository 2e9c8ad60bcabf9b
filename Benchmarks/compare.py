"""Measures this package's MLS module and mls-rs in one run, on the same groups, and prints the ratios.

mls-rs is measured twice: with its default pool of threads on all cores, and with a pool of one thread.

Usage: compare.py --benchmarks PATH [--size N]; needs agentvault-mls-rs-uniffi (see Interop/requirements.txt).
"""

import argparse
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import mls_rs_uniffi as mls_rs


def client(name):
    keypair = mls_rs.generate_signature_keypair(mls_rs.CipherSuite.CURVE25519_AES128)
    return mls_rs.Client(name.encode(), keypair, mls_rs.client_config_default())


def timed(body):
    """Returns the seconds by the clock, the seconds of processor time on all cores together, and the result of `body`."""
    start, processor = time.perf_counter(), time.process_time()
    result = body()
    return time.perf_counter() - start, time.process_time() - processor, result


def best(body, rounds):
    return min(timed(body)[0] for _ in range(rounds))


def record(values, name, rounds):
    """Stores the milliseconds of the fastest of some rounds of `timed`. Returns the results of the rounds."""
    values[name] = min(r[0] for r in rounds) * 1e3
    values[name + ", processor"] = min(r[1] for r in rounds) * 1e3
    return [r[2] for r in rounds]


def prepare(folder, benchmarks, size):
    """Makes this package write the files for both implementations. Returns the newcomers for whom the Welcome is made."""
    newcomers = [client(f"newcomer {i}") for i in range(3)]
    for index, newcomer in enumerate(newcomers):
        (folder / f"newcomer-{index}").write_bytes(newcomer.generate_key_package_message().to_bytes())
    subprocess.run([benchmarks, "--for-peer", str(size), str(folder)], check=True)
    return newcomers


def theirs(folder, benchmarks, size):
    """Returns the numbers of mls-rs: milliseconds for groups, microseconds for messages and key packages, bytes for sizes."""
    values = {}
    newcomers = prepare(folder, benchmarks, size)
    welcome = mls_rs.Message.from_bytes((folder / "welcome").read_bytes())
    groups = record(
        values, "join warm", [timed(lambda c=c: c.join_group(None, welcome).group) for c in newcomers])
    commit = mls_rs.Message.from_bytes((folder / "commit").read_bytes())
    record(values, "process warm commit", [timed(lambda g=g: g.process_incoming_message(commit)) for g in groups])
    extra = mls_rs.Message.from_bytes((folder / "extra-key-package").read_bytes())
    values["welcome bytes"] = len(groups.pop().add_members([extra]).welcome_message.to_bytes())
    made = record(values, "create warm commit", [timed(g.commit) for g in groups])
    values["warm commit bytes"] = len(made[0].commit_message.to_bytes())

    data = (folder / "key-packages").read_bytes()
    packages, at = [], 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        packages.append(mls_rs.Message.from_bytes(data[at + 4 : at + 4 + length]))
        at += 4 + length
    creator = client("creator").create_group(b"cold")
    (output,) = record(values, "add all in one commit", [timed(lambda: creator.add_members(packages))])
    creator.process_incoming_message(output.commit_message)
    (output,) = record(values, "cold commit", [timed(creator.commit)])
    values["cold commit bytes"] = len(output.commit_message.to_bytes())

    values["key package"] = best(lambda: client_of_packages.generate_key_package_message(), 200) * 1e6
    pair = [client("a"), client("b")]
    first = pair[0].create_group(b"pair")
    output = first.add_members([pair[1].generate_key_package_message()])
    first.process_incoming_message(output.commit_message)
    second = pair[1].join_group(None, output.welcome_message).group
    payload = bytes(100)
    messages = []
    values["encrypt 100 B"] = best(lambda: messages.append(first.encrypt_application_message(payload)), 500) * 1e6
    values["bytes of a 100 B message"] = len(messages[0].to_bytes())
    arriving = iter(messages)
    values["decrypt 100 B"] = best(lambda: second.process_incoming_message(next(arriving)), 500) * 1e6
    return values


client_of_packages = client("packages")


def on_one_thread(benchmarks, size):
    """The numbers of `theirs` from a process with a pool of one thread."""
    output = subprocess.run(
        [sys.executable, __file__, "--peer-only", "--benchmarks", benchmarks, "--size", str(size)],
        check=True, stdout=subprocess.PIPE, env=os.environ | {"RAYON_NUM_THREADS": "1"}).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--benchmarks", required=True)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--json")
    parser.add_argument("--peer-only", action="store_true")
    arguments = parser.parse_args()
    load = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        peer = theirs(folder, arguments.benchmarks, arguments.size)
        if arguments.peer_only:
            return print(json.dumps(peer))
        sizes = json.loads((folder / "sizes").read_text())
        output = folder / "ours.json"
        subprocess.run(
            [arguments.benchmarks, str(arguments.size), "--json", str(output)], check=True,
            stdout=subprocess.DEVNULL)
        ours = json.loads(output.read_text()) | {f"n={arguments.size} {key}": value for key, value in sizes.items()}
    single = on_one_thread(arguments.benchmarks, arguments.size)
    load.append(os.getloadavg()[0])
    print(f"{'n = ' + str(arguments.size):28} {'ours':>12} {'mls-rs':>12} {'ratio':>8} {'one thread':>12} {'ratio':>8}")
    for name, value in peer.items():
        own = ours.get(f"n={arguments.size} {name}", ours.get(name))
        one = single[name]
        print(f"{name:28} {own:12.3f} {value:12.3f} {value / own:8.2f} {one:12.3f} {one / own:8.2f}")
    print("milliseconds for groups, microseconds for key packages and messages, bytes for sizes")
    print(f"load average before and after, on {os.cpu_count()} cores: {load[0]:.2f}, {load[1]:.2f}")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(
            json.dumps({"ours": ours, "mls-rs": peer, "mls-rs on one thread": single, "load": load}, indent=1))


if __name__ == "__main__":
    main()
