"""All rules in force, sorted by what they do and anchored to real folders."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeAlias

from rein_tui.harness.protocol.decisions import Rule, RuleTrial

from .facts import Facts
from .path_pattern import PathPattern, compile_pattern, fits
from .rules import ParsedRule
from .spelling import components
from .tool_names import Access

Behavior: TypeAlias = Literal["allow", "ask", "deny"]

BEHAVIORS: tuple[Behavior, ...] = ("deny", "ask", "allow")

Parts: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """The folders that patterns start from. `bases` maps a settings file to what a leading `/` means in it.

    `folds` is true on volumes that take names of any case for the same file.
    """

    cwd: str
    root: str
    home: str
    bases: Mapping[str, str] = field(default_factory=dict[str, str], hash=False, compare=False)
    folds: bool = False

    def fold(self, path: str) -> Parts:
        """The components of a path, as names are compared on this volume."""
        if not path.isascii():
            path = unicodedata.normalize("NFC", path)
        return components(path.casefold() if self.folds else path)


@dataclass(frozen=True, slots=True)
class AnchoredRule:
    """A path rule with the folders that it starts from. `whole` rules fit every path."""

    parsed: ParsedRule
    starts: tuple[tuple[Parts, Parts, PathPattern], ...]
    whole: bool
    miss: RuleTrial

    def fits(self, parts: Parts) -> bool:
        """Whether one spelling of a path fits."""
        if self.whole:
            return True
        broad = self.parsed.behavior != "allow" or self.parsed.access == "read"
        for anchor, prefix, pattern in self.starts:
            if parts[: len(prefix)] == prefix and fits(pattern, parts[len(anchor) :], broad=broad):
                return True
        return False


def anchored(parsed: ParsedRule, ground: Ground, real: Callable[[str], str]) -> AnchoredRule:
    """Give a path rule its folders; `real` follows links."""
    miss = RuleTrial(rule=parsed.rule, matched=False, reason="the path does not fit")
    pattern = parsed.pattern
    if pattern is None:
        return AnchoredRule(parsed, (), True, miss)
    if ground.folds:
        folded = compile_pattern(pattern.text.casefold(), broad=parsed.behavior != "allow")
        pattern = pattern if isinstance(folded, str) else folded
    folders = _folders(parsed, pattern, ground)
    starts: dict[tuple[Parts, Parts], PathPattern] = {}
    for folder in dict.fromkeys((*folders, *(real(folder) for folder in folders))):
        anchor = ground.fold(folder)
        starts[anchor, (*anchor, *pattern.literal_prefix)] = pattern
        if parsed.behavior != "allow":
            starts |= _real_start(folder, pattern, ground, real)
    return AnchoredRule(parsed, tuple((*key, value) for key, value in starts.items()), False, miss)


def _folders(parsed: ParsedRule, pattern: PathPattern, ground: Ground) -> tuple[str, ...]:
    if pattern.anchor == "root":
        return ("/",)
    if pattern.anchor == "home":
        return (ground.home,)
    if pattern.anchor == "base":
        return (ground.bases.get(parsed.rule.source.path, ground.root),)
    return (ground.root,) if parsed.behavior == "allow" else tuple(dict.fromkeys((ground.root, ground.cwd)))


def _real_start(
    folder: str, pattern: PathPattern, ground: Ground, real: Callable[[str], str]
) -> dict[tuple[Parts, Parts], PathPattern]:
    """A rule that forbids `/var/run/x` also forbids where `/var/run` really leads."""
    prefix = pattern.literal_prefix
    if not prefix:
        return {}
    written = "/".join((folder.rstrip("/"), *prefix))
    leads = real(written)
    if ground.fold(leads) == ground.fold(written):
        return {}
    rest = PathPattern(pattern.text, "root", pattern.parts[len(prefix) :], inside=pattern.inside)
    anchor = ground.fold(leads)
    return {(anchor, anchor): rest}


class Shelf:
    """Anchored rules of one kind, found by the folder that they speak about instead of one by one."""

    def __init__(self, rules: Iterable[AnchoredRule]) -> None:
        self.rules = tuple(rules)
        self.misses = [rule.miss for rule in self.rules]
        self._everywhere = [index for index, rule in enumerate(self.rules) if rule.whole]
        self._by_folder: dict[Parts, list[int]] = {}
        for index, rule in enumerate(self.rules):
            for _, prefix, _ in rule.starts:
                self._by_folder.setdefault(prefix, []).append(index)

        self._deepest = max(map(len, self._by_folder), default=0)

    def fitting(self, names: Iterable[Parts]) -> list[tuple[int, AnchoredRule, tuple[bool, ...]]]:
        """The rules that fit any of these names, in order, with the names that each fits."""
        spelled = tuple(names)
        near = set(self._everywhere)
        for parts in spelled:
            for length in range(min(len(parts), self._deepest) + 1):
                near.update(self._by_folder.get(parts[:length], ()))
        found: list[tuple[int, AnchoredRule, tuple[bool, ...]]] = []
        for index in sorted(near):
            covered = tuple(self.rules[index].fits(parts) for parts in spelled)
            if any(covered):
                found.append((index, self.rules[index], covered))
        return found


@dataclass(frozen=True, slots=True)
class PathRules:
    """All path rules, anchored. The keys are what a rule does and the access that it is asked about."""

    shelves: Mapping[tuple[Behavior, Access], Shelf]
    guarded: tuple[str, ...]


def _path_rules(rules: Iterable[AnchoredRule]) -> PathRules:
    """A rule that forbids reading forbids changing too; one that allows changing allows reading too."""
    known = tuple(rules)
    shelves: dict[tuple[Behavior, Access], Shelf] = {}
    for behavior in BEHAVIORS:
        own = [rule for rule in known if rule.parsed.behavior == behavior]
        one = "read" if behavior != "allow" else "write"
        narrow = Shelf(rule for rule in own if rule.parsed.access == one)
        wide = Shelf(own)
        shelves[behavior, "read"], shelves[behavior, "write"] = (
            (wide, narrow) if behavior == "allow" else (narrow, wide)
        )
    forbidding = (*shelves["deny", "read"].rules, *shelves["ask", "read"].rules)
    return PathRules(shelves, guarded_globs(forbidding))


class RuleBook:
    """Rules sorted for quick use, in the order given (highest layer first)."""

    def __init__(self, rules: Iterable[ParsedRule]) -> None:
        self.rules = tuple(rules)
        self._paths: dict[tuple[Ground, int], PathRules] = {}
        self._tools: dict[Behavior, tuple[ParsedRule, ...]] = {
            behavior: tuple(r for r in self.rules if r.behavior == behavior and r.kind not in ("path", "bash"))
            for behavior in BEHAVIORS
        }
        self._bash: dict[Behavior, tuple[Rule, ...]] = {
            behavior: tuple(r.rule for r in self.rules if r.behavior == behavior and r.kind == "bash")
            for behavior in BEHAVIORS
        }

    def tool_rules(self, behavior: Behavior) -> tuple[ParsedRule, ...]:
        """Rules about whole tools, input fields, hosts and names."""
        return self._tools[behavior]

    def bash_rules(self, behavior: Behavior) -> tuple[Rule, ...]:
        """Rules of Bash as written."""
        return self._bash[behavior]

    def path_rules(self, ground: Ground, facts: Facts, epoch: int) -> PathRules:
        """Rules about files, anchored. `epoch` changes when links may have changed, so that they are read anew."""
        key = (ground, epoch)
        if key not in self._paths:
            self._paths.clear()
            real = cache(facts.realpath)
            found = [anchored(rule, ground, real) for rule in self.rules if rule.kind == "path" and rule.tool != "Cd"]
            self._paths[key] = _path_rules(found)
        return self._paths[key]


def guarded_globs(rules: Iterable[AnchoredRule]) -> tuple[str, ...]:
    """Absolute globs of everything that these rules keep from reading, for searches and shell globs."""
    globs: dict[str, None] = {}
    for rule in rules:
        if rule.whole:
            globs["/**"] = None
        for anchor, _, pattern in rule.starts:
            parts = [_bracketed(part) for part in pattern.parts]
            middle = ["**"] if pattern.floating else []
            globs["/" + "/".join((*map(_bracketed_name, anchor), *middle, *parts))] = None
    return tuple(globs)


def _bracketed(part: str) -> str:
    out, escaped = "", False
    for char in part:
        if char == "\\" and not escaped:
            escaped = True
            continue
        out += f"[{char}]" if escaped and char in "*?[" else char
        escaped = False
    return out


def _bracketed_name(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)
