"""Words for people who look after their rules: checks without a call, what a rule would do, grants, trust."""

from typing import Literal, TypeAlias

from .base import JsonObject, Word
from .decisions import Decision, Grant, Mode, Outcome, Rule, Scope
from .displays import Display

Fault: TypeAlias = Literal["shadowed", "broad", "inert", "misspelt", "escapable", "broken"]


class RuleFinding(Word, frozen=True, kw_only=True):
    """One thing about a rule that a person should look at. `where` is file:line, as `str(rule.source)` gives it."""

    fault: Fault
    text: str
    where: str = ""
    hint: str = ""


class ScopePlace(Word, frozen=True, kw_only=True):
    """Where grants of a scope are kept: the file (empty for the session), or why nothing can be granted there."""

    scope: Scope
    path: str = ""
    problem: str = ""


class PastGrant(Word, frozen=True, kw_only=True):
    """A grant of this session or an earlier one. `matched` in the grant counts the calls that it let pass since.

    `is_held` is true while the rule is in force.
    """

    grant: Grant
    session_id: str = ""
    title: str = ""
    is_held: bool = False


class PolicyOverview(Word, frozen=True, kw_only=True):
    """The rules in force, highest layer first, who gave them, and where more can be kept."""

    mode: Mode
    rules: tuple[Rule, ...] = ()
    grants: tuple[PastGrant, ...] = ()
    places: tuple[ScopePlace, ...] = ()


class CallCheck(Word, frozen=True, kw_only=True):
    """What would become of a call. `problem` says why it cannot be read; then there is no decision.

    `input` is as the tool would get it (absolute paths), `preview` what it would do.
    """

    tool: str = ""
    input: JsonObject
    summary: str = ""
    problem: str = ""
    decision: Decision | None = None
    preview: Display | None = None


class PastCall(Word, frozen=True, kw_only=True):
    """A call of this session that was decided. `refused`: a person or a rule stopped it."""

    call_id: str
    tool: str
    summary: str
    refused: bool = False


class RuleCheck(Word, frozen=True, kw_only=True):
    """What rules would do if they were in force.

    `problem` says why one of them cannot be read. `decision` is about the call in question, with the rules;
    `would_change` are earlier calls of this session that would have been decided differently, newest first.
    """

    problem: str = ""
    decision: Decision | None = None
    would_change: tuple[PastCall, ...] = ()
    findings: tuple[RuleFinding, ...] = ()


class RuleWish(Word, frozen=True, kw_only=True):
    """Rules that a person thinks of adding, before they do; `scope` is where they would be kept."""

    rules: tuple[str, ...]
    behavior: Outcome = "allow"
    scope: Scope = "session"


TrustKind: TypeAlias = Literal[
    "hook", "mcp", "environment", "helper", "allow", "directory", "plugin", "mode", "frontmatter", "setting", "broken"
]


class TrustItem(Word, frozen=True, kw_only=True):
    """One thing that trust would enable: `title` is what a person reads (a command line, a rule), `where` file:line.

    `detail` says more: a hook's event, a server's name, a setting's key.
    """

    kind: TrustKind
    title: str
    where: str = ""
    detail: str = ""


class TrustRequest(Word, frozen=True, kw_only=True):
    """Whether a person trusts a folder. `changed`: they did, when it would have enabled something else.

    `root` is the folder that trust is kept for; `can_remember` is false where a yes lasts this session only.
    """

    id: str
    root: str
    items: tuple[TrustItem, ...]
    changed: bool = False
    can_remember: bool = True


class TrustReply(Word, frozen=True, kw_only=True):
    """The person's answer; false: work here without the folder's own settings. `unanswered`: nobody was there."""

    trusted: bool = False
    unanswered: bool = False
