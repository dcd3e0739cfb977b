"""What a permission question is made of: the call as it stands, what stands around it, and how both read."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.content import Content

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import (
    Decision,
    HookVerdict,
    PermissionQuery,
    PermissionReply,
    PermissionRequest,
    Suggestion,
)
from rein_tui.harness.protocol.displays import CommandDisplay, DiffDisplay, Display
from rein_tui.harness.protocol.policy import CallCheck
from rein_tui.harness.protocol.ports import Permissions

from .diff import DiffStyle, diff_pieces, diff_title
from .displays import display_pieces
from .highlight import code_lines
from .inspector_why import decision_blocks, reason_content
from .lines import BLANK, EMPTY, Piece
from .nearby import nearby
from .permission_modal_deception import deceptions
from .safe import safe_content, safe_text

ALL_LINES = 1 << 30
"""No limit: what a person approves is never shortened."""

_WISHES = {
    "Bash": "run a command",
    "Edit": "change a file",
    "MultiEdit": "change a file",
    "NotebookEdit": "change a notebook",
    "Write": "write a file",
    "Read": "read a file",
    "WebFetch": "open a page",
    "WebSearch": "search the web",
    "Agent": "start an agent",
    "Skill": "use a skill",
    "ExitPlanMode": "carry out its plan",
}


Choice: TypeAlias = Literal["once", "session", "always", "deny"]

CHOICES: tuple[Choice, ...] = ("once", "session", "always", "deny")

KEYS: dict[Choice, str] = {"once": "y", "session": "s", "always": "a", "deny": "n"}

ANSWERS: dict[Choice, str] = {
    "once": "Yes, once",
    "session": "Yes, for this session",
    "always": "Always …",
    "deny": "No",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A call as it would run: as the model asked for it, or as the person edited it."""

    tool: str
    input: JsonObject
    summary: str
    decision: Decision
    preview: Display | None = None
    edited: bool = False

    @classmethod
    def of(cls, request: PermissionRequest) -> "Proposal":
        """The call that a request is about."""
        return cls(request.tool, request.input, request.summary, request.decision, request.preview)

    @property
    def suggestions(self) -> tuple[Suggestion, ...]:
        """Rules that would let it pass; none where no rule may."""
        return self.decision.suggestions

    @property
    def broken_hooks(self) -> list[HookVerdict]:
        """Hooks that guard this call and failed."""
        return [verdict for verdict in self.decision.hook_verdicts if verdict.broken and verdict.hook_id]

    def warnings(self, *more: str) -> list[str]:
        """Everything that should make a reader look twice."""
        known = dict.fromkeys((*deceptions(self.input, self.summary), *self.decision.warnings, *more))
        return list(known)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another call of the same message that will ask: it can be answered before its turn comes."""

    call_id: str
    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Docket:
    """What a question stands among.

    `session` names it when it is not the one on the screen, where `show` brings it then. `number` of `total` questions
    of this message; `settle` takes the answer to one that waits. `folder` is where the session works.
    """

    permissions: Permissions | None = None
    folder: str = ""
    session: str = ""
    waiting: tuple[Waiting, ...] = ()
    number: int = 1
    total: int = 1
    settle: Callable[[Waiting, PermissionReply], None] | None = None
    show: Callable[[], None] | None = None


def query_for(request: PermissionRequest, tool_input: JsonObject) -> PermissionQuery:
    """What the engine is asked about the call with another input: in its mode, with the rules of its frontmatter."""
    rules = (trial.rule for trial in request.decision.trials if trial.rule.source.layer == "frontmatter")
    return PermissionQuery(
        tool=request.tool,
        input=tool_input,
        cwd="",
        mode=request.decision.mode,
        frontmatter=tuple(dict.fromkeys(rules)),
    )


def edited(check: CallCheck) -> Proposal | None:
    """The call that was checked; None when its input cannot be read."""
    if check.decision is None:
        return None
    return Proposal(check.tool, check.input, check.summary, check.decision, check.preview, edited=True)


# --- how it reads ---------------------------------------------------------------------------------------------


def title(request: PermissionRequest, docket: Docket) -> str:
    """Who wants what."""
    wish = _WISHES.get(request.tool)
    words = f"{request.tool} wants to {wish}" if wish else f"{_named(request.tool)} wants to run"
    if request.agent:
        words += f" · for the agent {request.agent_type or request.agent}"
    return safe_text(f"{words} · in {docket.session}" if docket.session else words, "label")


def _named(tool: str) -> str:
    """The tool of a server as `issue of github`: as rules name it, it stands in the answers."""
    prefix, _, rest = tool.partition("__")
    server, _, name = rest.partition("__")
    return f"{name} of {server}" if prefix == "mcp" and name else tool


def headline(proposal: Proposal, folder: str = "") -> Content:
    """The one line that is approved; a command's own lines stand below, so its description does here."""
    if isinstance(proposal.preview, CommandDisplay):
        line = safe_content(proposal.preview.description, "prompt", "$text-muted")
    elif proposal.preview is None and proposal.tool.startswith("mcp__"):
        line = EMPTY  # the frame names the tool, and its input stands below
    else:
        line = safe_content(nearby(proposal.summary, folder), "prompt", "bold $text")
    if isinstance(proposal.preview, DiffDisplay):
        line = Content.assemble(line, "  ", diff_title(proposal.preview)) if "+" not in line.plain else line
    if proposal.edited:
        mark = Content.styled("edited by you", "bold $text-accent")
        line = Content.assemble(line, "  ", mark) if line else mark
    return line


