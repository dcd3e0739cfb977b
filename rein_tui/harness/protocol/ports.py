"""Ports: what the parts of the house ask of one another. Contracts only.

`Harness` is what a screen or a server drives. `Prompter` is the one thing that the harness ever asks.
`Provider`, `Tool`, `HookEngine`, `PermissionEngine` and `Journal` are what the loop and the gate stand on.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from .base import JsonObject, Word
from .decisions import (
    Decision,
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
from .displays import Display
from .events import Event, Fact
from .hooks import HookCall, HookOutcome, HookRun
from .messages import Block, Message, ParseTrace, ResultContent, StopReason, ToolSpec, Usage
from .policy import CallCheck, PolicyOverview, RuleCheck, RuleFinding, RuleWish, ScopePlace, TrustReply, TrustRequest
from .rewind import Restored, RewindPlan

Emit: TypeAlias = Callable[[Event], Awaitable[None]]
"""Tell one event. For a fact it returns after the fact is stored; for a delta it may drop into a bounded buffer."""


# --- driving a session --------------------------------------------------------------------------------------


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


class SessionInfo(Word, frozen=True, kw_only=True):
    """One row of the session list. `state`: running, waiting (for the person), idle, done.

    `read_only` says why nothing can be added to it; empty for a session that goes on.
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


class Adjustments(Protocol):
    """What can be changed about a session while it lives."""

    async def add_folder(self, folder: Path) -> None:
        """Let the session work in a further folder. Raises ConfigError."""
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


class ModelChoice(Word, frozen=True, kw_only=True):
    """Which model to talk to. `kind` names the provider; `url` its server; `api_key` travels in a `Secret`.

    `tools` says how the calls of a local model travel; auto finds out by trying.
    """

    kind: Literal["anthropic", "local", "gguf", "demo"]
    model: str = ""
    url: str = ""
    path: str = ""
    tools: Literal["auto", "native", "text"] = "auto"


class FoundServer(Word, frozen=True, kw_only=True):
    """A model server that answered a probe. `flavour`: ollama, lmstudio, llamacpp, vllm, localai, openai."""

    url: str
    flavour: str
    version: str = ""
    models: tuple["ModelInfo", ...] = ()


class CommandInfo(Word, frozen=True, kw_only=True):
    """A slash command that a file defines (command, skill, MCP prompt): submitted as a prompt, expanded by the session.

    `name` has no slash; `source` is the layer, plugin or server that it comes from.
    """

    name: str
    summary: str = ""
    argument: str = ""
    source: str = ""


class ExtensionRow(Word, frozen=True, kw_only=True):
    """One thing that files brought: a plugin, an agent, a command or a skill; `where` it is written.

    `details` are lines for a person: what it may call, what it runs, what is wrong with it.
    """

    kind: Literal["plugin", "agent", "command", "skill", "style"]
    name: str
    summary: str = ""
    source: str = ""
    state: Literal["on", "off", "broken"] = "on"
    where: str = ""
    details: tuple[str, ...] = ()


@runtime_checkable
class Clears(Protocol):
    """A workbench that can put a new session in the place of another."""

    async def clear(self, session_id: str) -> Harness:
        """A new session; for hooks the other one ends, though it can be gone on with. Raises StoreError, StartError."""
        ...


@runtime_checkable
class Extensible(Protocol):
    """A workbench that knows what files and plugins bring, and can look again."""

    def extensions(self) -> Sequence[ExtensionRow]:
        """Everything, as the session opened last has it."""
        ...

    async def reload_extensions(self) -> Sequence[ExtensionRow]:
        """Look at plugins, commands, skills and agents again, for all open sessions; what there is now."""
        ...

    def look_for_commands(self) -> None:
        """Look at the files that define commands again."""
        ...


ExportForm: TypeAlias = Literal["markdown", "html", "jsonl", "transcript"]
"""A session as text, as a page, as facts a line each, or as the ecosystem's transcript."""


