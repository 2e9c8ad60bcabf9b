"""Random group histories with members of two MLS stacks mixed: this package's, through mls-peer, and mls-rs."""

import argparse
import json
import random
import subprocess
import sys
import time

import mls_rs_uniffi as mls_rs

SUITE = 1  # the only one that the Python interface of mls-rs offers
EXPORT = ("interop", "context", 32)


class Refused(Exception):
    """mls-peer answered with an error."""


class Peer:
    """One mls-peer process."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, op, **fields):
        self.process.stdin.write(json.dumps({"op": op, **fields}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("mls-peer is gone")
        answer = json.loads(line)
        if not answer["ok"]:
            raise Refused(f"{op}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class OurMember:
    """A member that mls-peer plays."""

    stack = "kith"

    def __init__(self, peer, name):
        self.peer, self.name = peer, name
        peer.ask("client", **{"as": name}, suite=SUITE, identity=name.encode().hex())

    def ask(self, op, **fields):
        return self.peer.ask(op, **{"as": self.name}, **fields)

    def create(self, group_id):
        self.ask("create", group_id=group_id.hex())

    def key_package(self):
        return bytes.fromhex(self.ask("key_package")["key_package"])

    def join(self, welcome):
        self.ask("join", welcome=welcome.hex())

    def commit(self, adds, removes, rng):
        members = {bytes.fromhex(m["credential"])[3:].decode(): m["index"] for m in self.ask("state")["members"]}
        answer = self.ask(
            "commit", add=[a.hex() for a in adds], remove=[members[r.name] for r in removes],
            encrypt=rng.random() < 0.5, path=rng.random() < 0.8)
        welcome = answer.get("welcome")
        return bytes.fromhex(answer["commit"]), bytes.fromhex(welcome) if welcome else None

    def apply(self, commit):
        self.ask("apply")

    def propose(self, rng, add, remove):
        encrypt = rng.random() < 0.5
        if add is not None:
            answer = self.ask("propose", add=[add.hex()], encrypt=encrypt)
        elif remove is not None:
            members = {bytes.fromhex(m["credential"])[3:].decode(): m["index"] for m in self.ask("state")["members"]}
            answer = self.ask("propose", remove=[members[remove.name]], encrypt=encrypt)
        else:
            answer = self.ask("propose", update=True, encrypt=encrypt)
        return [bytes.fromhex(answer["proposal"])]

    def process(self, message, sender):
        answer = self.ask("process", message=message.hex())
        return bytes.fromhex(answer["data"]) if answer["kind"] == "application" else None

    def protect(self, data):
        return bytes.fromhex(self.ask("protect", data=data.hex())["message"])

    def export(self):
        label, context, length = EXPORT
        return bytes.fromhex(
            self.ask("export", label=label, context=context.encode().hex(), length=length)["secret"])

    def authenticator(self):
        return self.ask("state")["epoch_authenticator"]


class TheirMember:
    """A member of mls-rs."""

    stack = "mls-rs"

    def __init__(self, name):
        self.name = name
        keypair = mls_rs.generate_signature_keypair(mls_rs.CipherSuite.CURVE25519_AES128)
        self.client = mls_rs.Client(name.encode(), keypair, mls_rs.client_config_default())
        self.group = None
        # Its interface names members by identities that it has seen in messages.
        self.identities = {}

    def create(self, group_id):
        self.group = self.client.create_group(group_id)

    def key_package(self):
        return self.client.generate_key_package_message().to_bytes()

    def join(self, welcome):
        self.group = self.client.join_group(None, mls_rs.Message.from_bytes(welcome)).group

    def can_remove(self, member):
        return member.name in self.identities or isinstance(member, TheirMember)

    def identity(self, member):
        return self.identities[member.name] if member.name in self.identities else member.client.signing_identity()

    def commit(self, adds, removes, rng):
        if adds:
            output = self.group.add_members([mls_rs.Message.from_bytes(a) for a in adds])
        elif removes:
            output = self.group.remove_members([self.identity(r) for r in removes])
        else:
            output = self.group.commit()
        welcome = output.welcome_message
        return output.commit_message.to_bytes(), welcome.to_bytes() if welcome else None

    def apply(self, commit):
        self.group.process_incoming_message(mls_rs.Message.from_bytes(commit))

    def propose(self, rng, add, remove):
        if add is not None:
            messages = self.group.propose_add_members([mls_rs.Message.from_bytes(add)])
        elif remove is not None:
            messages = self.group.propose_remove_members([self.identity(remove)])
        else:
            return []
        return [m.to_bytes() for m in messages]

    def process(self, message, sender):
        received = self.group.process_incoming_message(mls_rs.Message.from_bytes(message))
        if received.is_application_message():
            self.identities[sender.name] = received.sender
            return received.data
        if received.is_commit():
            self.identities[sender.name] = received.committer
        return None

    def protect(self, data):
        return self.group.encrypt_application_message(data).to_bytes()

    def export(self):
        label, context, length = EXPORT
        return self.group.export_secret(label.encode(), context.encode(), length)


class History:
    """One group from its creation to its last operation."""

    def __init__(self, peer, seed, largest):
        self.peer, self.rng, self.largest = peer, random.Random(seed), largest
        self.seed = seed
        self.count = 0
        self.commits = self.messages = 0
        first = self.newcomer()
        first.create(self.rng.randbytes(16))
        self.members = [first]

    def newcomer(self):
        self.count += 1
        name = f"h{self.seed}-{self.count}"
        return OurMember(self.peer, name) if self.rng.random() < 0.5 else TheirMember(name)

    def others(self, member):
        return [m for m in self.members if m is not member]

    def deliver(self, message, sender):
        return [m.process(message, sender) for m in self.others(sender)]

    def removable(self, by):
        candidates = self.others(by)
        if isinstance(by, TheirMember):
            candidates = [m for m in candidates if by.can_remove(m)]
        return candidates

    def step(self):
        committer = self.rng.choice(self.members)
        adds, removes = [], []
        proposed_adds, proposed_removes = [], []
        if self.rng.random() < 0.3:
            self.propose(proposed_adds, proposed_removes, committer)
        kind = self.rng.random()
        if kind < 0.4 and len(self.members) + len(proposed_adds) < self.largest:
            room = self.largest - len(self.members) - len(proposed_adds)
            adds = [self.newcomer() for _ in range(self.rng.randint(1, min(4, room)))]
        elif kind < 0.6 and len(self.members) > 2 and not proposed_removes:
            candidates = self.removable(committer)
            if candidates:
                removes = self.rng.sample(candidates, min(len(candidates), self.rng.randint(1, 2)))
        commit, welcome = committer.commit([a.key_package() for a in adds], removes, self.rng)
        gone = removes + proposed_removes
        for member in self.others(committer):
            if member in gone and isinstance(member, TheirMember):
                continue
            member.process(commit, committer)
        committer.apply(commit)
        self.members = [m for m in self.members if m not in gone]
        for member in adds + proposed_adds:
            member.join(welcome)
            self.members.append(member)
        self.commits += 1
        self.check()

    def propose(self, adds, removes, committer):
        # The committer neither proposes nor is removed, so that its commit includes everything.
        proposers = self.others(committer)
        if not proposers:
            return
        proposer = self.rng.choice(proposers)
        kind = self.rng.random()
        if kind < 0.4 and len(self.members) < self.largest:
            new = self.newcomer()
            messages = proposer.propose(self.rng, new.key_package(), None)
            adds.append(new)
        elif kind < 0.6 and len(self.members) > 3:
            candidates = [m for m in self.removable(proposer) if m is not committer]
            if not candidates:
                return
            gone = self.rng.choice(candidates)
            messages = proposer.propose(self.rng, None, gone)
            removes.append(gone)
        else:
            messages = proposer.propose(self.rng, None, None)
        for message in messages:
            self.deliver(message, proposer)

    def check(self):
        secrets = {m.export() for m in self.members}
        assert len(secrets) == 1, "members have different epochs"
        authenticators = {m.authenticator() for m in self.members if isinstance(m, OurMember)}
        assert len(authenticators) <= 1, "epoch authenticators differ"
        # One of each stack speaks and everyone reads.
        for stack in (OurMember, TheirMember):
            speakers = [m for m in self.members if isinstance(m, stack)]
            if not speakers:
                continue
            speaker = self.rng.choice(speakers)
            data = self.rng.randbytes(self.rng.randint(0, 300))
            for received in self.deliver(speaker.protect(data), speaker):
                assert received == data, "a message was read wrongly"
                self.messages += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True)
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--operations", type=int, default=30)
    parser.add_argument("--largest", type=int, default=32)
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"interop: first seed {seed}", flush=True)
    started = time.monotonic()
    commits = messages = largest = mixed = 0
    for index in range(arguments.histories):
        peer = Peer(arguments.peer)
        try:
            history = History(peer, seed + index, arguments.largest)
            for operation in range(arguments.operations):
                try:
                    history.step()
                except Exception:
                    print(f"interop: failed in history of seed {seed + index}, operation {operation}", file=sys.stderr)
                    raise
                largest = max(largest, len(history.members))
                mixed += len({m.stack for m in history.members}) == 2
        finally:
            peer.close()
        commits += history.commits
        messages += history.messages
    print(
        f"interop: {arguments.histories} histories of {arguments.operations} operations, {commits} commits "
        f"({mixed} with both stacks in the group), {messages} messages read, largest group {largest}, "
        f"{time.monotonic() - started:.0f} s: all members agreed")


if __name__ == "__main__":
    main()