def body(proposal: Proposal, width: int, style: DiffStyle = "auto", folder: str = "") -> list[Piece]:
    """What will happen, all of it."""
    preview = proposal.preview
    if isinstance(preview, DiffDisplay):
        return diff_pieces(preview, width, style)
    if isinstance(preview, CommandDisplay):
        pieces = display_pieces(preview, width, ALL_LINES)
        if preview.cwd and preview.cwd != folder:
            where = safe_content(nearby(preview.cwd, folder), "path", "$text-muted")
            where = Content.assemble(("in ", "$text-disabled"), where)
            pieces.append(Piece(where, Content("  "), Content("  ")))
        return pieces
    if preview is not None:
        return display_pieces(preview, width, ALL_LINES)
    text = json.dumps(proposal.input, indent=2, ensure_ascii=False)
    return [Piece(line, wrap="fold") for line in code_lines(text, "json")]


def trace(decision: Decision, width: int, folder: str = "") -> list[Piece]:
    """Every reason: parts, hooks, rules tried and why each did or did not decide."""
    pieces = [BLANK, Piece(Content.styled("─" * width, "$border-blurred"), wrap="crop")]
    for block in decision_blocks(decision, folder):
        pieces += block.pieces(width)
    return pieces


def reason(decision: Decision, folder: str = "") -> Content:
    """One sentence why, with the rule, its layer, file and line where the sentence does not name them already."""
    words = decision.reason.rstrip(".")
    source = decision.source or (decision.rule.source if decision.rule else None)
    if decision.rule is not None and decision.rule.text not in words:
        words += f" · {decision.rule.text}"
    if source is not None and str(source) not in words:
        layer = source.layer.replace("_", " ")
        words += f" · {layer}" if str(source) == source.layer else f" · {layer}, {source}"
    count = len(decision.trials)
    tried = f"  ? {count} rule{'s' if count > 1 else ''} tried" if count else "  ? all reasons"
    return Content.assemble(reason_content(nearby(words, folder), decision, "$text-muted"), (tried, "$text-disabled"))


def may(choice: Choice, proposal: Proposal) -> bool:
    """Whether this answer is possible: nothing passes against a rule, nothing is kept that no rule may allow."""
    if choice == "deny":
        return True
    if proposal.decision.outcome == "deny":
        return False
    if choice == "always":
        return any(suggestion.lasting for suggestion in proposal.suggestions)
    return choice == "once" or bool(proposal.suggestions)


def answer_row(choice: Choice, proposal: Proposal, suggestion: Suggestion | None) -> Content:
    """An answer with its key, and what it means here."""
    note = ""
    if choice == "deny":
        note = "the turn goes on"
    elif proposal.decision.outcome == "deny":
        note = "the rules deny this"
    elif suggestion is None:
        note = "" if choice == "once" else _why_each_time(proposal.decision)
    elif choice == "session":
        more = "   ← → another" if len(proposal.suggestions) > 1 else ""
        note = ", ".join(suggestion.rules) + more
    elif choice == "always":
        note = (
            "choose rule and file" if may(choice, proposal) else "for this session only: it may do something else later"
        )
    key, words = ("bold $primary", "$text") if may(choice, proposal) else ("$text-disabled", "$text-disabled")
    return Content.assemble(
        (f" {KEYS[choice]} ", key),
        (f"{ANSWERS[choice]:<23}", words),
        (safe_text(note, "prompt"), "$text-muted"),
    )


def _why_each_time(decision: Decision) -> str:
    """Why no answer can be kept for the calls to come; short, as the whole source stands in the reason above."""
    if decision.rule is not None and decision.rule.behavior == "ask":
        return f"each time: {str(decision.rule.source).rpartition('/')[2]} asks"
    return "each time: a hook asks" if decision.decided_by == "hook" else "asked each time"


def bullets(glyph: str, lines: Sequence[str], style: str) -> Content:
    """One line each."""
    parts = [Content.assemble((f"{glyph} ", style), safe_content(line, "prompt", style)) for line in lines]
    return Content("\n").join(parts)
