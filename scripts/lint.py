#!/usr/bin/env python3
"""Checks what `swift format lint` does not: imports of pure modules, the size of files, types and functions, and the beginnings of
sentences and of commit subjects. Prints each fault with its place; exit code 1 if there is any."""

import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Modules without a network, files or a clock, and what they may import.
PURE = {
    "Sources/KithSupport": {"CWipe"},
    "Sources/KithCore": {"Crypto", "DequeModule", "KithSupport", "KithWire", "MLS", "TLSCodec"},
}
IMPORT = re.compile(r"^\s*(?:@\w+\s+)*(?:public |package |internal |private |fileprivate )?import\s+(?:\w+\s+)?(\w+)")

# Folders of things that were built or fetched.
BUILT = {".build", ".build-fuzz", "dist"}
# A sentence that begins with a question word or a number names its subject too late. Headings may.
OPENER = re.compile(r"(?:^[\s>]*(?:(?:[-*]|\d+\.)\s+)?|[.!?:;]\s+|\|\s+)[*_]*(So (?:long|many|much)|What|Who|Whoever|Of (?:that|this|which))\b")
QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"")

# Folders of Swift code. Comments and sizes are checked in all of them, extensions in Sources.
SWIFT = ["Benchmarks", "Examples", "Fuzz/Targets", "Sources", "Tests"]
FILE_LINES = 350
PARAMETERS = 5
EXTENDED_FILES = 5
# RFC 9420 gives its types more functions than five files hold.
MANY_EXTENSIONS = {"Sources/MLS"}
SUBJECT_LENGTH = 72

# A comment, or the description of a parameter in it.
COMMENT_OPENER = re.compile(
    r"^\s*///?\s+(?:(So (?:long|many|much)|What|Who|Whoever|How|Why)\b"
    r"|- (?:Parameter )?\w+: ([Ww]ho(?:ever)?|[Ww]hat(?:ever)?|[Hh]ow|[Ww]hy|[Ss]o (?:long|many|much))\b)")
# The name of a test or suite, and what it must not begin with, or contain.
TEST_NAME = re.compile(r"@(?:Test|Suite)\(\s*\"((?:\\.|[^\"\\])*)\"")
NAME_OPENER = re.compile(r"^(?:only )?(So (?:long|many|much)|What|Who|How|Why)\b|\b(whoever)\b", re.IGNORECASE)
EXTENSION = re.compile(r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate) )?extension ([\w.]+)", re.MULTILINE)
FUNCTION = re.compile(r"\bfunc\s+([^\s(<]+)\s*(?:<[^>(]*>)?\s*\(")
INITIALIZER = re.compile(r"(?<![.\w])(init)[?!]?\s*(?:<[^>(]*>)?\s*\(")
# A line of an initializer that only takes over a value: a parameter, its property, or a conversion of either.
ASSIGNMENT = re.compile(r"(?:self\.)?\w+ = \.?[\w.]+(?:\([\w.]*\))?")
# Comments, strings and arrows, whose brackets and commas do not count.
NO_CODE = re.compile(r"//[^\n]*|\"\"\".*?\"\"\"|\"(?:\\.|[^\"\\\n])*\"|->", re.DOTALL)


def place(path, line):
    return f"{path.relative_to(ROOT)}:{line}"


def swift_files(folder):
    return sorted((ROOT / folder).rglob("*.swift"))


def imports():
    """Imports of pure modules that are not allowed there."""
    for folder, allowed in PURE.items():
        for path in swift_files(folder):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = IMPORT.match(line)
                if match and match.group(1) not in allowed:
                    yield f"{place(path, number)}: {folder.split('/')[1]} must not import {match.group(1)}"


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
                yield f"{place(path, number)}: begin the sentence with its subject, not with \"{match.group(1)}\""


def comments(path, text):
    """Comments that begin with a question word or a number instead of a noun or verb."""
    for number, line in enumerate(text.splitlines(), 1):
        match = COMMENT_OPENER.match(line)
        if match:
            yield f"{place(path, number)}: begin the comment with a noun or verb, not with \"{match.group(1) or match.group(2)}\""


def names(path, text):
    """Names of tests and suites that have no subject."""
    for name in TEST_NAME.finditer(text):
        match = NAME_OPENER.search(name.group(1))
        if match:
            number = text.count("\n", 0, name.start(1)) + 1
            yield f"{place(path, number)}: name the subject of the test, not \"{match.group(1) or match.group(2)}\""


def length(path, text):
    """A file that is too long to hold one concept."""
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{place(path, lines)}: {lines} lines, at most {FILE_LINES} are allowed; move a concept to a file of its own"


def end_of(code, start):
    """The index behind the bracket that closes the one before `start`."""
    depth = 1
    for index in range(start, len(code)):
        depth += (code[index] in "([{<") - (code[index] in ")]}>")
        if depth == 0:
            return index + 1
    return len(code)


def split(code):
    """The parts of a list between commas that are in no brackets of their own."""
    parts, depth = [""], 0
    for character in code:
        depth += (character in "([{<") - (character in ")]}>")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]


def is_plain(code, end):
    """Whether the initializer whose parameters end here only assigns."""
    begin = code.find("{", end)
    body = code[begin + 1:end_of(code, begin + 1) - 1]
    return all(ASSIGNMENT.fullmatch(line.strip()) for line in body.splitlines() if line.strip())


def parameters(path, text):
    """Functions with too many parameters. Of an initializer, those with a default do not count, and one that only fills the
    fields of a record may have as many as the record has fields."""
    code = NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    for pattern in (FUNCTION, INITIALIZER):
        for match in pattern.finditer(code):
            end = end_of(code, match.end())
            taken = split(code[match.end():end - 1])
            if pattern is INITIALIZER:
                taken = [] if is_plain(code, end) else [parameter for parameter in taken if "=" not in parameter]
            if len(taken) > PARAMETERS:
                line = code.count("\n", 0, match.start()) + 1
                yield f"{place(path, line)}: {match.group(1)} takes {len(taken)} parameters, at most {PARAMETERS} are allowed"


def extensions():
    """Types that are spread over too many files, in all modules together."""
    files = collections.defaultdict(list)
    for module in sorted((ROOT / "Sources").iterdir()):
        if f"Sources/{module.name}" in MANY_EXTENSIONS:
            continue
        for path in swift_files(module):
            for name in set(EXTENSION.findall(path.read_text())):
                files[name].append(path)
    for name, paths in files.items():
        if len(paths) > EXTENDED_FILES:
            yield f"{place(paths[-1], 1)}: {name} is extended in {len(paths)} files, at most {EXTENDED_FILES} are allowed"


def swift():
    """Faults in Swift files."""
    for folder in SWIFT:
        for path in swift_files(folder):
            text = path.read_text()
            yield from comments(path, text)
            yield from names(path, text)
            yield from length(path, text)
            yield from parameters(path, text)
    yield from extensions()


def subjects():
    """Subjects of the commits that origin/main does not have yet, where there is an origin."""
    log = subprocess.run(
        ["git", "log", "--no-merges", "--format=%h %s", "origin/main..HEAD"], cwd=ROOT, capture_output=True, text=True)
    for line in log.stdout.splitlines() if log.returncode == 0 else []:
        commit, _, subject = line.partition(" ")
        if len(subject) > SUBJECT_LENGTH:
            yield f"{commit}: the subject has {len(subject)} characters, at most {SUBJECT_LENGTH} are allowed: {subject}"


def main():
    faults = [*imports(), *openers(), *swift(), *subjects()]
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
