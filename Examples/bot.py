#!/usr/bin/env python3
"""A bot for Kith: answers "ping", tells the time, rolls dice, and keeps silent otherwise.

    kith init --profile bot --yes --name bot
    kith invite --profile bot --relay HOST:PORT --reusable     # pass the line on
    ./bot.py --profile bot

It talks to `kith listen --json`, which prints one event a line and reads one request a line. With --accept, it accepts every
conversation that a stranger begins. Without it, strangers would wait for the owner's consent.
"""
import json
import os
import random
import signal
import subprocess
import sys
import time


def answer(text):
    words = text.strip().lower().split()
    if words == ["ping"]:
        return "pong"
    if words == ["time"]:
        return time.strftime("%Y-%m-%d %H:%M:%S %Z")
    if words[:1] == ["roll"]:
        sides = int(words[1]) if words[1:] and words[1].isdigit() else 6
        return str(random.randint(1, max(1, sides)))
    return None


def main():
    command = [os.environ.get("KITH", "kith"), "listen", "--json", "--accept", *sys.argv[1:]]
    kith = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    # The signal goes on to kith, which stores everything before it ends.
    signal.signal(signal.SIGTERM, lambda *_: kith.terminate())
    for line in kith.stdout:
        event = json.loads(line)
        if event["event"] == "error":
            print("kith:", event["message"], file=sys.stderr)
        if event["event"] != "message" or event["author"] != "contact" or "text" not in event:
            continue
        reply = answer(event["text"])
        if reply:
            to = "#%d" % event["conversation"]
            send = {"send": {"to": to, "text": reply, "replyTo": event["id"]}, "ref": event["seq"]}
            print(json.dumps(send), file=kith.stdin, flush=True)
    return kith.wait()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
