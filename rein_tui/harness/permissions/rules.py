"""The grammar of permission rules: `Tool` or `Tool(what)`.

`parse_rule` reads one rule as written. What cannot be read grants nothing: a bad allow rule is left out, a bad
deny or ask rule becomes an ask for the whole tool, so that a typing error never widens a permission.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Rule
from rein_tui.harness.protocol.events import Notice

from .path_pattern import PathPattern, compile_pattern
from .tool_names import BASH_FIELDS, KNOWN, PRIMARY_FIELDS, READERS, WRITERS, Access, canonical, mcp_server
from .wildcard import host_matches, matches

RuleKind: TypeAlias = Literal["tool", "bash", "path", "domain", "field", "name"]

MAX_RULE = 12_000

_SHAPE = re.compile(r"([A-Za-z*][A-Za-z0-9_*.-]*)(?:\((.*)\))?", re.DOTALL)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SEVERAL = re.compile(r"\)\s*[,;]\s*[A-Z][A-Za-z]+\(")
_FIELD = re.compile(r"([A-Za-z_-][A-Za-z0-9_-]*):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """One rule, understood.

    `tool` is today's name or a glob of names. `spec` is what stands in the parentheses, `pattern` the compiled
    path (None for the whole tool), `access` what a path rule is about. `behavior` is what the rule does, which
    is stricter than what is written when the rule was hardened.
    """

    rule: Rule
    kind: RuleKind
    tool: str
    spec: str = ""
    pattern: PathPattern | None = None
    access: Access = "read"

    @property
    def behavior(self) -> Literal["allow", "ask", "deny"]:
        """What a call that fits is."""
        return self.rule.behavior

    def names(self, tool: str) -> bool:
        """Whether the rule speaks about that tool (MCP: a server's name covers its tools)."""
        if self.tool == tool:
            return True
        if "*" in self.tool:
            return matches(self.tool, tool)
        return self.tool.startswith("mcp__") and self.tool.count("__") == 1 and mcp_server(tool) == self.tool[5:]

    def fits_input(self, tool_input: JsonObject) -> bool:
        """Whether a rule about input fields, names or hosts fits this input (others: true)."""
        if self.kind == "field":
            return _field_fits(self.spec, tool_input)
        if self.kind == "domain":
            return any(
                host_matches(self.spec, host)
                for host in hosts_of(tool_input.get("url"), broad=self.behavior != "allow")
            )
        if self.kind == "name":
            return _name_fits(self, tool_input)
        return True


Parsed: TypeAlias = tuple[ParsedRule | None, Notice | None]


def parse_rule(rule: Rule) -> Parsed:
    """Read one rule. Gives the rule (None: it does nothing) and what a person should know about it. Never raises."""
    text = rule.text.strip()
    shape = _SHAPE.fullmatch(text) if len(text) <= MAX_RULE else None
    if shape is None:
        return _malformed(rule, text, "is not written as Tool or Tool(what)")
    name, spec = canonical(shape[1]), shape[2]
    if "*" in name and rule.behavior == "allow" and not _anchored_glob(name):
        return None, _notice(
            rule, "a wildcard for tools may only follow mcp__<server>__ in an allow rule", "inert_rule"
        )
    if name not in KNOWN and "*" not in name and "_" not in name:
        return _unknown(rule, name, spec)
    if spec is None:
        return _whole(rule, name), None
    return _with_spec(rule, name, spec)


def read_rules(rules: Iterable[Rule]) -> tuple[list[ParsedRule], list[Notice]]:
    """Read many rules in order, with everything that should be told."""
    parsed: list[ParsedRule] = []
    notices: list[Notice] = []
    for rule in rules:
        good, notice = parse_rule(rule)
        if good is not None:
            parsed.append(good)
        if notice is not None:
            notices.append(notice)
    return parsed, notices


def _whole(rule: Rule, name: str) -> ParsedRule:
    if name in ("Read", "Edit"):
        return ParsedRule(rule, "path", name, access="read" if name == "Read" else "write")
    return ParsedRule(rule, "bash" if name == "Bash" else "tool", name)


def _with_spec(rule: Rule, name: str, spec: str) -> Parsed:
    if not spec.strip():
        return _malformed(rule, name, "has nothing between its parentheses")
    if _SEVERAL.search(spec):
        return _malformed(rule, name, "looks like several rules in one string")
    if spec.strip() == "*" and name not in READERS and name not in WRITERS:
        return _whole(rule, name), None
    if name == "Bash":
        return _bash(rule, spec)
    if name == "WebFetch":
        if spec.startswith("domain:") and spec[7:].strip():
            return ParsedRule(rule, "domain", name, spec[7:]), None
        return _malformed(rule, name, "takes only domain:<host>")
    field = _FIELD.fullmatch(spec)
    if field and name in ("Grep", "Glob") and field[1] in ("pattern", "glob", "output_mode", "type"):
        return _field(rule, name, field[1], spec)
    if name in READERS or name in WRITERS:
        return _path(rule, name, spec)
    if name in ("Agent", "Skill"):
        return ParsedRule(rule, "name", name, spec), None
    if name == "Cd":
        return _path(rule, name, spec)
    if field:
        return _field(rule, name, field[1], spec)
    return _malformed(rule, name, "has no form with parentheses, but for <field>:<value>")


def _bash(rule: Rule, spec: str) -> Parsed:
    field = _FIELD.fullmatch(spec)
    if field and field[1] in BASH_FIELDS | {"command"} and not spec.endswith(":*"):
        return _field(rule, "Bash", field[1], spec)
    return ParsedRule(rule, "bash", "Bash", spec), None


def _field(rule: Rule, name: str, field: str, spec: str) -> Parsed:
    if field in PRIMARY_FIELDS:
        return _malformed(rule, name, f"may not name the field {field!r}, which has a grammar of its own")
    if rule.behavior == "allow":
        return None, _notice(rule, "a rule about an input field can only ask or deny", "inert_rule")
    return ParsedRule(rule, "field", name, spec), None


def _path(rule: Rule, name: str, spec: str) -> Parsed:
    notice = None
    if name not in ("Read", "Edit", "Cd"):
        covering = "Edit" if name in WRITERS else "Read"
        if rule.behavior == "allow":
            return None, _notice(rule, f"is never consulted; write {covering}({spec})", "inert_rule")
        notice = _notice(rule, f"is read as {covering}({spec})", "inert_rule")
    if spec.strip() == "*" and rule.behavior != "allow":
        return _whole(rule, "Edit" if name in WRITERS else "Read"), notice
    pattern = compile_pattern(spec, broad=rule.behavior != "allow")
    if isinstance(pattern, str):
        return _malformed(rule, name, pattern)
    if name == "Cd":
        return ParsedRule(rule, "path", name, spec, pattern), notice
    access: Access = "write" if name in WRITERS else "read"
    return ParsedRule(rule, "path", "Edit" if access == "write" else "Read", spec, pattern, access), notice


def _unknown(rule: Rule, name: str, spec: str | None) -> Parsed:
    close = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.6)
    same = next((known for known in KNOWN if known.lower() == name.lower()), "")
    if same and rule.behavior != "allow":
        text = same if spec is None else f"{same}({spec})"
        parsed, _ = parse_rule(Rule(text=text, behavior=rule.behavior, source=rule.source))
        return parsed, _notice(rule, f"tool names are case-sensitive; read as {text}", "unknown_tool")
    hint = f"did you mean {same or close[0]!r}?" if same or close else ""
    notice = _notice(rule, f"names a tool that does not exist: {name}", "unknown_tool", hint)
    if rule.behavior == "allow" and same:
        return None, notice
    return ParsedRule(rule, "tool", name) if spec is None else None, notice


