#!/usr/bin/env python3
"""Checks what `swift format lint` does not: which modules a pure module imports. Prints each line that is wrong; exit code 1 if any is."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Modules without a network, files or a clock, and what they may import.
PURE = {
    "Sources/KithSupport": set(),
    "Sources/KithCore": {"Crypto", "KithSupport", "KithWire", "MLS", "TLSCodec"},
}
IMPORT = re.compile(r"^\s*(?:@\w+\s+)*(?:public |package |internal |private |fileprivate )?import\s+(?:\w+\s+)?(\w+)")


def imports():
    """Imports of pure modules that are not allowed there."""
    for folder, allowed in PURE.items():
        for path in sorted((ROOT / folder).rglob("*.swift")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = IMPORT.match(line)
                if match and match.group(1) not in allowed:
                    yield f"{path.relative_to(ROOT)}:{number}: {folder.split('/')[1]} must not import {match.group(1)}"


def main():
    faults = list(imports())
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
