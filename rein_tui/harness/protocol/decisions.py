"""Permission decisions as values: the outcome, the rule that decided, and every rule that was tried.

The modal, the inspector's Why tab, `policy check`, the what-if replay and the audit all read this one value.
"""

from typing import Literal, TypeAlias

from msgspec import field

from .base import JsonObject, Word
from .displays import Display

Outcome: TypeAlias = Literal["allow", "ask", "deny"]

Mode: TypeAlias = Literal["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"]

Layer: TypeAlias = Literal[
    "managed", "user", "project", "local", "command_line", "frontmatter", "hook", "session", "plugin", "builtin"
]
"""Where a rule, a hook or a setting comes from. `command_line` covers flags and `--settings`."""

Scope: TypeAlias = Literal["session", "project", "user", "local"]
"""Where a grant is kept: in memory, or in the settings file of that layer (local: `.claude/settings.local.json`)."""

DecidedBy: TypeAlias = Literal[
    "rule",
    "hook",
    "mode",
    "read_only",
    "working_directory",
    "protected_path",
    "critical_path",
    "opaque",
    "sandbox",
    "trust",
    "settings_locked",
    "tool",
    "repair",
    "default",
    "person",
    "unattended",
]
"""Which kind of reason decided."""


class Source(Word, frozen=True, kw_only=True):
    """Where something is written: layer, file and 1-based line (0 when unknown or not in a file)."""

    layer: Layer
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        if not self.path:
            return self.layer
        return f"{self.path}:{self.line}" if self.line else self.path


class Rule(Word, frozen=True, kw_only=True):
    """One permission rule as written, and where."""

    text: str
    behavior: Outcome
    source: Source


class RuleTrial(Word, frozen=True, kw_only=True):
    """One rule that was tried on one part of a call: whether it matched, and why it did or did not decide."""

    rule: Rule
    matched: bool
    reason: str
    part: str = ""
    decided: bool = False


class HookVerdict(Word, frozen=True, kw_only=True):
    """What one PreToolUse hook said about the call."""

    outcome: Outcome
    reason: str = ""
    source: Source = Source(layer="hook")
    hook_id: str = ""
    broken: bool = False


class PartDecision(Word, frozen=True, kw_only=True):
    """One sub-command of a Bash line, or one path of a file call, and what became of it."""

    text: str
    outcome: Outcome
    reason: str


class Suggestion(Word, frozen=True, kw_only=True):
    """A rule that would have let the call pass; `label` says in words what else it lets pass.

    `lasting` false: for this session only, because the same words may do something else on another day.
    """

    rules: tuple[str, ...]
    label: str
    scope: Scope = "session"
    lasting: bool = True


class Decision(Word, frozen=True, kw_only=True):
    """The outcome of one permission check, with its reasons.

    `reason` is one sentence for a person. `rule` is the deciding rule, if one did. `trials` lists every rule
    tried, in order. `parts` holds the sub-commands of a compound call. `suggestions` are never empty for an
    "ask" that a rule could answer; a call that no rule may pre-approve has none.
    """

    outcome: Outcome
    reason: str
    decided_by: DecidedBy
    mode: Mode = "default"
    rule: Rule | None = None
    source: Source | None = None
    trials: tuple[RuleTrial, ...] = ()
    parts: tuple[PartDecision, ...] = ()
    hook_verdicts: tuple[HookVerdict, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    warnings: tuple[str, ...] = ()


class PermissionQuery(Word, frozen=True, kw_only=True):
    """Everything that a permission engine may look at to decide one call.

    `input` is what would run (after hooks). `frontmatter` holds the rules of the running command, skill or
    agent. `hook_verdicts` are those of PreToolUse. `repaired` says in what way a repair of the call may
    have changed its meaning, or is empty.
    `interactive` false turns an ask into a deny. `checkout` is the worktree that an agent works in alone: it counts
    in place of the session's folder. `caution` is what a person should know of the tool before they say yes.
    """

    tool: str
    input: JsonObject
    cwd: str
    checkout: str = ""
    mode: Mode | None = None
    frontmatter: tuple[Rule, ...] = ()
    hook_verdicts: tuple[HookVerdict, ...] = ()
    repaired: str = ""
    interactive: bool = True
    read_only_tool: bool = False
    requires_person: bool = False
    caution: str = ""


class PermissionRequest(Word, frozen=True, kw_only=True):
    """The question put to a person. `summary` is the one line that they approve; `preview` is what it will do."""

    id: str
    call_id: str
    tool: str
    input: JsonObject
    summary: str
    decision: Decision
    preview: Display | None = None
    warnings: tuple[str, ...] = ()
    agent: str = ""
    agent_type: str = ""
    pending: tuple[str, ...] = ()


Answer: TypeAlias = Literal["once", "session", "always", "deny", "stop"]
"""`deny` lets the turn go on with the person's words; `stop` denies and ends the turn."""


class PermissionReply(Word, frozen=True, kw_only=True):
    """The person's answer. `input` is set when they edited the call; `rules` and `scope` when they granted more
    than this once; `words` go to the model. `answered_by` is person, policy (nobody could answer) or script."""

    answer: Answer
    input: JsonObject | None = None
    rules: tuple[str, ...] = ()
    scope: Scope = "session"
    words: str = ""
    ignore_hooks: tuple[str, ...] = ()
    answered_by: Literal["person", "policy", "script", "hook"] = "person"


class Option(Word, frozen=True, kw_only=True):
    """One choice of a question."""

    label: str
    description: str = ""


class Question(Word, frozen=True, kw_only=True):
    """One question with its choices; free text is always possible.

    `given` is the answer to begin with; of several options their labels, with commas between. An `optional` one may
    be answered with nothing.
    """

    question: str
    header: str = ""
    options: tuple[Option, ...] = ()
    multi_select: bool = False
    given: str = ""
    optional: bool = False


class QuestionRequest(Word, frozen=True, kw_only=True):
    """Questions that a tool (AskUserQuestion), an MCP server or the harness puts to a person.

    `can_decline`: a no is an answer of its own, beside giving none.
    """

    id: str
    questions: tuple[Question, ...]
    call_id: str = ""
    title: str = ""
    agent: str = ""
    can_decline: bool = False


class QuestionReply(Word, frozen=True, kw_only=True):
    """Answers by question text; `cancelled` when the person would not answer, `declined` when they said no."""

    answers: dict[str, str] = field(default_factory=dict[str, str])
    cancelled: bool = False
    declined: bool = False


class Grant(Word, frozen=True, kw_only=True):
    """A rule that a person gave in a session: for the audit, and for taking it back."""

    rule: str
    scope: Scope
    time: float
    call_id: str = ""
    path: str = ""
    matched: int = 0
    revoked: bool = False
