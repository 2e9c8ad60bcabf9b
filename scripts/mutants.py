#!/usr/bin/env python3
"""Breaks security-relevant code in one place at a time and runs the tests that should notice.

Every mutant is compiled into one build, behind a switch that the environment variable KITH_MUTANT sets when the tests start. The
sites are listed in Tests/Mutants/sites.txt, whose head explains its format. Survivors that no test can or need notice are in
Tests/Mutants/accepted.txt, each with its reason.

    mutants.py check                       every site matches the source, and every filter names a suite (fast, for CI)
    mutants.py write --tree DIR            write the mutated sources
    mutants.py run --tree DIR              run the mutants in a tree that was built with `swift build --build-tests`
    mutants.py all                         all of it, in .build/mutants

Options: --only TEXT takes the mutants whose name contains TEXT; --jobs N runs N at a time; --report FILE appends each result, and
mutants that are in it already are not run again; --stages N runs the first N filters of each mutant only, and leaves what survives
them out of the report.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SITES = pathlib.Path("Tests/Mutants/sites.txt")
ACCEPTED = pathlib.Path("Tests/Mutants/accepted.txt")
SWITCH = """// Written by scripts/mutants.py; never part of the project.
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif
private let activeMutant = getenv("KITH_MUTANT").flatMap { Int(String(cString: $0)) } ?? 0
@usableFromInline func isMutant(_ number: Int) -> Bool { activeMutant == number }
"""
FAILED = ("✘", "\x1b[91m✘")  # how a line of swift-testing begins that reports an issue
MINIMUM_SECONDS = 60  # the shortest timeout of a test run
TIMEOUT_FACTOR = 8  # a mutant that takes this many times as long as the unchanged code hangs


class Mutant:
    """One change: where it is, what is there, and what is put there instead."""

    def __init__(self, file, span, new, filters, kind="expression"):
        self.file, self.new, self.filters, self.kind = file, new, filters, kind
        self.start, self.end = span
        self.number = 0
        self.name = ""


class SiteError(Exception):
    """A site that does not match, or not exactly."""


def split(text, separator):
    """Splits at separators that are in no parentheses, braces or strings."""
    parts, depth, quoted, last = [], 0, False, 0
    for index, character in enumerate(text):
        if character == '"' and text[index - 1] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += character in "([{"
            depth -= character in ")]}"
            if depth == 0 and text.startswith(separator, index):
                parts.append((last, index))
                last = index + len(separator)
    parts.append((last, len(text)))
    return parts


def trimmed(text, start, end):
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def is_plain(condition):
    """Whether a condition of a guard is a Boolean expression that can stand in a ternary one."""
    return not re.search(r"\b(let|var|case|try|await)\b|#available|//", condition)


def guards(source, start, end):
    """The Boolean conditions of guards and throwing ifs in a range, each taken as fulfilled."""
    patterns = (
        (r"\bguard\s+((?:(?!\bguard\b)[^\x00])*?)\s+else\s*\{", "true"),
        (r"\bif\s+([^{}\n]+?)\s*\{\s*(?:throw|return false|return nil)\b", "false"),
    )
    for pattern, value in patterns:
        for match in re.finditer(pattern, source[start:end]):
            line = source[source.rfind("\n", 0, start + match.start()) + 1 :].lstrip()
            if line.startswith("//"):
                continue
            conditions, offset = match.group(1), start + match.start(1)
            for first, last in split(conditions, ","):
                first, last = trimmed(conditions, first, last)
                if last > first and is_plain(conditions[first:last]):
                    yield offset + first, offset + last, value


def comparisons(source, start, end):
    """Comparisons with a limit, each off by one."""
    other = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
    operand = r"[\w.\[\]]+(?:\([\w. ]*\))?"
    pattern = rf"(?<![-+*/%&|?<>] )(?<![\w.])({operand}) (<=|>=|<|>) ((?:\w+\.)*(?:\w*[Ll]imits?|configuration|window)\.\w+)\b(?! ?[-+*/%(&.])"
    for match in re.finditer(pattern, source[start:end]):
        left, operation, right = match.groups()
        yield start + match.start(), start + match.end(), f"{left} {other[operation]} {right}"


def find(source, text, context, where):
    begin = 0
    if context:
        if source.count(context) != 1:
            raise SiteError(f"{where}: the context is there {source.count(context)} times: {context}")
        begin = source.index(context)
    elif source.count(text) != 1:
        raise SiteError(f"{where}: is there {source.count(text)} times: {text}")
    position = source.find(text, begin)
    if position < 0:
        raise SiteError(f"{where}: is not there: {text}")
    return position, position + len(text)


def read_sites(root):
    """The mutants that the list names, numbered from 1."""
    mutants, sources, file, filters, errors = [], {}, None, None, []
    for number, line in enumerate((root / SITES).read_text().splitlines(), 1):
        line = line.strip()
        where = f"{SITES}:{number}"
        try:
            if not line or line.startswith("#"):
                continue
            word, _, rest = line.partition(" ")
            if word == "file":
                file = rest
                if not (root / file).is_file():
                    raise SiteError(f"{where}: no file {file}")
                sources[file] = (root / file).read_text()
                continue
            if word == "tests":
                filters = [item.strip() for item in rest.split(";")]
                continue
            source = sources[file]
            if word == "every":
                generator = {"guard": guards, "comparison": comparisons}[rest]
                found = list(generator(source, 0, len(source)))
                if not found:
                    raise SiteError(f"{where}: no {rest} in {file}")
                mutants += [Mutant(file, (start, end), new, filters) for start, end, new in found]
                continue
            context = None
            if word.endswith("-in"):
                context, _, rest = rest.partition(" :: ")
                word = word[:-3]
            if word in ("change", "text"):
                old, arrow, new = rest.partition(" => ")
                if not arrow:
                    raise SiteError(f"{where}: no ' => '")
                kind = "text" if word == "text" else "expression"
                mutants.append(Mutant(file, find(source, old, context, where), new, filters, kind))
            elif word == "drop":
                mutants.append(Mutant(file, find(source, rest, context, where), "", filters, "statement"))
            else:
                raise SiteError(f"{where}: begins with an unknown word: {word}")
        except (SiteError, KeyError) as error:
            errors.append(str(error))
    unique = {}
    for mutant in mutants:
        source = sources[mutant.file]
        unique.setdefault((mutant.file, mutant.start, mutant.end, mutant.new), mutant)
        old = " ".join(source[mutant.start : mutant.end].split())
        mutant.name = f"{mutant.file}: {old} => {mutant.new or 'nothing'}"
    mutants = list(unique.values())
    names = {}
    for number, mutant in enumerate(mutants, 1):
        mutant.number = number
        names[mutant.name] = names.get(mutant.name, 0) + 1
        if names[mutant.name] > 1:
            mutant.name += f" [{names[mutant.name]}]"
    return mutants, sources, errors


def render(source, start, end, mutants):
    """The source of a range with all mutants in it behind their switches, inner ones first."""
    output, position = [], start
    outermost = sorted(mutants, key=lambda mutant: (mutant.start, -mutant.end))
    while outermost:
        first = outermost[0]
        same = [m for m in outermost if (m.start, m.end) == (first.start, first.end)]
        inside = [m for m in outermost if m not in same and m.start < first.end]
        if any(m.end > first.end for m in inside):
            raise SiteError(f"overlaps another: {first.name}")
        outermost = [m for m in outermost if m not in same and m not in inside]
        output.append(source[position : first.start])
        text = render(source, first.start, first.end, inside)
        for mutant in same:
            if mutant.kind == "statement":
                text = f"if !isMutant({mutant.number}) {{ {text} }}"
            elif mutant.kind == "text":
                text = f'\\(isMutant({mutant.number}) ? "{mutant.new}" : "{text}")'
            else:
                text = f"(isMutant({mutant.number}) ? ({mutant.new}) : ({text}))"
        output.append(text)
        position = first.end
    output.append(source[position:end])
    return "".join(output)


def write_if_changed(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)


TARGET = re.compile(r"\n +\.(?:target|executableTarget|testTarget|systemLibrary)\(")
PRODUCT = re.compile(r"\n +\.(?:library|executable)\(name: \"[^\"]+\", targets: \[\"([^\"]+)\"\]\),")
PACKAGE = re.compile(r"\n +\.package\(url: \"[^\"]*/([^/\"]+)\",[^\n]*")
PACKAGE_PRODUCT = re.compile(r"\nlet (\w+): Target\.Dependency = \.product\(name: \"[^\"]+\", package: \"([^\"]+)\"\)")


def needed_targets(root, blocks, filters):
    """The test targets that the filters name, with their dependencies and the programs that they start."""
    words = {name: set(re.findall(r"\"([^\"]+)\"", block)) for name, block in blocks.items()}
    needed, waiting = set(), [name for name in blocks if any(item.lstrip("^").startswith(name) for item in filters)]
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        waiting += words[name] & blocks.keys()
        if name.endswith("Tests"):
            text = "".join(path.read_text() for path in (root / "Tests" / name).rglob("*.swift"))
            waiting += [other for other, block in blocks.items() if "executableTarget" in block and f'"{other}"' in text]
    return needed


def trimmed_manifest(root, mutants):
    """Package.swift with only the targets, products and packages that the mutants' tests need, so that less is compiled."""
    manifest = (root / "Package.swift").read_text()
    blocks = {}
    for match in TARGET.finditer(manifest, manifest.index("\n    targets: [")):
        end, depth = match.end(), 1
        while depth:
            depth += {"(": 1, ")": -1}.get(manifest[end], 0)
            end += 1
        block = manifest[match.start() : end]
        blocks[re.search(r"name: \"([^\"]+)\"", block).group(1)] = block
    needed = needed_targets(root, blocks, {item for mutant in mutants for item in mutant.filters})
    for name in blocks.keys() - needed:
        manifest = manifest.replace(blocks[name] + ",", "")
    manifest = PRODUCT.sub(lambda match: match.group() if match.group(1) in needed else "", manifest)
    text = "".join(blocks[name] for name in needed)
    used = {package for word, package in PACKAGE_PRODUCT.findall(manifest) if re.search(rf"\b{word}\b", text)}
    return PACKAGE.sub(lambda match: match.group() if match.group(1) in used else "", manifest)


