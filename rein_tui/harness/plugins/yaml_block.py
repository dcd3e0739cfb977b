"""YAML as values and line numbers, without YAML's surprises.

Plain words stay words (`on`, `yes` and `1.0` are text), no tag constructs anything, no alias multiplies anything.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..protocol.base import JsonObject

if TYPE_CHECKING:
    from yaml.nodes import Node

TYPED = frozenset({"hooks", "mcpServers", "metadata"})
"""Keys below which plain words mean what JSON means by them: numbers, booleans, null."""

_PLAIN_LINE = re.compile(r"([A-Za-z][A-Za-z0-9_-]*): +((?![\s\[\]{}&*!|>'\"%@`,?#~-])(?:(?!: | #).)*[^\s:])[ ]*")
_DEEPEST = 32
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(
    _TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp", "value", "seq", "map")
)
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


class NotYaml(ValueError):
    """The text is no YAML that we read; `line` counts from 1 within it, 0 when unknown."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class UnsafeYaml(NotYaml):
    """The text asks for more than values: a tag that would construct something. Nothing of it counts."""


@dataclass(slots=True)
class YamlBlock:
    """The top-level keys of a mapping, and the line of each, counted from 1."""

    values: JsonObject = field(default_factory=dict[str, Any])
    lines: dict[str, int] = field(default_factory=dict[str, int])


def read_yaml(text: str) -> YamlBlock:
    """Decode a mapping. Raises NotYaml, UnsafeYaml."""
    return _plain(text) or _whole(text)


def _plain(text: str) -> YamlBlock | None:
    """Lines of `key: word word`, which most heads are, as YAML reads them but a hundred times as fast; else None."""
    block = YamlBlock()
    for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
        match = _PLAIN_LINE.fullmatch(line)
        if match is None or match[1] in block.values or match[1] in TYPED or not line.isprintable():
            return None
        block.values[match[1]] = match[2]
        block.lines[match[1]] = number
    return block


def _whole(text: str) -> YamlBlock:
    import yaml
    from yaml.nodes import MappingNode

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        try:
            root: Node | None = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark is not None else 0
        raise NotYaml(problem.problem or "is not YAML", line) from problem
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        raise NotYaml("is not YAML") from problem
    block = YamlBlock()
    if root is None:
        return block
    if not isinstance(root, MappingNode):
        raise NotYaml("is not a list of keys", 1)
    reader = _Reader()
    for key, value in root.value:
        name, line = str(reader.value(key)), key.start_mark.line + 1
        if name in block.values:
            raise NotYaml(f"the key {name!r} is there twice", line)
        block.values[name] = reader.value(value, typed=name in TYPED)
        block.lines[name] = line
    return block


class _Reader:
    """Turns nodes into values; a node that comes twice is an alias."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def value(self, node: "Node", *, typed: bool = False, depth: int = 0) -> Any:
        from yaml.nodes import MappingNode, ScalarNode, SequenceNode

        line = node.start_mark.line + 1
        if id(node) in self._seen:
            raise NotYaml("uses an alias", line)
        self._seen.add(id(node))
        if node.tag not in _PLAIN_TAGS and node.tag != _TAG + "merge":
            raise UnsafeYaml(f"has the tag {node.tag}", line)
        if depth > _DEEPEST:
            raise NotYaml(f"is nested deeper than {_DEEPEST} levels", line)
        if isinstance(node, ScalarNode):
            return _typed(node) if typed else node.value
        if isinstance(node, SequenceNode):
            return [self.value(item, typed=typed, depth=depth + 1) for item in node.value]
        if isinstance(node, MappingNode):
            return {
                str(self.value(key, depth=depth + 1)): self.value(item, typed=typed, depth=depth + 1)
                for key, item in node.value
            }
        raise NotYaml("is not YAML", line)


def _typed(node: Any) -> Any:
    text: str = node.value
    if node.style not in (None, "") or node.tag == _TAG + "str":
        return text
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