class Workbench(Protocol):
    """What a screen may ask of the house besides the session that it drives."""

    @property
    def choice(self) -> ModelChoice | None:
        """The model in use; None while none is chosen (first start without key or server)."""
        ...

    async def prepare(self) -> None:
        """Get ready to open sessions; afterwards `choice` is what will be used. Raises StartError, ConfigError."""
        ...

    async def open(self, session_id: str = "") -> Harness:
        """A new session, or an old one to go on with. Raises StoreError, StartError."""
        ...

    async def fork(self, session_id: str, turn: int) -> Harness:
        """A new session that shares the story up to the end of that turn. Raises StoreError."""
        ...

    def sessions(self, search: str = "", everywhere: bool = False) -> Sequence[SessionInfo]:
        """Stored sessions, newest first: of this project, or of all; with `search`, those whose text holds it."""
        ...

    def facts(self, session_id: str) -> Sequence[Fact]:
        """The stored facts of a session, without opening it: for previews. Raises StoreError."""
        ...

    def export(self, session_id: str, form: ExportForm) -> bytes:
        """A session as a document for other eyes, without our own keys. Raises StoreError."""
        ...

    def commands(self) -> Sequence[CommandInfo]:
        """Slash commands that files define, for completion and help; the session expands them."""
        ...

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title."""
        ...

    def delete(self, session_id: str) -> None:
        """Delete a session (kept aside until the program ends, so that it can be undone)."""
        ...

    def undelete(self, session_id: str) -> None:
        """Take a deletion back."""
        ...

    async def find_servers(self) -> tuple[FoundServer, ...]:
        """Model servers on the usual local ports, probed in parallel, each given a second."""
        ...

    async def models(self) -> tuple["ModelInfo", ...]:
        """What the current provider offers. Raises ProviderError."""
        ...

    async def choose(self, choice: ModelChoice, api_key: str = "") -> None:
        """Use this model from now on, also in the open session. Raises ProviderError, StartError."""
        ...


class ModelProbe(Word, frozen=True, kw_only=True):
    """What trying a model out showed. `sent` is how its calls travel from now on: native, or a text dialect's name.

    `raw` is what it wrote where it made no native call, `dialect` how that was read.
    """

    model: str
    server: str
    verdict: Literal["native", "text", "none"]
    sent: str
    dialect: str = ""
    raw: str = ""


@runtime_checkable
class SizesModels(Protocol):
    """A provider that may know how large a model is."""

    def is_small(self, model: str) -> bool:
        """Whether the model is known to have fewer than about ten billion parameters: it gets short instructions."""
        ...


@runtime_checkable
class Thinks(Protocol):
    """A harness that can say how much its model thinks."""

    @property
    def effort(self) -> str:
        """low, medium, high, xhigh or max; empty leaves it to the model."""
        ...

    @property
    def thinking(self) -> bool:
        """Whether the model may think before it answers."""
        ...

    def set_thinking(self, *, effort: str | None = None, thinking: bool | None = None) -> None:
        """From the next request on; what is None stays."""
        ...


@runtime_checkable
class KeepsKey(Protocol):
    """A workbench that keeps the key that a person typed: that of this machine."""

    def forget_key(self) -> bool:
        """Forget it, on the disk and for the requests to come; whether there was one. Raises ConfigError."""
        ...


@runtime_checkable
class ProbesModels(Protocol):
    """A workbench that can try out whether its model calls tools: those with the model's server at hand."""

    async def probe(self) -> ModelProbe:
        """Try the model in use out, anew. Raises ProviderError."""
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


# --- models -------------------------------------------------------------------------------------------------


class ModelRequest(Word, frozen=True, kw_only=True):
    """One request to a model, in our words. `max_tokens` 0 means the provider's default for the model.

    `effort` and `thinking` are ignored by providers without them. `forced_schema` asks for one JSON object of
    that schema instead of prose.
    """

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: int = 0
    temperature: float | None = None
    effort: str = ""
    thinking: bool = False
    forced_schema: JsonObject | None = None
    forced_tool: str = ""
    stop: tuple[str, ...] = ()


class TextChunk(Word, frozen=True, kw_only=True, tag="text_chunk"):
    """More prose."""

    text: str