def write_tree(root, tree, mutants, sources):
    """Writes the mutated sources, touching only what differs so that a second build is short."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True).stdout
    names = set(filter(None, files.split("\0")))
    for folder in ("Sources", "Tests"):
        for path in (tree / folder).rglob("*.swift"):
            if str(path.relative_to(tree)) not in names:
                path.unlink()
    for name in names:
        if (root / name).is_file() and name not in sources and name != "Package.swift":
            write_if_changed(tree / name, (root / name).read_bytes())
    write_if_changed(tree / "Package.swift", trimmed_manifest(root, mutants).encode())
    for name, source in sources.items():
        text = render(source, 0, len(source), [m for m in mutants if m.file == name])
        write_if_changed(tree / name, text.encode())
        if text == source:
            continue
        module = pathlib.Path(*pathlib.Path(name).parts[:2])
        write_if_changed(tree / module / "MutantSwitch.swift", SWITCH.encode())


def run_tests(tree, number, test_filter, timeout):
    """Runs tests with one mutant on, up to the first issue. True if they pass, False if they fail or crash, None if they hang."""
    bundle = next((tree / ".build" / "debug").glob("*PackageTests.xctest"))
    environment = dict(os.environ, KITH_MUTANT=str(number))
    process = subprocess.Popen(
        [bundle, "--testing-library", "swift-testing", "--filter", test_filter], cwd=tree, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    hangs = threading.Event()
    timer = threading.Timer(timeout, lambda: (hangs.set(), stop(process)))
    timer.start()
    try:
        if any(line.startswith(FAILED) for line in process.stdout):
            return False
        return process.wait() == 0 if not hangs.is_set() else None
    finally:
        timer.cancel()
        stop(process)
        process.wait()


def stop(process):
    """Ends a test run and the processes that its tests started, which are in the same group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def judge(tree, mutant, timeouts):
    for test_filter in mutant.filters:
        passed = run_tests(tree, mutant.number, test_filter, timeouts[test_filter])
        if passed is None:
            return "hangs"
        if not passed:
            return "killed"
    return "SURVIVED"