def _malformed(rule: Rule, text: str, reason: str) -> Parsed:
    if rule.behavior == "allow" or not text:
        return None, _notice(rule, f"{reason}; left out", "entry_skipped")
    found = _NAME.match(text)
    name = canonical(found[0]) if found else ""
    known = name in KNOWN or name.startswith("mcp__")
    tool = name if known else "*"
    hardened = Rule(text=rule.text, behavior="ask", source=rule.source)
    which = tool if known else "every tool"
    parsed = _whole(hardened, tool)
    return parsed, _notice(rule, f"{reason}; until it is corrected, {which} asks", "entry_hardened")


def _notice(rule: Rule, text: str, code: str, hint: str = "") -> Notice:
    shown = rule.text if len(rule.text) <= 120 else rule.text[:119] + "…"
    return Notice(
        text=f"permission rule {shown!r} ({rule.behavior}) {text}",
        level="warning",
        where=str(rule.source),
        hint=hint,
        code=code,
    )


def _anchored_glob(name: str) -> bool:
    parts = name.split("__", 2)
    return len(parts) == 3 and parts[0] == "mcp" and bool(parts[1]) and "*" not in parts[1]


def _field_fits(spec: str, tool_input: JsonObject) -> bool:
    name, _, wanted = spec.partition(":")
    value = tool_input.get(name)
    if isinstance(value, bool):
        return matches(wanted, str(value).lower())
    return isinstance(value, str | int | float) and matches(wanted, str(value))


def _name_fits(rule: ParsedRule, tool_input: JsonObject) -> bool:
    value = tool_input.get("subagent_type" if rule.tool == "Agent" else "skill")
    name = value.removeprefix("/") if isinstance(value, str) else ""
    spec = rule.spec.strip().removeprefix("/")
    if rule.tool == "Agent":
        return matches(spec, name or "general-purpose") or (rule.behavior != "allow" and _field_fits(spec, tool_input))
    arguments = tool_input.get("args")
    whole = f"{name} {arguments}" if isinstance(arguments, str) and arguments else name
    for ending in (" *", ":*"):
        if spec.endswith(ending):
            start = spec.removesuffix(ending)
            return whole == start or whole.startswith((start + " ", start + ":"))
    return spec in (name, whole)


def hosts_of(url: object, *, broad: bool = False) -> list[str]:
    """The host of a URL as every reader understands it, or nothing; `broad`: every host that some reader may see."""
    if not isinstance(url, str):
        return []
    if broad:
        plain = unicodedata.normalize("NFKC", url).strip().replace("\\", "/")
        rest = plain.partition("//")[2] or plain
        authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
        return [_host(part) for part in authority.split("@") if part]
    if "\\" in url or any(ord(char) < 33 or ord(char) > 126 for char in url):
        return []
    shape = re.fullmatch(r"(?i:https?)://([^/?#@]+)(?:[/?#].*)?", url)
    return [_host(shape[1])] if shape else []


def _host(authority: str) -> str:
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0]