class ThinkingChunk(Word, frozen=True, kw_only=True, tag="thinking_chunk"):
    """More thinking."""

    text: str


class ToolInputChunk(Word, frozen=True, kw_only=True, tag="tool_input_chunk"):
    """More raw JSON of a call's input."""

    call_id: str
    name: str
    text: str


class Retrying(Word, frozen=True, kw_only=True, tag="retrying"):
    """The provider will send the request again after `delay` seconds."""

    attempt: int
    delay: float
    reason: str
    status: int = 0
    max_attempts: int = 0


class ProviderNotice(Word, frozen=True, kw_only=True, tag="provider_notice"):
    """Something a person should know: a prompt that the server cut, a price for a missed cache, a fallback."""

    text: str
    level: Literal["info", "warning", "error"] = "warning"
    hint: str = ""
    code: str = ""


class Completed(Word, frozen=True, kw_only=True, tag="completed"):
    """The message. Always the last event of a stream, exactly once.

    A stream cut after at least one complete block completes with stop_reason `incomplete`, holding only what was
    complete; a stream cut before that raises ProviderError(kind="cut"). `calls` says how the calls of a local model
    travel: `native`, or `text:` and the form it is prompted in.
    """

    message: Message
    stop_reason: StopReason
    usage: Usage = Usage()
    model: str = ""
    request_id: str = ""
    parse: ParseTrace | None = None
    calls: str = ""


ProviderEvent: TypeAlias = TextChunk | ThinkingChunk | ToolInputChunk | Retrying | ProviderNotice | Completed


class ModelInfo(Word, frozen=True, kw_only=True):
    """A model that can be picked. Sizes in bytes and tokens; 0 when unknown. Prices in US dollars a million tokens.

    `digest` tells one content of the model's file from another, where the server knows it.
    """

    id: str
    title: str = ""
    context_window: int = 0
    max_output: int = 0
    size_bytes: int = 0
    abilities: tuple[str, ...] = ()
    loaded: bool | None = None
    server: str = ""
    digest: str = ""
    input_price: float | None = None
    output_price: float | None = None


class WireRequest(Word, frozen=True, kw_only=True):
    """A request as it goes over the wire, keys redacted: for the inspector and for copying as curl."""

    method: str
    url: str
    headers: dict[str, str]
    body: JsonObject


class Provider(Protocol):
    """A model's server. One instance serves many requests; `stream` may run several times at once."""

    @property
    def name(self) -> str:
        """Short name for the status line: anthropic, ollama, openai, scripted."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent]:
        """Send one request. Chunks, then exactly one Completed. Raises only ProviderError.

        Closing the generator cancels the request within a second.
        """
        ...

    async def models(self) -> tuple[ModelInfo, ...]:
        """The models that the server offers. Raises ProviderError."""
        ...

    async def context_window(self, model: str) -> int:
        """Tokens that fit; 0 when unknown. Never raises."""
        ...

    def wire(self, request: ModelRequest) -> WireRequest:
        """The request as it would be sent. Pure."""
        ...

    async def warm(self) -> None:
        """Load what the first request needs, off the input path. Never raises."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


# --- tools --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Workspace:
    """Where a session works. `cwd` moves with the shell; `root` is the folder where the session started."""

    root: Path
    cwd: Path
    home: Path
    additional: list[Path] = field(default_factory=list[Path])
    trusted: bool = False


