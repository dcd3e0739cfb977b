"""The second reading: the grammar library's syntax tree, for cross-checking ours and for finding commands anywhere.

tree-sitter-bash recovers from errors and is lenient in places, so what it says never allows anything by itself:
it can only agree with the strict reader, or name commands that a deny or ask rule should see.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

Span = tuple[int, int]

_WORDS = frozenset(
    "word number string raw_string concatenation simple_expansion expansion ansi_c_string translated_string "
    "command_substitution process_substitution arithmetic_expansion brace_expression test_operator "
    "variable_assignment variable_name special_variable_name array regex extglob_pattern subscript".split()
)
_STATEMENTS = frozenset({"command", "test_command", "declaration_command", "unset_command"})
_STRUCTURE = frozenset(
    "program list pipeline negated_command command_name redirected_statement file_redirect heredoc_redirect "
    "herestring_redirect heredoc_start heredoc_end heredoc_body heredoc_content file_descriptor comment "
    "command test_command declaration_command unset_command unary_expression binary_expression "
    "parenthesized_expression".split()
)
_UNDERSTOOD = _STRUCTURE | frozenset(
    "word number string raw_string concatenation simple_expansion variable_assignment variable_name "
    "special_variable_name string_content test_operator brace_expression "
    "for_statement do_group if_statement elif_clause else_clause".split()
)
_TOKENS = frozenset(
    '\n && || | |& ; & ! > >> < >| >& <& >&- <&- &> &>> << <<< <> [ ] " $ = += ( ) == != -a -o'.split(" ")
) | frozenset("export declare typeset readonly local unset if then elif else fi for in do done { } .. ${".split())
# What cannot by itself start a program that is not a command node of its own.
_VISIBLE = _UNDERSTOOD | frozenset(
    "command_substitution process_substitution subshell compound_statement if_statement elif_clause else_clause "
    "while_statement do_group for_statement case_statement case_item heredoc_body heredoc_content string_expansion "
    "last_case_item until_statement ansi_c_string".split()
)
_PLAIN_EXPANSION = re.compile(rb"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_HARMLESS_EXPANSION = re.compile(rb"\$\{#?[A-Za-z_][A-Za-z0-9_]*(?:(?::?[-=?+]|##?|%%?)[^@]*)?\}", re.DOTALL)


@dataclass(slots=True)
class Found:
    """One command node anywhere in the tree: its words, assignments and redirects as source text."""

    source: str
    words: list[str] = field(default_factory=list[str])
    redirects: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    bodies: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Tree:
    """What the grammar saw. `problem` is the first thing outside the node allow-list; `blind` when something may
    run programs that are not among `found`; `broken` when the text does not parse."""

    groups: list[list[Span]] = field(default_factory=list[list[Span]])
    found: list[Found] = field(default_factory=list[Found])
    problem: str = ""
    blind: bool = False
    broken: bool = False


@lru_cache(maxsize=1)
def _parser() -> "Parser":
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def parse(source: bytes, inert: frozenset[Span] = frozenset()) -> Tree:
    """Read a line. `inert` are spans that the strict reader took for plain text (`$(cat <<'X'`)."""
    root = _parser().parse(source).root_node
    walk = _Walk(source, inert)
    walk.run(root)
    return walk.tree


class _Walk:
    """One pass over a tree, without recursion, so that depth costs nothing."""

    def __init__(self, source: bytes, inert: frozenset[Span]) -> None:
        self.source = source
        self.inert = inert
        self.tree = Tree()
        self.stack: list[tuple[Node, int, bool]] = []
        self.floating: list[int] = []
        self.lists: set[int] = set()

    def run(self, root: "Node") -> None:
        self.tree.broken = root.has_error
        if root.has_error:
            self.tree.problem = "the line does not parse as bash"
            self.tree.blind = True
        self.stack.append((root, -1, False))
        while self.stack:
            node, group, in_word = self.stack.pop()
            self._visit(node, group, in_word)
        self._settle()

    def _settle(self) -> None:
        """Groups in order of their text. A redirect after a list (`a && b > f`) belongs to the list's last command."""
        groups = sorted((sorted(spans) for index, spans in enumerate(self.tree.groups) if index not in self.floating))
        self.tree.blind = self.tree.blind or any(self.tree.found[index].words for index in self.floating)
        for index in self.floating:
            for span in self.tree.groups[index]:
                before = [spans for spans in groups if spans and spans[0] < span]
                (before[-1] if before else groups[0] if groups else []).append(span)
        self.tree.groups = [sorted(spans) for spans in groups if spans]

    def _text(self, node: "Node") -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _new_group(self, node: "Node") -> int:
        self.tree.groups.append([])
        self.tree.found.append(Found(source=self._text(node)))
        return len(self.tree.groups) - 1

    def _visit(self, node: "Node", group: int, in_word: bool) -> None:
        kind = node.type
        if (node.start_byte, node.end_byte) in self.inert:
            return
        self._judge(node, kind)
        if kind in _STATEMENTS:
            group = group if group >= 0 else self._new_group(node)
            in_word = False
        elif kind == "redirected_statement":
            group = self._new_group(node)
            in_word = False
        elif kind in {"command_substitution", "process_substitution"}:
            self._add_substitution(node, group, in_word)
            return
        elif kind == "variable_assignment" and group < 0 and not in_word:
            group = self._new_group(node)
        if kind in _WORDS and not in_word:
            if group >= 0:
                self._add_word(node, group)
            in_word = True
        if kind == "for_statement":
            self._add_loop(node)
            return
        self._push_children(node, kind, group, in_word)

    def _add_loop(self, node: "Node") -> None:
        """The words that a loop goes over are a group of their own, and no command."""
        group = self._new_group(node)
        self.lists.add(group)
        for child in reversed(node.children):
            is_value = child.type in _WORDS and child != node.child_by_field_name("variable")
            self.stack.append((child, group if is_value else -1, False))

    def _add_substitution(self, node: "Node", group: int, in_word: bool) -> None:
        """A word as a whole, and commands of their own inside."""
        if group >= 0 and not in_word:
            self._add_word(node, group)
        for child in reversed(node.children):
            self.stack.append((child, -1, False))

    def _judge(self, node: "Node", kind: str) -> None:
        if node.is_named:
            plain = kind == "expansion" and _PLAIN_EXPANSION.fullmatch(self.source, node.start_byte, node.end_byte)
            if kind not in _UNDERSTOOD and not plain:
                self.tree.problem = self.tree.problem or f"a {kind.replace('_', ' ')} is not analysed"
                harmless = kind == "expansion" and _HARMLESS_EXPANSION.fullmatch(
                    self.source, node.start_byte, node.end_byte
                )
                if kind not in _VISIBLE and not harmless:
                    self.tree.blind = True
        elif kind not in _TOKENS and not self.tree.problem:
            self.tree.problem = f"`{kind}` is not analysed"

    def _add_word(self, node: "Node", group: int) -> None:
        spans = self.tree.groups[group]
        start, end = node.start_byte, node.end_byte
        words = self.tree.found[group].words
        if spans and spans[-1][1] == start and (words or group in self.lists):
            spans[-1] = (spans[-1][0], end)
            if words:
                words[-1] += self._text(node)
            return
        spans.append((start, end))
        if group not in self.lists:
            words.append(self._text(node))

    def _push_children(self, node: "Node", kind: str, group: int, in_word: bool) -> None:
        children = node.children
        if kind == "redirected_statement":
            body = node.child_by_field_name("body")
            if body is not None and body.type not in _STATEMENTS:
                self.floating.append(group)
            for child in reversed(children):
                inner = group if body is None or child != body or child.type in _STATEMENTS else -1
                self.stack.append((child, inner, False))
            return
        if kind == "file_redirect" and group >= 0:
            self._redirect(node, group)
            return
        if kind in {"heredoc_redirect", "herestring_redirect"} and group >= 0:
            self._here(node, group)
            return
        if kind == "test_command" and group >= 0:
            self.tree.groups[group].append((children[0].start_byte, children[0].end_byte))
            self.tree.found[group].words.append(self._text(children[0]))
            last = children[-1]
            self.tree.groups[group].append((last.start_byte, last.end_byte))
        if kind in {"declaration_command", "unset_command"} and group >= 0:
            self.tree.groups[group].insert(0, (children[0].start_byte, children[0].end_byte))
            self.tree.found[group].words.insert(0, self._text(children[0]))
        inside_test = kind in {"test_command", "unary_expression", "binary_expression", "parenthesized_expression"}
        keeps = kind in _STATEMENTS or kind == "command_name" or inside_test
        for child in reversed(children):
            if inside_test and not child.is_named and child.type not in {"[", "]", "[[", "]]"} and group >= 0:
                self.tree.groups[group].append((child.start_byte, child.end_byte))
                self.tree.found[group].words.append(self._text(child))
            self.stack.append((child, group if keeps else -1, in_word))

    def _redirect(self, node: "Node", group: int) -> None:
        operator = ""
        targets: list[Node] = []
        for child in node.children:
            if child.type in _WORDS:
                targets.append(child)
            else:
                self._judge(child, child.type)
                operator = self._text(child) if not child.is_named else operator
        for index, child in enumerate(targets):
            if index == 0:
                self.tree.groups[group].append((child.start_byte, child.end_byte))
                self.tree.found[group].redirects.append((operator, self._text(child)))
                self.stack.append((child, -1, True))
            else:
                self.stack.append((child, group, False))

    def _here(self, node: "Node", group: int) -> None:
        for child in reversed(node.children):
            kind = child.type
            if kind in _WORDS and node.type == "herestring_redirect":
                self.tree.groups[group].append((child.start_byte, child.end_byte))
                self.tree.found[group].redirects.append(("<<<", self._text(child)))
                self.stack.append((child, -1, True))
            elif kind == "heredoc_start":
                self.tree.groups[group].append((child.start_byte, child.end_byte))
            elif kind == "heredoc_body":
                self.tree.found[group].bodies.append(self._text(child))
                self.stack.append((child, -1, True))
            elif kind in _WORDS or kind == "file_redirect":
                self.stack.append((child, group, False))
            else:
                self.stack.append((child, -1, False))
