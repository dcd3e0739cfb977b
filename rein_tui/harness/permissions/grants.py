"""Rules that a person gave while working: kept in memory or written to a settings file, listed, taken back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import Grant, Layer, Outcome, Rule, Scope, Source
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.settings.edit import add_rule, remove_rule
from rein_tui.harness.settings.locations import local_file
from rein_tui.harness.settings.trust import keep_trust

from .rules import parse_rule

_LAYERS: dict[Scope, Layer] = {"session": "session", "project": "project", "user": "user", "local": "local"}


@dataclass(slots=True)
class _Held:
    rule: Rule
    grant: Grant

    def is_about(self, text: str, scope: Scope, behavior: Outcome) -> bool:
        """Whether this is that rule in that place."""
        return (self.rule.text, self.grant.scope, self.rule.behavior) == (text, scope, behavior)


@dataclass(slots=True)
class Grants:
    """The grants of one session. `pending` are rules just written to a file that no reload has brought yet."""

    places: Places
    root: Path
    clock: Callable[[], float]
    held: list[_Held] = field(default_factory=list[_Held])
    _fresh: set[Rule] = field(default_factory=set[Rule])

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Rules that the settings do not hold themselves."""
        return tuple(
            item.rule
            for item in self.held
            if not item.grant.revoked and (item.grant.scope == "session" or item.rule in self._fresh)
        )

    @property
    def listed(self) -> tuple[Grant, ...]:
        """Every grant of the session, also those taken back."""
        return tuple(item.grant for item in self.held)

    def settings_changed(self) -> None:
        """Settings were read anew: written grants are among them now."""
        self._fresh.clear()

    def add(self, texts: Sequence[str], scope: Scope, behavior: Outcome = "allow") -> list[Rule]:
        """Grant rules. All are checked before the first is kept. Raises ConfigError."""
        path = "" if scope == "session" else str(self.file(scope))
        for text in texts:
            parsed, notice = parse_rule(Rule(text=text, behavior=behavior, source=Source(layer=_LAYERS[scope])))
            if parsed is None:
                raise ConfigError(
                    notice.text if notice else "the rule cannot be read", hint=notice.hint if notice else ""
                )
        added: list[Rule] = []
        for text in texts:
            line = 0
            if path:
                with keep_trust(self.places, self.root):
                    line = add_rule(Path(path), behavior, text, self._within(scope))
            rule = Rule(text=text, behavior=behavior, source=Source(layer=_LAYERS[scope], path=path, line=line))
            grant = Grant(rule=text, scope=scope, time=self.clock(), path=path)
            self.held = [item for item in self.held if not item.is_about(text, scope, behavior)]
            self.held.append(_Held(rule, grant))
            if path:
                self._fresh.add(rule)
            added.append(rule)
        return added

    def remove(self, text: str, scope: Scope, behavior: Outcome = "allow") -> bool:
        """Take a rule back, from memory and from its file. Raises ConfigError."""
        found = False
        for item in self.held:
            if item.is_about(text, scope, behavior) and not item.grant.revoked:
                item.grant = msgspec.structs.replace(item.grant, revoked=True)
                self._fresh.discard(item.rule)
                found = True
        if scope != "session":
            with keep_trust(self.places, self.root):
                found = remove_rule(self.file(scope), behavior, text, self._within(scope)) or found
        return found

    def count(self, rule: Rule) -> None:
        """A call was allowed by that rule."""
        for item in self.held:
            same_file = (item.rule.source.layer, item.rule.source.path) == (rule.source.layer, rule.source.path)
            if item.rule.text == rule.text and same_file and not item.grant.revoked:
                item.grant = msgspec.structs.replace(item.grant, matched=item.grant.matched + 1)

    def file(self, scope: Scope) -> Path:
        """The settings file of a scope."""
        if scope == "user":
            return self.places.user_settings
        if scope == "project":
            return self.root / ".claude" / "settings.json"
        return local_file(self.places, self.root)

    def _within(self, scope: Scope) -> Path | None:
        return None if scope == "user" else self.file(scope).parent.parent