class ToolResult(Word, frozen=True, kw_only=True):
    """What a tool gives back: `content` for the model, `display` for people, `response` for hooks (compat spec 7.6).

    `facts` are told after the result, before the call is finished.
    """

    content: ResultContent
    is_error: bool = False
    display: Display | None = None
    response: JsonObject | None = None
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a running call may use. `agent_id` and `agent_type` are set inside a subagent."""

    call_id: str
    workspace: Workspace
    emit: Emit
    prompter: Prompter
    interactive: bool = True
    agent_id: str = ""
    agent_type: str = ""
    depth: int = 0
    approved_by: str = ""


class InvalidInput(Exception):
    """Tool input that does not parse; the text names the field and is written for the model."""


class Tool(Protocol):
    """One tool. Stateless between calls except through what build gave it."""

    @property
    def name(self) -> str:
        """The name that models, rules and hooks use."""
        ...

    @property
    def spec(self) -> ToolSpec:
        """As the model sees it."""
        ...

    @property
    def requires_person(self) -> bool:
        """Whether no rule and no mode may answer for the person (AskUserQuestion)."""
        ...

    @property
    def asks_itself(self) -> bool:
        """Whether the call is a question to the person, so that no permission is asked before it."""
        ...

    def normalize(self, raw: JsonObject, workspace: Workspace) -> JsonObject:
        """The input as hooks and rules see it: `~` expanded, file paths absolute. Never raises."""
        ...

    def parse(self, raw: JsonObject) -> Any:
        """The typed input. Raises InvalidInput, naming the field."""
        ...

    def is_read_only(self, value: Any) -> bool:
        """Whether this call changes nothing, so that it may run beside others."""
        ...

    def summarize(self, value: Any) -> str:
        """The one line that a person approves and reads later. Plain text, no newline."""
        ...

    async def preview(self, value: Any, context: ToolContext) -> Display | None:
        """What would happen (a diff, a command), without doing it. Never raises for bad input."""
        ...

    async def run(self, value: Any, context: ToolContext) -> ToolResult:
        """Do it. What the model can act on is a result with is_error; cancelling leaves no process behind."""
        ...


class Toolset(Protocol):
    """The tools that a session may call; it can change while the session runs (MCP servers come and go)."""

    def get(self, name: str) -> Tool | None:
        """The tool of that name or legacy alias."""
        ...

    def specs(self, removed: frozenset[str] = frozenset(), *, everything: bool = False) -> tuple[ToolSpec, ...]:
        """The tools as the model sees them, without the removed ones, in a stable order.

        Tools that are held back for lack of room are among them only with `everything`.
        """
        ...


# --- engines ------------------------------------------------------------------------------------------------


class PermissionEngine(Protocol):
    """Decides about calls and explains itself. `decide` is synchronous, quick, and never raises."""

    @property
    def mode(self) -> Mode:
        """The mode in force."""
        ...

    def set_mode(self, mode: Mode) -> None:
        """Change the mode. Raises ConfigError for a mode that policy forbids."""
        ...

    def decide(self, query: PermissionQuery) -> Decision:
        """The outcome for one call, with reasons."""
        ...

    def grant(self, rules: Sequence[str], scope: Scope, behavior: Outcome = "allow") -> Sequence[Rule]:
        """Let these rules hold from now on, in that scope (written to its file unless session). Raises ConfigError."""
        ...

    def revoke(self, rule: str, scope: Scope, behavior: Outcome = "allow") -> bool:
        """Take a grant back; false when there was none. Raises ConfigError."""
        ...

    def removed_tools(self) -> frozenset[str]:
        """Tools that a bare deny rule takes from the model's list."""
        ...


class HookEngine(Protocol):
    """Runs hooks. Never raises: what fails is told in its runs."""

    async def fire(self, call: HookCall, emit: Emit) -> HookOutcome:
        """Run all matching handlers of one moment side by side; tell HookStarted, HookFired and HooksSkipped."""
        ...

    def ignore(self, hook_ids: Sequence[str]) -> None:
        """Do not run these handlers again in this session."""
        ...

    def has(self, point: str) -> bool:
        """Whether any handler is configured for this moment; cheap."""
        ...

    async def close(self) -> None:
        """End asynchronous hooks that still run."""
        ...


class Journal(Protocol):
    """The stored facts of one session."""

    @property
    def session_id(self) -> str:
        """Whose facts these are."""
        ...

    def append(self, fact: Fact) -> int:
        """Store one fact, durably at commit points; returns its sequence number. Never raises: see `problem`."""
        ...

    def read(self, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """Stored facts in order. Raises StoreError."""
        ...

    @property
    def problem(self) -> str:
        """Why facts are not reaching the disk just now, or empty."""
        ...

    def close(self) -> None:
        """Give up the session's lease."""
        ...


Environment: TypeAlias = Mapping[str, str]
