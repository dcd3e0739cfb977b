"""Whether a file may be read or written: rules, protected names, working directories and the mode."""

from dataclasses import dataclass

from rein_tui.harness.protocol.decisions import DecidedBy, Mode, Outcome, Rule, RuleTrial

from .book import AnchoredRule, Behavior, Ground, Parts, PathRules, RuleBook, Shelf
from .explain import shown_path, told_by
from .facts import Facts
from .protected import protected_part
from .spelling import Spellings, below, spell
from .tool_names import Access


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules and the mode say about a call, before hooks, trust and attendance have their say.

    `waivable` is true for an ask that a hook's "allow" may answer.
    """

    outcome: Outcome
    decided_by: DecidedBy
    reason: str
    rule: Rule | None = None
    trials: tuple[RuleTrial, ...] = ()
    warnings: tuple[str, ...] = ()
    waivable: bool = True
    suggested: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    exact_lasts: bool = False


@dataclass(frozen=True, slots=True)
class PathScene:
    """Everything that the judgement of a path depends on.

    `roots` are the working directories. `guarded` are folders of our own that count as protected. `epoch` see
    RuleBook. `book` holds the rules.
    """

    book: RuleBook
    ground: Ground
    facts: Facts
    mode: Mode
    roots: tuple[str, ...]
    guarded: tuple[str, ...] = ()
    epoch: int = 0

    @property
    def path_rules(self) -> PathRules:
        """The path rules, anchored here."""
        return self.book.path_rules(self.ground, self.facts, self.epoch)

    def shelf(self, behavior: Behavior, access: Access) -> Shelf:
        """The path rules of one kind."""
        return self.path_rules.shelves[behavior, access]

    def spell(self, path: str) -> Spellings:
        """All names of a path here."""
        return spell(path, self.ground.cwd, self.ground.home, self.facts)

    def in_roots(self, parts: Parts) -> bool:
        """Whether a spelling lies in a working directory."""
        return any(below(parts, self.ground.fold(root)) is not None for root in self.roots)


def judge(path: str, access: Access, scene: PathScene) -> Verdict:
    """Decide about one path. Never raises."""
    spelled = scene.spell(path)
    if spelled.impossible:
        return Verdict("deny", "opaque", f"{spelled.trouble}: nothing by that name can exist")
    names = tuple(scene.ground.fold(name) for name in spelled.names)
    trials: list[RuleTrial] = []
    warnings = _warnings(spelled)
    found = _forbidding(names, access, scene, trials)
    if found is not None:
        outcome = found.parsed.behavior
        reason = told_by(outcome, found.parsed.rule, shown_path(spelled))
        return Verdict(outcome, "rule", reason, found.parsed.rule, tuple(trials), warnings, waivable=False)
    allowed_by = _allowing(names, access, scene, trials)
    verdict = _by_place(spelled, names, access, scene, allowed_by)
    return Verdict(
        verdict.outcome,
        verdict.decided_by,
        verdict.reason,
        verdict.rule,
        _marked(trials, verdict.rule),
        warnings,
        verdict.waivable,
    )


def hidden(path: str, scene: PathScene) -> bool:
    """Whether a deny or ask rule bars reading that path, so that searches leave it out. Never raises."""
    spelled = scene.spell(path)
    names = [scene.ground.fold(name) for name in spelled.names]
    return spelled.impossible or any(scene.shelf(behavior, "read").fitting(names) for behavior in ("deny", "ask"))


def _by_place(
    spelled: Spellings, names: tuple[Parts, ...], access: Access, scene: PathScene, allowed_by: list[Rule | None]
) -> Verdict:
    shown = shown_path(spelled)
    if scene.mode == "bypassPermissions":
        return Verdict("allow", "mode", "bypassPermissions mode asks nothing")
    if spelled.trouble:
        return Verdict("ask", "opaque", f"No rule may approve {shown}: {spelled.trouble}", waivable=False)
    if access == "write":
        part = _protected(spelled, names, scene)
        if part:
            reason = f"{shown} is protected ({part}): what is written there is later run or obeyed"
            return Verdict("ask", "protected_path", reason, waivable=False)
        if scene.mode == "plan":
            reason = "Plan mode changes no files; the plan has to be approved first"
            return Verdict("deny", "mode", reason, waivable=False)
    inside = [scene.in_roots(parts) for parts in names]
    free = inside if access == "read" or scene.mode == "acceptEdits" else [False] * len(names)
    if all(ok or rule is not None for ok, rule in zip(free, allowed_by, strict=True)):
        rule = next((rule for ok, rule in zip(free, allowed_by, strict=True) if rule and not ok), None)
        if rule is not None:
            return Verdict("allow", "rule", told_by("allow", rule, shown), rule)
        if access == "read":
            return Verdict("allow", "working_directory", "Reading inside the working directories needs no approval")
        return Verdict("allow", "mode", "acceptEdits mode lets files inside the working directories be changed")
    verb = "read" if access == "read" else "changed"
    if not all(inside):
        return Verdict("ask", "working_directory", f"{shown} is outside the working directories and would be {verb}")
    return Verdict("ask", "mode", f"{shown} would be changed, and no rule allows that")


def _forbidding(
    names: tuple[Parts, ...], access: Access, scene: PathScene, trials: list[RuleTrial]
) -> AnchoredRule | None:
    """The first deny rule, else the first ask rule that fits any name."""
    for behavior in ("deny", "ask"):
        shelf = scene.shelf(behavior, access)
        told = list(shelf.misses)
        found = shelf.fitting(names)
        for place, (index, rule, _) in enumerate(found):
            told[index] = _hit(rule.parsed.rule, "fits too, after another that decided", decided=place == 0)
        trials += told
        if found:
            return found[0][1]
    return None


def _allowing(names: tuple[Parts, ...], access: Access, scene: PathScene, trials: list[RuleTrial]) -> list[Rule | None]:
    """For each name the first allow rule that covers it."""
    by: list[Rule | None] = [None] * len(names)
    shelf = scene.shelf("allow", access)
    told = list(shelf.misses)
    for index, rule, covered in shelf.fitting(names):
        told[index] = _hit(rule.parsed.rule, "fits, but was not needed or not enough")
        by = [first or (rule.parsed.rule if fits else None) for first, fits in zip(by, covered, strict=True)]
    trials += told
    return by


def _hit(rule: Rule, reason: str, *, decided: bool = False) -> RuleTrial:
    return RuleTrial(rule=rule, matched=True, reason="fits, and decides" if decided else reason, decided=decided)


def _marked(trials: list[RuleTrial], deciding: Rule | None) -> tuple[RuleTrial, ...]:
    if deciding is not None:
        for index, trial in enumerate(trials):
            if trial.matched and trial.rule is deciding:
                trials[index] = _hit(deciding, "", decided=True)
    return tuple(trials)


def _protected(spelled: Spellings, names: tuple[Parts, ...], scene: PathScene) -> str:
    for parts in names:
        for folder in scene.guarded:
            if below(parts, scene.ground.fold(folder)) is not None:
                return folder
    for name in spelled.names:
        part = protected_part(tuple(step for step in name.split("/") if step))
        if part:
            return part
    return ""


def _warnings(spelled: Spellings) -> tuple[str, ...]:
    if spelled.real != spelled.plain and spelled.real:
        return (f"{spelled.plain} leads to {spelled.real}",)
    return ()
