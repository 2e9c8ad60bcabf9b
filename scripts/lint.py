#!/usr/bin/env python3
"""Checks what `swift format lint` does not: which modules a pure module imports, and how sentences of the documents begin. Prints
each line that is wrong; exit code 1 if any is."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Modules without a network, files or a clock, and what they may import.
PURE = {
    "Sources/KithSupport": {"CWipe"},
    "Sources/KithCore": {"Crypto", "KithSupport", "KithWire", "MLS", "TLSCodec"},
}
IMPORT = re.compile(r"^\s*(?:@\w+\s+)*(?:public |package |internal |private |fileprivate )?import\s+(?:\w+\s+)?(\w+)")

# Folders of things that were built or fetched.
BUILT = {".build", ".build-fuzz", "dist"}
# A sentence that begins with a question word or a number names its subject too late. Headings may.
OPENER = re.compile(r"(?:^[\s>]*(?:(?:[-*]|\d+\.)\s+)?|[.!?:;]\s+|\|\s+)[*_]*(So (?:long|many|much)|What|Who|Whoever|Of (?:that|this|which))\b")
QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"")


def imports():
    """Imports of pure modules that are not allowed there."""
    for folder, allowed in PURE.items():
        for path in sorted((ROOT / folder).rglob("*.swift")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = IMPORT.match(line)
                if match and match.group(1) not in allowed:
                    yield f"{path.relative_to(ROOT)}:{number}: {folder.split('/')[1]} must not import {match.group(1)}"


def openers():
    """Sentences of Markdown files that begin with a word that they should not."""
    for path in sorted(ROOT.rglob("*.md")):
        if BUILT & set(path.relative_to(ROOT).parts):
            continue
        is_code = False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.startswith("```"):
                is_code = not is_code
            if is_code or line.startswith(("#", "    ", "```")):
                continue
            for match in OPENER.finditer(QUOTED.sub("``", line)):
                yield f"{path.relative_to(ROOT)}:{number}: begin the sentence with its subject, not with \"{match.group(1)}\""


def main():
    faults = [*imports(), *openers()]
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
