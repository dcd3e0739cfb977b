"""The one question to the shell analysis: may this line run, and why.

Deny and ask look at everything that the line may start; allow looks only at lines that two independent readings
understand completely, one command at a time. The worst part decides.
"""

from dataclasses import dataclass, replace

from rein_tui.harness.protocol.decisions import DecidedBy, Outcome, PartDecision, Rule, RuleTrial, Source

from .critical import critical_removal
from .files import file_use
from .folders import Folders
from .mentions import mentioned_programs, runs_what_it_writes
from .parts import PartJudge, PartVerdict
from .pathjudge import PathJudge
from .reader import Command
from .rulebook import Entry, RuleBook
from .suggest import exact_rules, is_lasting, suggested_rules
from .survey import Invocation, Survey, survey
from .types import ShellScene, ShellVerdict
from .wrappers import base_name

_RANK = {"allow": 0, "ask": 1, "deny": 2}


def evaluate(command: str, scene: ShellScene) -> ShellVerdict:
    """Decide about one Bash line. Never raises; what is not understood asks."""
    return _Evaluation(command, scene).verdict()


@dataclass(frozen=True, slots=True)
class _Asking:
    """A command that no rule and no table allows, and where the shell is when it comes to it."""

    command: Command
    folders: Folders
    parts: list[PartVerdict]


