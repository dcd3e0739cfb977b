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
    """Patterns by the program that they name and by their head, each with its place among the rules. `lengths` are
    those of the heads, `bare` is -1 when there is none, `misses` say of each pattern why it fits no part."""

    patterns: tuple[Pattern, ...]
    misses: tuple[str, ...]
    by_program: MappingProxyType[str, tuple[int, ...]]
    by_head: MappingProxyType[str, tuple[int, ...]]
    lengths: tuple[int, ...]
    bare: int


def _miss(pattern: Pattern) -> str:
    return "no part is exactly this command" if pattern.is_exact else "no part fits the pattern"


@lru_cache(maxsize=32)
def _index(texts: tuple[str, ...]) -> Index:
    patterns = tuple(_EVERYTHING if (spec := rule_spec(text)) is None else compile_pattern(spec) for text in texts)
    programs: dict[str, list[int]] = {}
    heads: dict[str, list[int]] = {}
    bare = -1
    for place, pattern in enumerate(patterns):
        if pattern.is_everything:
            bare = place if bare < 0 else bare
            continue
        heads.setdefault(pattern.head, []).append(place)
        if pattern.program:
            programs.setdefault(pattern.program, []).append(place)
    lengths = tuple(sorted({len(head) for head in heads}))
    return Index(patterns, tuple(map(_miss, patterns)), _fixed(programs), _fixed(heads), lengths, bare)


def _fixed(groups: dict[str, list[int]]) -> MappingProxyType[str, tuple[int, ...]]:
    return MappingProxyType({name: tuple(places) for name, places in groups.items()})


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
        return bool(self.index.by_head)

    def names(self, program: str) -> Rule | None:
        """The first rule that begins with this program, whatever follows in it."""
        places = self.index.by_program.get(program)
        return self.rules[places[0]] if places else None

    def match(self, texts: Iterable[str], part: str) -> list[Entry]:
        """Rules that match any of the texts, in order; the bare rule matches everything. Remembers them for `part`."""
        if not self.rules:
            return []
        places: set[int] = {self.index.bare} if self.index.bare >= 0 else set()
        for text in dict.fromkeys(spelling for given in texts for spelling in (given, collapse_blanks(given))):
            self._try(text, places)
        for place in places:
            parts = self.matched.setdefault(place, [])
            if part not in parts:
                parts.append(part)
        return [Entry(place, self.rules[place], self.index.patterns[place]) for place in sorted(places)]

    def _try(self, text: str, places: set[int]) -> None:
        patterns, by_head = self.index.patterns, self.index.by_head
        for length in self.index.lengths:
            for place in by_head.get(text[:length], ()):
                if place not in places and patterns[place].matches(text):
                    places.add(place)

    def object_to(self, place: int, why: str) -> None:
        """Remember why a matching rule does not cover a command."""
        self.objections.setdefault(place, why)

    def trials(self, deciding: Rule | None, whole: str, programs: Set[str]) -> list[RuleTrial]:
        """Every rule with what came of it. `whole` stands for the line in rules that matched no part of it;
        `programs` are those that the line may start."""
        told: list[RuleTrial] = []
        patterns, misses = self.index.patterns, self.index.misses
        for place, rule in enumerate(self.rules):
            parts = self.matched.get(place)
            if parts is None:
                program = patterns[place].program
                reason = misses[place] if not program or program in programs else "the line does not start this program"
                told.append(RuleTrial(rule=rule, matched=False, reason=reason, part=whole))
                continue
            decided = rule is deciding
            reason = "decided" if decided else self.objections.get(place, "matched, but something else decided")
            told.extend(RuleTrial(rule=rule, matched=True, reason=reason, part=part, decided=decided) for part in parts)
        return told
