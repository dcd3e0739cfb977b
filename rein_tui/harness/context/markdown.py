"""The three things that memory files ask of Markdown: comments out, imports found, the `paths` of a rule."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_IMPORT = re.compile(r"(?:(?<=^)|(?<=[\s(\[]))@((?:\\ |[^\s\\`@])+)")
_FRONTMATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def strip_comments(text: str) -> str:
    """The text without HTML comments that begin a line; those in code blocks stay."""
    kept: list[str] = []
    in_comment = False
    for line, is_code in _lines(text):
        rest = line
        if in_comment:
            _, closed, rest = line.partition("-->")
            if not closed:
                continue
            in_comment = False
            if not rest.strip():
                continue
        while not is_code and rest.lstrip().startswith("<!--"):
            _, closed, rest = rest.partition("-->")
            in_comment = not closed
            if in_comment or not rest.strip():
                rest = ""
                break
        else:
            kept.append(rest)
    return "\n".join(kept)


def imports_of(text: str) -> list[str]:
    """Paths after `@`, outside code, in order, once each. They may be something else: e-mail handles, packages."""
    found: dict[str, None] = {}
    for line, is_code in _lines(text):
        if not is_code:
            for match in _IMPORT.finditer(_CODE_SPAN.sub(" ", line)):
                found[match[1].replace("\\ ", " ")] = None
    return list(found)


def split_rule(text: str) -> tuple[tuple[str, ...], str]:
    """A rule file's `paths` globs (empty: it always holds) and its body."""
    text = text.replace("\r\n", "\n")
    match = _FRONTMATTER.match(text)
    if match is None:
        return (), text
    return tuple(_paths(match[1])), text[match.end() :]


def _paths(frontmatter: str) -> Iterator[str]:
    """Globs of `paths:` as a string, a list in brackets or a list of lines; quotes and commas in braces respected."""
    inside = False
    for line in frontmatter.splitlines():
        stripped = line.strip()
        if line.startswith("paths:"):
            inside = True
            stripped = stripped.removeprefix("paths:").strip()
            bracketed = stripped.startswith("[") and stripped.endswith("]")
            yield from _split_commas(stripped[1:-1] if bracketed else stripped)
        elif inside and stripped.startswith("- "):
            yield from _split_commas(stripped[2:])
        elif stripped and not line[0].isspace():
            inside = False


def _split_commas(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for i, char in enumerate(text + ","):
        depth += (char == "{") - (char == "}")
        if char == "," and depth <= 0:
            glob = text[start:i].strip().strip("\"'")
            if glob:
                yield glob
            start = i + 1


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it belongs to a fenced code block."""
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if fence:
            yield line, True
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match and not (match[1][0] == "`" and "`" in match[2]):
            fence = match[1]
            yield line, True
        else:
            yield line, False
