"""The Bash rules of one behaviour, indexed by program, and the account of which were tried on what."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from rein_tui.harness.protocol.decisions import Rule, RuleTrial

from .patterns import Pattern, collapse_blanks, compile_pattern, rule_spec

_EVERYTHING = compile_pattern("*")


@dataclass(frozen=True, slots=True)
class Index:
    """Patterns by the program that they name, each with its place among the rules. `bare` is -1 when there is none."""

    patterns: tuple[Pattern, ...]
    by_program: MappingProxyType[str, tuple[int, ...]]
    loose: tuple[int, ...]
    bare: int


@lru_cache(maxsize=32)
def _index(texts: tuple[str, ...]) -> Index:
    patterns = tuple(_EVERYTHING if (spec := rule_spec(text)) is None else compile_pattern(spec) for text in texts)
    named: dict[str, list[int]] = {}
    loose: list[int] = []
    bare = -1
    for place, pattern in enumerate(patterns):
        if pattern.is_everything:
            bare = place if bare < 0 else bare
        elif pattern.program:
            named.setdefault(pattern.program, []).append(place)
        else:
            loose.append(place)
    by_program = MappingProxyType({program: tuple(places) for program, places in named.items()})
    return Index(patterns, by_program, tuple(loose), bare)


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule that matched, at its place in the order."""

    place: int
    rule: Rule
    pattern: Pattern


@dataclass(slots=True)
class RuleBook:
    """All rules of one behaviour, and which of them matched what so far."""

    rules: tuple[Rule, ...]
    index: Index
    matched: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    objections: dict[int, str] = field(default_factory=dict[int, str])

    @classmethod
    def of(cls, rules: tuple[Rule, ...]) -> "RuleBook":
        """Compile and index; remembered for the same texts."""
        return cls(rules, _index(tuple(rule.text for rule in rules)))

    @property
    def bare(self) -> Rule | None:
        """The rule for every use of the tool, if there is one."""
        return self.rules[self.index.bare] if self.index.bare >= 0 else None

    @property
    def is_scoped(self) -> bool:
        """Whether any rule is about particular commands."""
        return bool(self.index.by_program or self.index.loose)

    def names(self, program: str) -> Rule | None:
        """The first rule that begins with this program, whatever follows in it."""
        places = self.index.by_program.get(program)
        return self.rules[places[0]] if places else None

    def match(self, texts: Iterable[str], part: str) -> list[Entry]:
        """Rules that match any of the texts, in order; the bare rule matches everything. Remembers them for `part`."""
        if not self.rules:
            return []
        places: set[int] = {self.index.bare} if self.index.bare >= 0 else set()
        for text in texts:
            plain = collapse_blanks(text)
            self._try(text, places)
            if plain != text:
                self._try(plain, places)
        for place in places:
            parts = self.matched.setdefault(place, [])
            if part not in parts:
                parts.append(part)
        return [Entry(place, self.rules[place], self.index.patterns[place]) for place in sorted(places)]

    def _try(self, text: str, places: set[int]) -> None:
        patterns = self.index.patterns
        for group in (self.index.by_program.get(text.split(" ", 1)[0], ()), self.index.loose):
            for place in group:
                pattern = patterns[place]
                if text.startswith(pattern.head) and place not in places and pattern.matches(text):
                    places.add(place)

    def object_to(self, place: int, why: str) -> None:
        """Remember why a matching rule does not cover a command."""
        self.objections.setdefault(place, why)

    def trials(self, deciding: Rule | None, whole: str, programs: Set[str]) -> list[RuleTrial]:
        """Every rule with what came of it. `whole` stands for the line in rules that matched no part of it;
        `programs` are those that the line may start."""
        told: list[RuleTrial] = []
        for place, rule in enumerate(self.rules):
            parts = self.matched.get(place)
            if parts is None:
                reason = _why_unmatched(self.index.patterns[place], programs)
                told.append(RuleTrial(rule=rule, matched=False, reason=reason, part=whole))
                continue
            decided = rule is deciding
            reason = "decided" if decided else self.objections.get(place, "matched, but something else decided")
            told.extend(RuleTrial(rule=rule, matched=True, reason=reason, part=part, decided=decided) for part in parts)
        return told


def _why_unmatched(pattern: Pattern, programs: Set[str]) -> str:
    if pattern.program and pattern.program not in programs:
        return "the line does not start this program"
    if pattern.is_exact:
        return "no part is exactly this command"
    return "no part fits the pattern"
