"""Ports: what a screen or a server drives, and the one thing that the harness ever asks.

Contracts only. The ports to models, tools and engines have rooms of their own beside this one.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from .base import JsonObject, Word
from .decisions import (
    Mode,
    Outcome,
    PermissionQuery,
    PermissionReply,
    PermissionRequest,
    QuestionReply,
    QuestionRequest,
    Rule,
    Scope,
    Source,
)
from .events import Event, Fact, SourceKind
from .hooks import HookOutcome, HookRun
from .messages import Block, Usage
from .models import WireRequest
from .policy import CallCheck, PolicyOverview, RuleCheck, RuleFinding, RuleWish, ScopePlace, TrustReply, TrustRequest
from .rewind import Restored, RewindPlan

Emit: TypeAlias = Callable[[Event], Awaitable[None]]
"""Tell one event. For a fact it returns after the fact is stored; for a delta it may drop into a bounded buffer."""


class Prompt(Word, frozen=True, kw_only=True):
    """What a person submits: the text as typed, and further blocks (images, expanded references).

    `kind` shell: `text` is a command line that the person runs themselves; its output joins the conversation.
    private_shell: the same, but nothing of it reaches the model. `system_prompt` takes the place of the session's own
    from this turn on.
    """

    text: str
    blocks: tuple[Block, ...] = ()
    by: Literal["person", "hook", "script", "background"] = "person"
    kind: Literal["prompt", "shell", "private_shell"] = "prompt"
    system_prompt: str | None = None


MOST_LISTED = 200
"""Sessions that a list begins with, the newest, and by how many it grows; a search looks at all."""


class SessionInfo(Word, frozen=True, kw_only=True):
    """One row of the session list. `state`: running, waiting (for the person), idle, done.

    `read_only` says why nothing can be added to it; empty for a session that goes on. `found` is where a search
    found its words in it: one line, what matched between « and ».
    """

    id: str
    title: str = ""
    cwd: str = ""
    branch: str = ""
    created: float = 0.0
    updated: float = 0.0
    turns: int = 0
    cost_usd: float | None = None
    state: Literal["running", "waiting", "idle", "done"] = "idle"
    model: str = ""
    headless: bool = False
    read_only: str = ""
    found: str = ""


class Permissions(Protocol):
    """The rules of one session, for people: looked at, tried without consequences, added, taken back. Nothing runs."""

    async def overview(self) -> PolicyOverview:
        """All rules in force, and the grants of this session and earlier ones. Raises StoreError."""
        ...

    async def places(self) -> tuple[ScopePlace, ...]:
        """Where rules of each scope are kept."""
        ...

    async def lint(self) -> tuple[RuleFinding, ...]:
        """What is odd about the rules in force. Takes a while with hundreds of them, but keeps the loop free."""
        ...

    async def check(self, query: PermissionQuery) -> CallCheck:
        """What would become of this call now. An empty `cwd` stands for the session's. Never raises."""
        ...

    async def check_text(self, text: str) -> CallCheck:
        """The same for `Bash(npm test)`, `Read {"file_path": "x"}` or a bare command line. Never raises."""
        ...

    async def try_rules(self, wish: RuleWish, query: PermissionQuery | None = None) -> RuleCheck:
        """What these rules would do to this call and to the session's earlier ones. Never raises."""
        ...

    async def add(self, rule: str, behavior: Outcome, scope: Scope) -> Rule:
        """Let a rule hold from now on, in that scope (written to its file unless session). Raises ConfigError."""
        ...

    async def revoke(self, rule: Rule) -> bool:
        """Take a rule back, from the session or out of its file; false when it was not there. Raises ConfigError."""
        ...


@runtime_checkable
class Insight(Protocol):
    """What a local session can tell beyond its facts; a remote or replayed one need not."""

    def request_of(self, turn: int, step: int) -> "WireRequest | None":
        """The request of a step as it was sent, built again from the facts before it; None when there is none."""
        ...

    async def rehearse(self, run: HookRun) -> "tuple[tuple[HookRun, ...], HookOutcome] | None":
        """Run the hooks of a recorded run's moment again, dry; None when its input was not kept. Never raises."""
        ...


class AsideAnswer(Word, frozen=True, kw_only=True):
    """An answer that joins no conversation, and what it used."""

    text: str
    usage: Usage = Usage()


class Adjustments(Protocol):
    """What can be changed about a session while it lives."""

    async def add_folder(self, folder: Path) -> None:
        """Let the session work in a further folder. Raises ConfigError."""
        ...

    async def change_folder(self, folder: Path) -> Path:
        """Let commands begin in another of the session's folders; which one it is. Raises ConfigError."""
        ...

    async def ask_aside(self, question: str) -> "AsideAnswer":
        """What the model says to a question beside the conversation, which neither joins. Raises ProviderError."""
        ...

    async def switch_source(self, kind: SourceKind, name: str, on: bool) -> None:
        """Take a source out of the window, or put it back, from the next request on."""
        ...

    async def stop_work(self, work_id: str) -> bool:
        """End one piece of work while the turn goes on: a subagent by the id of its call, or background work by its
        own id. Whether it was running."""
        ...