def alternatives(test_filter):
    """Returns the texts that a filter stands for. Parentheses in it have alternatives, or an optional part before a `?`."""
    group = re.search(r"\(([^()]*)\)(\??)", test_filter)
    if not group:
        return [test_filter]
    before, after = test_filter[: group.start()], test_filter[group.end() :]
    choices = group.group(1).split("|") + ([""] if group.group(2) else [])
    return [text for choice in choices for text in alternatives(before + choice + after)]


def unknown_filters(root, mutants):
    """Returns filters that name no suite. Such a filter runs no test, or fewer than it says, and looks like a survivor."""
    suites = set()
    for path in (root / "Tests").rglob("*.swift"):
        target = path.relative_to(root / "Tests").parts[0]
        types = re.findall(r"\b(?:struct|class|enum|actor|extension) (\w+)", path.read_text())
        suites |= {f"{target}."} | {f"{target}.{name}" for name in types}
    texts = {text.lstrip("^") for mutant in mutants for item in mutant.filters for text in alternatives(item)}
    return sorted(text for text in texts if not any(suite.startswith(".".join(text.split(".")[:2])) for suite in suites))


def read_accepted(root):
    path = root / ACCEPTED
    lines = path.read_text().splitlines() if path.is_file() else []
    return {line for line in lines if line.startswith("Sources/")}


