"""The rows of the policy screen: every rule by the file that it stands in, what is odd about it, who gave it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from textual.content import Content

from rein_tui.harness.protocol.decisions import Layer, Rule
from rein_tui.harness.protocol.policy import PastGrant, PolicyOverview, RuleFinding

from .figures import short_age
from .inspector_why import OUTCOME_STYLES
from .safe import safe_content, safe_text

CHANGEABLE: frozenset[Layer] = frozenset({"session", "project", "user", "local"})
"""Layers whose rules can be taken back from here."""

_LAYERS: dict[Layer, str] = {
    "managed": "Administrator",
    "user": "You, in every project",
    "project": "Everyone in this project",
    "local": "You, in this project",
    "command_line": "Command line",
    "frontmatter": "Command, skill or agent",
    "session": "This session",
    "plugin": "Plugin",
    "builtin": "Built in",
}


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One row: a rule (or None: a heading, a grant of before, a finding) and how it reads."""

    label: Content
    rule: Rule | None = None


def rule_rows(overview: PolicyOverview, findings: Sequence[RuleFinding], now: float) -> list[RuleRow]:
    """All rows, top to bottom. `now` is epoch seconds, for ages."""
    rows: list[RuleRow] = []
    grants = {(past.grant.rule, past.grant.path): past for past in overview.grants if past.is_held}
    told: set[RuleFinding] = set()
    for source, rules in groupby(overview.rules, key=lambda rule: (rule.source.layer, rule.source.path)):
        rows.append(RuleRow(_heading(_LAYERS.get(source[0], source[0]), source[1], is_first=not rows)))
        for rule in rules:
            odd = [finding for finding in findings if _is_about(finding, rule)]
            told.update(odd)
            rows.append(RuleRow(_rule(rule, odd, grants.get((rule.text, rule.source.path)), now), rule))
    if not overview.rules:
        rows.append(
            RuleRow(Content.styled("No rule is in force: everything that changes something asks.", "$text-muted"))
        )
    rows += _section("Not in force", (_finding(finding) for finding in findings if finding not in told))
    past = [past for past in reversed(overview.grants) if not past.is_held]
    rows += _section("Given before", (_past(one, now) for one in past))
    return rows


def _section(heading: str, labels: Iterable[Content]) -> Iterator[RuleRow]:
    for number, label in enumerate(labels):
        if number == 0:
            yield RuleRow(_heading(heading))
        yield RuleRow(label)


def _heading(words: str, path: str = "", *, is_first: bool = False) -> Content:
    gap = "" if is_first else "\n"
    return Content.assemble(gap, (words, "bold $text-primary"), "  ", safe_content(path, "path", "$text-muted"))


def _is_about(finding: RuleFinding, rule: Rule) -> bool:
    return finding.where == str(rule.source) and rule.text in finding.text


def _rule(rule: Rule, odd: Sequence[RuleFinding], given: PastGrant | None, now: float) -> Content:
    line = f":{rule.source.line}" if rule.source.line else ""
    label = Content.assemble(
        (f"  {rule.behavior:<6}", OUTCOME_STYLES[rule.behavior]),
        safe_content(rule.text, "path", "$text"),
        (f"  {line}" if line else "", "$text-disabled"),
    )
    if given is not None:
        matched = given.grant.matched
        times = "no call since" if not matched else f"{matched} call{'s' if matched > 1 else ''} since"
        age = short_age(max(0.0, now - given.grant.time))
        label = Content.assemble(label, (f"  given {age if age == 'now' else age + ' ago'}, {times}", "$text-muted"))
    for finding in odd:
        label = Content.assemble(label, "\n", _finding(finding, short=rule.text))
    return label


def _finding(finding: RuleFinding, short: str = "") -> Content:
    words = finding.text
    if short:  # the rule stands above: say only what is wrong with it
        words = words.replace(short, "", 1).strip()
        words = words.partition(") ")[2] if words.startswith("(") else words
    hint = f" · {finding.hint}" if finding.hint else ""
    where = "" if short or not finding.where else f"\n      {safe_text(finding.where, 'path')}"
    mark = f"    ! {finding.fault}: "
    return Content.assemble(
        (mark, "$text-warning"),
        safe_content(words + hint, "path", "$text-muted"),
        (where, "$text-disabled"),
    )


def _past(past: PastGrant, now: float) -> Content:
    grant = past.grant
    ended = "taken back" if grant.revoked else "for that session" if grant.scope == "session" else "no longer there"
    count = f"{grant.matched} call{'' if grant.matched == 1 else 's'}"
    age = short_age(max(0.0, now - grant.time))
    session = f" · in {past.title or past.session_id[:8]}" if past.title or past.session_id else ""
    note = f"  {age if age == 'now' else age + ' ago'} · {grant.scope} · {count} · {ended}{session}"
    return Content.assemble(
        ("  allow ", "$text-disabled"),
        safe_content(grant.rule, "path", "$text-muted"),
        safe_content(note, "label", "$text-disabled"),
    )