class _Evaluation:
    def __init__(self, command: str, scene: ShellScene) -> None:
        self.command = command
        self.scene = scene
        self.books = {
            name: RuleBook.of(rules)
            for name, rules in (("deny", scene.deny), ("ask", scene.ask), ("allow", scene.allow))
        }
        self.survey: Survey = survey(command, home=scene.home, cwd=scene.cwd)
        self.uses = [file_use(one.argv) for one in self.survey.invocations[:200]]
        self.blind = self.survey.blind or self._runs_what_it_writes()
        self.paths = PathJudge(scene)
        self.parts: list[PartVerdict] = []
        self.asking: list[_Asking] = []
        self.mentions: dict[int, list[str]] = {}
        self.folders: tuple[str, ...] = (scene.cwd,)

    def _runs_what_it_writes(self) -> bool:
        writes = [target.value for operator, target in self.survey.targets if operator != "<"]
        return runs_what_it_writes([one.argv for one in self.survey.invocations[:200]], self.uses, writes)

    def verdict(self) -> ShellVerdict:
        """Rules that forbid, then what only a person may answer, then what allows."""
        self._judge_parts()
        denied = self._ruled("deny") or self._denied_path()
        if denied:
            return denied
        asked = self._ruled("ask") or self._suspect()
        if asked:
            return self._ask_or_deny(asked)
        target = critical_removal(self.survey.invocations, self.scene, self.folders)
        if target:
            reason = f"removing `{target}` could destroy more than anyone wants back"
            return self._ask_or_deny(self._told("ask", "critical_path", reason))
        if self.scene.mode == "bypassPermissions":
            return self._bypassed()
        return self._by_parts()

    # --- what forbids

    def _ruled(self, behavior: Outcome) -> ShellVerdict | None:
        """The first deny or ask rule that matches anything the line may start."""
        book = self.books[behavior]
        if not book.rules:
            return None
        hit: tuple[Entry, Invocation] | None = None
        for invocation in self.survey.invocations:
            if invocation.suspect:
                continue
            for entry in book.match(invocation.texts, _part(invocation)):
                if hit is None or entry.place < hit[0].place:
                    hit = (entry, invocation)
        if hit is None and book.bare:
            book.match((self.command,), self.command[:200])
            return self._rule_verdict(behavior, book.bare, self.command.strip()[:200])
        return self._rule_verdict(behavior, hit[0].rule, _part(hit[1])) if hit else None

    def _rule_verdict(self, behavior: Outcome, rule: Rule, part: str) -> ShellVerdict:
        says = "forbids" if behavior == "deny" else "asks about"
        return self._told(behavior, "rule", f"`{rule.text}` {says} `{part}`", rule)

    def _denied_path(self) -> ShellVerdict | None:
        """A file that a rule keeps from being read or written, named anywhere in the line."""
        for part in self.parts:
            if part.outcome == "deny":
                return self._told("deny", "rule", part.reason)
        folders = Folders(self.scene, self.folders)
        for operator, target in self.survey.targets:
            if target.value == "/dev/null" or target.is_glob:
                continue
            decision = self.paths.literal(target.value, folders, "read" if operator == "<" else "write")
            if decision.outcome == "deny":
                return self._told("deny", "rule", f"the target of `{operator}`: {decision.reason}")
        for invocation, use in zip(self.survey.invocations, self.uses, strict=False):  # all, or the first 200
            for access, paths in (("read", use.reads), ("covered_write", use.writes)):
                for path in paths[:50]:
                    if path in invocation.open_words and any(letter in path for letter in "*?["):
                        continue
                    decision = self.paths.literal(path, folders, "read" if access == "read" else "covered_write")
                    if decision.outcome == "deny" and not invocation.suspect:
                        return self._told("deny", "rule", decision.reason)
        return None

    def _suspect(self) -> ShellVerdict | None:
        """A guess that matches a deny or ask rule, or code that names a denied program."""
        for behavior in ("deny", "ask"):
            book = self.books[behavior]
            if not book.is_scoped:
                continue
            for invocation in self.survey.invocations:
                named = self._named(book, invocation)
                if named:
                    says = "forbids" if behavior == "deny" else "asks about"
                    reason = f"`{_part(invocation)}` may run what `{named.text}` {says}"
                    return self._told("ask", "opaque", reason, named)
        return None

    def _named(self, book: RuleBook, invocation: Invocation) -> Rule | None:
        if invocation.suspect:
            hits = book.match(invocation.texts, _part(invocation))
            return hits[0].rule if hits else None
        if invocation.open_words:  # what the open words turn into may be what the rule names
            named = book.names(base_name(invocation.argv[0]))
            if named:
                return named
        return next((rule for name in self._mentioned(invocation) if (rule := book.names(name))), None)

    def _mentioned(self, invocation: Invocation) -> list[str]:
        key = id(invocation)
        if key not in self.mentions:
            found = mentioned_programs(invocation.argv, invocation.assigned, invocation.fed)
            self.mentions[key] = sorted(found)
        return self.mentions[key]

    # --- what allows

    def _judge_parts(self) -> None:
        commands = self.survey.commands
        if commands is None:
            return
        judge = PartJudge(self.scene, self.books["allow"], self.paths)
        folders = {self.scene.cwd}
        for command in commands:
            before = judge.folders.copy()
            parts = judge.judge(command)
            if any(part.outcome != "allow" for part in parts):
                self.asking.append(_Asking(command, before, parts))
            self.parts.extend(parts)
            folders.update(judge.folders.now)
        self.folders = tuple(folders)

    def _bypassed(self) -> ShellVerdict:
        if self.blind and self._has_scoped_limits():
            return self._may_run_unseen()
        for part in self.parts:
            if part.decided_by == "working_directory" and part.outcome == "ask" and part.changes_files:
                return self._told("ask", part.decided_by, part.reason)
        return self._told("allow", "mode", "the mode bypassPermissions asks about nothing else")

    def _has_scoped_limits(self) -> bool:
        return self.books["deny"].is_scoped or self.books["ask"].is_scoped

    def _may_run_unseen(self) -> ShellVerdict:
        why = self.survey.problem or "a program is not known before it runs"
        return self._told("ask", "opaque", f"it may run something that a rule forbids: {why}")

    def _by_parts(self) -> ShellVerdict:
        if self.survey.commands is None:
            reason = f"The line is not fully understood: {self.survey.problem}"
            return self._ask_or_deny(self._told("ask", "opaque", reason, waivable=True))
        if not self.parts:
            return self._ask_or_deny(self._told("ask", "opaque", "There is no command to approve", waivable=True))
        hardest = max(self.parts, key=lambda part: _RANK[part.outcome])
        if hardest.outcome == "allow" and self._has_scoped_limits() and self.blind:
            return self._ask_or_deny(self._may_run_unseen())
        if hardest.outcome == "allow":
            ruled = next((part for part in self.parts if part.rule), None)
            chosen = ruled or next((part for part in self.parts if part.decided_by == "mode"), self.parts[0])
            reason = chosen.reason if len(self.parts) == 1 else "every part of the line is allowed"
            return self._told("allow", chosen.decided_by, reason, chosen.rule)
        verdict = self._told("ask", hardest.decided_by, hardest.reason, waivable=True)
        suggested, plainest = suggested_rules(self.parts), exact_rules(self.parts)
        offered = self._if_passing(suggested)
        exact = () if plainest == suggested else self._if_passing(plainest)
        return self._ask_or_deny(replace(verdict, suggestions=offered, exact=exact, exact_lasts=is_lasting(self.parts)))

    def _if_passing(self, rules: tuple[str, ...]) -> tuple[str, ...]:
        """These rules, if the line would pass with them."""
        if not all(text.startswith("Bash(") for text in rules) or not rules:
            return rules  # rules about paths are the path engine's to keep
        saved = tuple(Rule(text=text, behavior="allow", source=Source(layer="session")) for text in rules)
        judge = PartJudge(self.scene, RuleBook.of(saved), self.paths)
        for one in self.asking:
            judge.folders = one.folders.copy()
            both = zip(judge.judge(one.command), one.parts, strict=True)  # what was there, or what is added
            if not all("allow" in (new.outcome, old.outcome) for new, old in both):
                return ()
        return rules

    def _found_parts(self) -> tuple[PartDecision, ...]:
        """The commands of a line that is not understood, as far as they were found."""
        found = dict.fromkeys(_part(invocation) for invocation in self.survey.invocations if not invocation.suspect)
        reason = "part of a line that is not fully understood"
        return tuple(PartDecision(text=text, outcome="ask", reason=reason) for text in list(found)[:50])

    # --- the answer

    def _ask_or_deny(self, verdict: ShellVerdict) -> ShellVerdict:
        if self.scene.mode != "dontAsk":
            return verdict
        reason = f"The mode dontAsk denies what would ask: {verdict.reason}"
        return replace(verdict, outcome="deny", reason=reason)

    def _told(
        self, outcome: Outcome, decided_by: DecidedBy, reason: str, rule: Rule | None = None, *, waivable: bool = False
    ) -> ShellVerdict:
        trials: list[RuleTrial] = []
        whole = self.command if len(self.command) <= 200 else self.command[:199] + "…"
        programs = {base_name(invocation.argv[0]) for invocation in self.survey.invocations}
        for book in self.books.values():
            trials.extend(book.trials(rule, whole, programs))
        return ShellVerdict(
            outcome=outcome,
            decided_by=decided_by,
            reason=reason[:1].upper() + reason[1:] if reason[:1] != "`" else reason,
            rule=rule,
            parts=tuple(part.told() for part in self.parts) or self._found_parts(),
            trials=tuple(trials),
            waivable=waivable,
        )


def _part(invocation: Invocation) -> str:
    text = " ".join(invocation.raw_words or invocation.argv)
    return text if len(text) <= 200 else text[:199] + "…"