def read_report(path):
    if not path or not path.is_file():
        return {}
    return dict(line.split("\t", 1)[::-1] for line in path.read_text().splitlines())


def run(root, tree, mutants, jobs, report, stages):
    results = read_report(report)
    complete = {mutant.name for mutant in mutants if stages >= len(mutant.filters)}
    for mutant in mutants:
        mutant.filters = mutant.filters[:stages]
    accepted = read_accepted(root)
    waiting = [mutant for mutant in mutants if mutant.name not in results]
    timeouts = {}
    for test_filter in dict.fromkeys(item for mutant in waiting for item in mutant.filters):
        started = time.monotonic()
        if not run_tests(tree, 0, test_filter, 1_800):
            sys.exit(f"mutants: {test_filter} fails without a mutant")
        timeouts[test_filter] = max(MINIMUM_SECONDS, TIMEOUT_FACTOR * (time.monotonic() - started))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        pending = {pool.submit(judge, tree, mutant, timeouts): mutant for mutant in waiting}
        for future in concurrent.futures.as_completed(pending):
            mutant, result = pending[future], future.result()
            results[mutant.name] = result
            print(f"{result}\t{mutant.name}", flush=True)
            if report and (result != "SURVIVED" or mutant.name in complete):
                with report.open("a") as file:
                    file.write(f"{result}\t{mutant.name}\n")
    judged = {mutant.name: results[mutant.name] for mutant in mutants}
    survivors = [name for name, result in judged.items() if result == "SURVIVED"]
    unexplained = [name for name in survivors if name not in accepted]
    print(
        f"mutants: {len(judged)} run, {len(judged) - len(survivors)} noticed, {len(survivors)} survived, "
        f"{len(survivors) - len(unexplained)} of them with a reason")
    for name in unexplained:
        print(f"no test notices: {name}")
    return not unexplained


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["check", "write", "run", "all"])
    parser.add_argument("--tree", type=pathlib.Path, default=ROOT / ".build" / "mutants")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--stages", type=int, default=99)
    arguments = parser.parse_args()
    mutants, sources, errors = read_sites(ROOT)
    known = {mutant.name for mutant in mutants}
    errors += [f"{ACCEPTED}: no such mutant: {name}" for name in sorted(read_accepted(ROOT) - known)]
    errors += [f"{SITES}: no such suite: {text}" for text in unknown_filters(ROOT, mutants)]
    try:
        for name, source in sources.items():
            render(source, 0, len(source), [mutant for mutant in mutants if mutant.file == name])
    except SiteError as error:
        errors.append(str(error))
    if errors:
        sys.exit("\n".join(f"mutants: {error}" for error in errors))
    chosen = [mutant for mutant in mutants if arguments.only in mutant.name]
    print(f"mutants: {len(mutants)} in {len(sources)} files, {len(chosen)} chosen", flush=True)
    if arguments.action in ("write", "all"):
        write_tree(ROOT, arguments.tree, chosen, sources)
    if arguments.action == "all":
        subprocess.run(["swift", "build", "--build-tests"], cwd=arguments.tree, check=True)
    if arguments.action in ("run", "all"):
        if not run(ROOT, arguments.tree, chosen, arguments.jobs, arguments.report, arguments.stages):
            sys.exit(1)


if __name__ == "__main__":
    main()
