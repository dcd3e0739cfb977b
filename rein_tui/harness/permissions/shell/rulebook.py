"""The Bash rules of one behaviour, indexed by program, and the account of which were tried on what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rein_tui.harness.protocol.decisions import Rule, RuleTrial

from .patterns import Pattern, collapse_blanks, compile_pattern, rule_spec

_EVERYTHING = compile_pattern("*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule, compiled, at its place in the order."""

    place: int
    rule: Rule
    pattern: Pattern


@dataclass(slots=True)
class RuleBook:
    """All rules of one behaviour."""

    rules: tuple[Rule, ...]
    bare: Entry | None = None
    by_program: dict[str, list[Entry]] = field(default_factory=dict[str, list[Entry]])
    loose: list[Entry] = field(default_factory=list[Entry])
    matched: dict[int, list[str]] = field(default_factory=dict[int, list[str]])

    @classmethod
    def of(cls, rules: tuple[Rule, ...]) -> "RuleBook":
        """Compile and index."""
        book = cls(rules)
        for place, rule in enumerate(rules):
            spec = rule_spec(rule.text)
            pattern = _EVERYTHING if spec is None else compile_pattern(spec)
            entry = Entry(place, rule, pattern)
            if pattern.is_everything:
                book.bare = book.bare or entry
            elif pattern.program:
                book.by_program.setdefault(pattern.program, []).append(entry)
            else:
                book.loose.append(entry)
        return book

    @property
    def is_scoped(self) -> bool:
        """Whether any rule is about particular commands."""
        return bool(self.by_program or self.loose)

    def names(self, program: str) -> Entry | None:
        """The first rule that begins with this program, whatever follows in it."""
        named = self.by_program.get(program)
        return named[0] if named else None

    def match(self, texts: Iterable[str], part: str) -> list[Entry]:
        """Rules that match any of the texts, in order; the bare rule matches everything. Remembers them for `part`."""
        found: dict[int, Entry] = {}
        if self.bare:
            found[self.bare.place] = self.bare
        for text in texts:
            plain = collapse_blanks(text)
            for candidate in (text,) if plain == text else (text, plain):
                for entry in self._candidates(candidate):
                    if entry.place not in found and entry.pattern.matches(candidate):
                        found[entry.place] = entry
        for place in found:
            parts = self.matched.setdefault(place, [])
            if part not in parts:
                parts.append(part)
        return [found[place] for place in sorted(found)]

    def _candidates(self, text: str) -> Sequence[Entry]:
        named = self.by_program.get(text.split(" ", 1)[0])
        return [*named, *self.loose] if named else self.loose

    def trials(self, deciding: Rule | None, whole: str) -> list[RuleTrial]:
        """Every rule with what came of it. `whole` stands for the line in rules that matched no part."""
        told: list[RuleTrial] = []
        for place, rule in enumerate(self.rules):
            parts = self.matched.get(place)
            if parts is None:
                told.append(RuleTrial(rule=rule, matched=False, reason="matches no part of the line", part=whole))
                continue
            decided = rule is deciding
            reason = "decided" if decided else "matched, but something else decided"
            told.extend(RuleTrial(rule=rule, matched=True, reason=reason, part=part, decided=decided) for part in parts)
        return told
