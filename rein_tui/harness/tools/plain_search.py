"""Searching without ripgrep: a program of its own, so that a pattern that never ends can be ended.

Run as a script with a JSON request on standard input; it prints what ripgrep would have printed. It imports
nothing of the package, because it starts for every search.
"""

import fnmatch
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

TYPES = {
    "c": "*.c *.h",
    "cpp": "*.cpp *.cc *.cxx *.hpp *.hh *.hxx *.h",
    "cs": "*.cs",
    "css": "*.css *.scss",
    "go": "*.go",
    "html": "*.html *.htm",
    "java": "*.java",
    "js": "*.js *.jsx *.mjs *.cjs",
    "json": "*.json",
    "kotlin": "*.kt *.kts",
    "lua": "*.lua",
    "make": "Makefile *.mk GNUmakefile",
    "md": "*.md *.markdown",
    "php": "*.php",
    "py": "*.py *.pyi",
    "ruby": "*.rb Gemfile Rakefile",
    "rust": "*.rs",
    "sh": "*.sh *.bash *.zsh",
    "sql": "*.sql",
    "swift": "*.swift",
    "toml": "*.toml",
    "ts": "*.ts *.tsx *.mts *.cts",
    "txt": "*.txt",
    "xml": "*.xml",
    "yaml": "*.yaml *.yml",
}
Rules = list[tuple[str, Callable[[str], bool]]]
"""Where ignore rules hold (path from the root), and whether a path below fits them."""

LARGEST = 10 * 1024 * 1024


def glob_regex(pattern: str) -> "re.Pattern[str]":
    """A glob as ripgrep reads it, for paths below the root: without a slash it fits at any depth; `{a,b}` chooses."""
    anchored = "/" in pattern.rstrip("/")
    pattern = pattern.lstrip("/")
    out, depth, i = "" if anchored else "(?:.*/)?", 0, 0
    while i < len(pattern):
        if pattern.startswith("**/", i) and (i == 0 or pattern[i - 1] == "/"):
            out, i = out + "(?:.*/)?", i + 3
            continue
        if pattern.startswith("**", i):
            out, i = out + ".*", i + 2
            continue
        char = pattern[i]
        end = pattern.find("]", i + 2) if char == "[" else -1
        if end > 0:
            inside = pattern[i + 1 : end].replace("\\", "\\\\")
            out, i = out + "[" + ("^" + inside[1:] if inside[0] in "!^" else inside) + "]", end
        elif char == "{":
            out, depth = out + "(?:", depth + 1
        elif char == "}" and depth:
            out, depth = out + ")", depth - 1
        elif char == "," and depth:
            out += "|"
        else:
            out += {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char))
        i += 1
    return re.compile(out + ")" * depth + r"\Z")


def walk(root: str, ignore: bool) -> Iterator[tuple[str, str]]:
    """Files below `root` as (path, path from root); links are not followed; `ignore` honours .gitignore files."""
    if Path(root).is_file():
        yield root, Path(root).name
        return
    stack: list[tuple[str, str, Rules]] = [(root, "", [])]
    while stack:
        folder, relative, rules = stack.pop()
        rules = rules + ignores(folder, relative) if ignore else rules
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError:
            continue
        below: list[tuple[str, str, Rules]] = []
        for entry in entries:
            path = relative + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            name = path + "/" if is_folder else path
            if entry.name in (".git", ".hg", ".svn", ".jj") or any(
                name.startswith(base) and fits(name[len(base) :]) for base, fits in rules
            ):
                continue
            if is_folder:
                below.append((entry.path, path + "/", rules))
            elif entry.is_file(follow_symlinks=False):
                yield entry.path, path
        stack += reversed(below)


def ignores(folder: str, relative: str) -> Rules:
    """The rules of one folder's .gitignore and .ignore."""
    found: Rules = []
    for name in (".gitignore", ".ignore"):
        try:
            lines = Path(folder, name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        from pathspec import GitIgnoreSpec

        found.append((relative, GitIgnoreSpec.from_lines(lines).match_file))
    return found


def wanted(request: dict[str, Any]) -> Iterator[str]:
    """Paths of files that the request is about."""
    include = [glob_regex(g) for g in request["globs"] if not g.startswith("!")]
    exclude = [glob_regex(g[1:]) for g in request["globs"] if g.startswith("!")]
    names = TYPES.get(request.get("type") or "", "").split()
    for path, relative in walk(request["root"], request["ignore"]):
        if include and not any(g.match(relative) for g in include):
            continue
        if any(g.match(relative) for g in exclude):
            continue
        if names and not any(fnmatch.fnmatch(Path(path).name, n) for n in names):
            continue
        yield path


def search(request: dict[str, Any], path: str) -> None:
    """Print the matches of one file."""
    try:
        if Path(path).stat().st_size > LARGEST:
            return
        data = Path(path).read_bytes()
    except OSError:
        return
    if b"\0" in data[:8192]:
        return
    text = data.decode("utf-8", "replace")
    flags = re.MULTILINE | (re.IGNORECASE if request["ignore_case"] else 0) | (re.DOTALL if request["multiline"] else 0)
    pattern = re.compile(request["pattern"], flags)
    lines = text.split("\n")
    hits: dict[int, list[str]] = {}
    if request["multiline"]:
        for match in pattern.finditer(text):
            first = text.count("\n", 0, match.start())
            for number, part in enumerate(match[0].split("\n"), first):
                hits.setdefault(number, []).append(part)
    else:
        for number, line in enumerate(lines):
            if found := [m[0] for m in pattern.finditer(line)]:
                hits[number] = found
    if lines[-1] == "":
        hits.pop(len(lines) - 1, None)
        lines.pop()
    if hits:
        show(request, path, lines, hits)


def show(request: dict[str, Any], path: str, lines: list[str], hits: dict[int, list[str]]) -> None:
    """Print one file's matches as ripgrep does with `--null`."""
    if request["mode"] == "files_with_matches":
        out(path + "\0")
        return
    if request["mode"] == "count":
        out(f"{path}\0{len(hits)}\n")
        return
    if request["only_matching"]:
        for number, parts in hits.items():
            for part in parts:
                out(f"{path}\0{number + 1}:{part}\n")
        return
    near = {
        n for hit in hits for n in range(hit - request["before"], hit + request["after"] + 1) if 0 <= n < len(lines)
    }
    last = -1
    for number in sorted(near):
        if last >= 0 and number > last + 1 and (request["before"] or request["after"]):
            out("--\n")
        out(f"{path}\0{number + 1}{':' if number in hits else '-'}{lines[number]}\n")
        last = number


def out(text: str) -> None:
    """Print text as UTF-8, undecodable file names as their bytes."""
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))


def fail(text: str) -> NoReturn:
    """End with ripgrep's exit code for errors: 1 would mean that nothing was found."""
    print(text, file=sys.stderr)
    sys.exit(2)


def main() -> None:
    """Answer the request on standard input."""
    request = json.load(sys.stdin)
    if request["mode"] == "files":
        for path in wanted(request):
            out(path + "\0")
        return
    try:
        re.compile(request["pattern"])
    except re.error as error:
        fail(f"regex parse error: {error}")
    if request.get("type") and request["type"] not in TYPES:
        fail(f"unrecognized file type: {request['type']}")
    for path in wanted(request):
        search(request, path)


if __name__ == "__main__":
    main()