@runtime_checkable
class Adjustable(Protocol):
    """A session of this machine, which can be adjusted; a remote or replayed one need not offer it."""

    adjustments: Adjustments | None


class StatusLineWish(Word, frozen=True, kw_only=True):
    """A status line of the person's own: `padding` in cells, `every` in seconds (0: after what happens)."""

    command: str
    source: Source
    padding: int = 0
    every: float = 0.0


class StatusLine(Protocol):
    """What a command of the settings says about the session."""

    @property
    def wish(self) -> StatusLineWish | None:
        """What the settings in force ask for; None when that is nothing."""
        ...

    async def read(self, columns: int, lines: int) -> str:
        """What the command prints, unchecked; empty when none is set. Raises ConfigError when it fails."""
        ...

    def payload(self) -> JsonObject:
        """What the command reads on standard input."""
        ...


@runtime_checkable
class HasStatusLine(Protocol):
    """A session of this machine, whose settings may ask for a status line."""

    status_line: StatusLine | None


class FileFinder(Protocol):
    """How settings want files to be found for `@`."""

    @property
    def hides_ignored(self) -> bool:
        """Whether files that .gitignore names stay out."""
        ...

    async def suggest(self, query: str) -> Sequence[str] | None:
        """Paths from a command of the settings; None where there is none or where it failed, which it tells."""
        ...


@runtime_checkable
class FindsFiles(Protocol):
    """A session of this machine, whose settings may say how files are found."""

    file_finder: FileFinder | None


@runtime_checkable
class Shared(Protocol):
    """A session that several screens share; one of them owns it."""

    async def claim(self) -> None:
        """Become the one who prompts and answers. Raises StartError."""
        ...


class Harness(Protocol):
    """A session that can be driven: local, remote or replayed."""

    @property
    def info(self) -> SessionInfo:
        """Who this session is, as of now."""
        ...

    @property
    def mode(self) -> Mode:
        """The permission mode in force."""
        ...

    @property
    def permissions(self) -> Permissions | None:
        """Its rules; None where there is nothing to ask, as in a replay."""
        ...

    def history(self) -> Sequence[Fact]:
        """All facts so far, oldest first: what a screen folds to show an opened session."""
        ...

    def start(self) -> AsyncGenerator[Event]:
        """Open the story: SessionStarted and the SessionStart hooks. Yields nothing when that happened before.

        `run` does it first when nobody did.
        """
        ...

    def asides(self) -> AsyncGenerator[Event]:
        """Events that belong to no turn, as they happen: background tasks, changed settings, notifications.

        One reader; runs until the session closes.
        """
        ...

    def run(self, prompt: Prompt) -> AsyncGenerator[Event]:
        """One turn. Yields events until exactly one turn end; never raises for anything a person can act on.

        Close the generator (`aclosing`) when leaving early: that interrupts the turn.
        """
        ...

    def interrupt(self, reason: str = "") -> None:
        """Stop the running turn as soon as possible. Does nothing between turns. The story still ends."""
        ...

    def steer(self, text: str) -> None:
        """Say something to the running turn; the model gets it after the current calls."""
        ...

    async def set_mode(self, mode: Mode) -> None:
        """Change the permission mode; holds from the next decision on."""
        ...

    def rewind_plan(self, to_turn: int) -> RewindPlan:
        """What going back to the end of that turn (0: the start) would mean for files. Changes nothing."""
        ...

    async def rewind(
        self, to_turn: int, *, conversation: bool = True, code: bool = False, also: frozenset[str] = frozenset()
    ) -> Restored:
        """Go back to the end of that turn; `also` names files to restore though others changed them since.

        Between turns only: raises StartError while one runs.
        """
        ...

    def compact(self, focus: str = "", from_turn: int = 0) -> AsyncGenerator[Event]:
        """Summarise the conversation to make room, as a turn of its own; with `from_turn` only that turn and later."""
        ...


class Prompter(Protocol):
    """The one thing that the harness ever asks. Implementations serialise: one question at a time."""

    async def ask(self, request: PermissionRequest) -> PermissionReply:
        """Ask whether a call may run. Cancelling the waiter withdraws the question."""
        ...

    async def question(self, request: QuestionRequest) -> QuestionReply:
        """Ask a person something else: a tool's question, a server's form."""
        ...

    async def trust(self, request: TrustRequest) -> TrustReply:
        """Ask a person whether they trust a folder, before anything of it is run."""
        ...
