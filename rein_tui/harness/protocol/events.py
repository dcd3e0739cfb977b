"""Events: what the harness tells. Facts are settled and stored; deltas are drawn and forgotten.

Ordering laws, kept by one property test:

    SessionStarted, then turns. One turn is

        TurnStarted
          (PromptAdded | HookFired | Notice)*
          (StepStarted  delta* (RequestRetried | Notice)*  MessageFinished  calls…  StepFinished)*
        TurnFinished | TurnInterrupted | TurnFailed

    A step that fails or is interrupted before its message is complete has a MessageFinished of stop_reason
    `incomplete` with the prose that was already shown, or none where nothing was. After RequestRetried, deltas of
    the step shown so far are void. One call is

        ToolCallRequested → HookFired* → PermissionDecided
          → [PermissionRequested → PermissionResolved → PermissionDecided?]
          → [ToolCallStarted → (ToolOutputDelta | FileChanged | Notice)*] → HookFired* → ToolCallFinished

    A turn in which the person runs a command (`!`) has one call and no step: Requested, Started, output, Finished.
    A call that is invalid (unknown tool, input that does not parse) has only Requested and Finished. Requested
    and Started are different facts: a denied call never flashes as running. Calls of one message interleave;
    each keeps this order, and every Requested has its Finished before StepFinished. Inside a subagent every
    event carries `parent`, the id of the call that started it, and the same laws hold there.

Dropping every delta changes nothing but the animation.
"""

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import field

from .base import JsonObject, Word
from .decisions import Decision, Grant, Mode, PermissionReply, PermissionRequest, QuestionReply, QuestionRequest
from .displays import Display, Todo
from .errors import Failure
from .hooks import HookPoint, HookRun, HookSkip
from .messages import Message, ParseTrace, ResultContent, StopReason, ToolSpec, Usage

Origin: TypeAlias = Literal["prompt", "steer", "hook", "memory", "command", "shell", "summary", "system", "background"]
"""Why a user-side message is in the conversation. Only `prompt` and `steer` were typed by the person."""

TurnEndReason: TypeAlias = Literal[
    "end_turn", "max_turns", "max_tokens", "refusal", "hook", "denied", "budget", "context_full", "repeating"
]
"""Why a turn came to rest by itself. `repeating`: the model made the same call again and again."""


SidePurpose: TypeAlias = Literal["title", "summary", "page", "hook", "server", "aside", ""]
"""What the model is asked for beside the conversation: a title, a compaction, a fetched page, a hook, an MCP server,
or by the person."""


class BaseEvent(Word, frozen=True, kw_only=True):
    """What every event carries; the session stamps all three.

    `time` is epoch seconds, `turn` counts from 1 (0: outside any turn), `parent` is the id of the Agent call
    that this event happened inside, or empty.
    """

    time: float = 0.0
    turn: int = 0
    parent: str = ""


# --- session ------------------------------------------------------------------------------------------------


class SessionStarted(BaseEvent, frozen=True, kw_only=True, tag="session_started"):
    """A session opened: first start, resume, clear, compact or fork."""

    session_id: str
    cwd: str
    source: Literal["startup", "resume", "clear", "compact", "fork"] = "startup"
    model: str = ""
    provider: str = ""
    mode: Mode = "default"
    version: str = ""
    branch: str = ""
    forked_from: str = ""
    forked_turn: int = 0


class SessionEnded(BaseEvent, frozen=True, kw_only=True, tag="session_ended"):
    """The session closed in order."""

    reason: Literal["clear", "resume", "logout", "prompt_input_exit", "other"] = "other"


class ContextPrepared(BaseEvent, frozen=True, kw_only=True, tag="context_prepared"):
    """System prompt and tools as sent from here on; stored once per change.

    `sources` maps each part of the system prompt to its length in characters. Tools of servers keep within
    `tool_budget` tokens (0: no limit, or no servers); `held_back` of them wait for ToolSearch.
    """

    system: str
    tools: tuple[ToolSpec, ...] = ()
    sources: dict[str, int] = field(default_factory=dict[str, int])
    tool_budget: int = 0
    held_back: int = 0


SourceKind: TypeAlias = Literal["tool", "mcp", "memory", "hook"]
"""What can be taken out of the window: a built-in tool, one of a server, a memory file, what a moment's hooks say."""


class SourceSwitched(BaseEvent, frozen=True, kw_only=True, tag="source_switched"):
    """A person took a source out of the window, or put it back; holds from the next request on.

    `name` is that of the tool, or the `source` of what was added to the conversation.
    """

    kind: SourceKind
    name: str
    on: bool


class ModeChanged(BaseEvent, frozen=True, kw_only=True, tag="mode_changed"):
    """The permission mode changed."""

    mode: Mode
    by: Literal["person", "hook", "tool", "command"] = "person"


class ModelChanged(BaseEvent, frozen=True, kw_only=True, tag="model_changed"):
    """Model or provider changed."""

    model: str
    provider: str = ""
    context_window: int = 0
    note: str = ""


class TitleChanged(BaseEvent, frozen=True, kw_only=True, tag="title_changed"):
    """The session's title changed; `by` says who gave it."""

    title: str
    by: Literal["first_words", "model", "person", "hook"] = "first_words"


class SideAnswered(BaseEvent, frozen=True, kw_only=True, tag="side_answered"):
    """The model answered beside the conversation, `purpose` says what for; the answer itself went to who asked."""

    purpose: SidePurpose
    model: str = ""
    usage: Usage = Usage()


class CwdChanged(BaseEvent, frozen=True, kw_only=True, tag="cwd_changed"):
    """The working directory of later commands changed."""

    old: str
    new: str


class GrantAdded(BaseEvent, frozen=True, kw_only=True, tag="grant_added"):
    """A person granted a rule."""

    grant: Grant


class GrantRevoked(BaseEvent, frozen=True, kw_only=True, tag="grant_revoked"):
    """A person took a rule back."""

    grant: Grant


class Notice(BaseEvent, frozen=True, kw_only=True, tag="notice"):
    """Something a person should see and the model need not: a warning with its place and what to do."""

    text: str
    level: Literal["info", "warning", "error"] = "info"
    where: str = ""
    hint: str = ""
    code: str = ""


# --- turn and step ------------------------------------------------------------------------------------------


class TurnStarted(BaseEvent, frozen=True, kw_only=True, tag="turn_started"):
    """A person (or a queue, a hook, a script) asked for something. `text` is what they typed."""

    text: str
    by: Literal["person", "hook", "script", "background"] = "person"


class PromptAdded(BaseEvent, frozen=True, kw_only=True, tag="prompt_added"):
    """A user-side message joined the conversation: the prompt itself, steering, hook context, memory, a summary."""

    message: Message
    origin: Origin = "prompt"
    source: str = ""


class StepStarted(BaseEvent, frozen=True, kw_only=True, tag="step_started"):
    """One request to the model begins. `step` counts within the turn from 1."""

    step: int
    model: str = ""
    provider: str = ""
    message_count: int = 0
    estimated_tokens: int = 0
    effort: str = ""
    thinking: bool = False


class RequestRetried(BaseEvent, frozen=True, kw_only=True, tag="request_retried"):
    """The request failed before any block was complete and will be sent again after `delay` seconds."""

    attempt: int
    delay: float
    reason: str
    status: int = 0
    max_attempts: int = 0


class MessageFinished(BaseEvent, frozen=True, kw_only=True, tag="message_finished"):
    """The model's message is complete (or cut: stop_reason `incomplete`). Times are seconds from the request.

    `calls` says how the calls of a local model travel: `native`, or `text:` and the form it is prompted in.
    """

    step: int
    message: Message
    stop_reason: StopReason
    usage: Usage = Usage()
    first_token: float = 0.0
    duration: float = 0.0
    model: str = ""
    request_id: str = ""
    parse: ParseTrace | None = None
    calls: str = ""


class StepFinished(BaseEvent, frozen=True, kw_only=True, tag="step_finished"):
    """The step is over: all of its calls are answered."""

    step: int


class TurnFinished(BaseEvent, frozen=True, kw_only=True, tag="turn_finished"):
    """The turn came to rest by itself."""

    reason: TurnEndReason = "end_turn"
    usage: Usage = Usage()
    duration: float = 0.0
    steps: int = 0
    detail: str = ""


class TurnInterrupted(BaseEvent, frozen=True, kw_only=True, tag="turn_interrupted"):
    """A person stopped the turn; the conversation is valid."""

    reason: str = ""
    usage: Usage = Usage()
    duration: float = 0.0
    steps: int = 0


class TurnFailed(BaseEvent, frozen=True, kw_only=True, tag="turn_failed"):
    """The turn ended with an error that a person can act on; the conversation is valid."""

    failure: Failure
    usage: Usage = Usage()
    duration: float = 0.0
    steps: int = 0


# --- calls --------------------------------------------------------------------------------------------------


class ToolCallRequested(BaseEvent, frozen=True, kw_only=True, tag="tool_call_requested"):
    """The model asked for a tool. `summary` is the one line that stands for the call everywhere."""

    call_id: str
    name: str
    input: JsonObject = field(default_factory=dict[str, Any])
    step: int = 0
    summary: str = ""
    read_only: bool = False


class PermissionDecided(BaseEvent, frozen=True, kw_only=True, tag="permission_decided"):
    """The engine decided about a call, with all its reasons. A second one follows an edited input."""

    call_id: str
    decision: Decision
    duration: float = 0.0


class PermissionRequested(BaseEvent, frozen=True, kw_only=True, tag="permission_requested"):
    """A person is asked."""

    request: PermissionRequest


class PermissionResolved(BaseEvent, frozen=True, kw_only=True, tag="permission_resolved"):
    """The answer came. `waited` is seconds since the question."""

    request_id: str
    call_id: str
    reply: PermissionReply
    waited: float = 0.0


class QuestionAsked(BaseEvent, frozen=True, kw_only=True, tag="question_asked"):
    """A tool or server put a question to the person."""

    request: QuestionRequest


class QuestionAnswered(BaseEvent, frozen=True, kw_only=True, tag="question_answered"):
    """The person answered, or would not."""

    request_id: str
    reply: QuestionReply
    waited: float = 0.0


class ToolCallStarted(BaseEvent, frozen=True, kw_only=True, tag="tool_call_started"):
    """The tool runs, with this input (after hooks and the person's edits; `edited_by` says who changed it)."""

    call_id: str
    name: str
    input: JsonObject = field(default_factory=dict[str, Any])
    edited_by: tuple[str, ...] = ()
    queued: float = 0.0


class ToolCallFinished(BaseEvent, frozen=True, kw_only=True, tag="tool_call_finished"):
    """The call is answered. `content` is what the model gets, `response` what hooks get, `display` what people get.

    `added` holds what hooks and the person said beside the result; the model gets it after the content.
    """

    call_id: str
    name: str
    outcome: Literal["ok", "error", "denied", "interrupted", "invalid"]
    content: ResultContent = ""
    display: Display | None = None
    response: JsonObject | None = None
    duration: float = 0.0
    added: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether the model sees an error result."""
        return self.outcome != "ok"


class FileChanged(BaseEvent, frozen=True, kw_only=True, tag="file_changed"):
    """A file tool changed a file. Hashes are sha256 hex of the content, empty for "did not exist".

    `mode` holds the permission bits that the file had before; 0 where there was none.
    """

    call_id: str
    path: str
    before: str = ""
    after: str = ""
    added: int = 0
    removed: int = 0
    mode: int = 0


class TodosChanged(BaseEvent, frozen=True, kw_only=True, tag="todos_changed"):
    """The model's to-do list changed."""

    todos: tuple[Todo, ...]


class BackgroundStarted(BaseEvent, frozen=True, kw_only=True, tag="background_started"):
    """A command or agent went to the background."""

    task_id: str
    title: str
    call_id: str = ""
    kind: Literal["command", "agent"] = "command"


class BackgroundFinished(BaseEvent, frozen=True, kw_only=True, tag="background_finished"):
    """A background task ended."""

    task_id: str
    exit_code: int | None = None
    status: Literal["completed", "failed", "killed"] = "completed"
    tail: str = ""


class AgentStarted(BaseEvent, frozen=True, kw_only=True, tag="agent_started"):
    """A subagent began under the call `parent`."""

    agent_id: str
    agent_type: str
    prompt: str
    model: str = ""


class AgentFinished(BaseEvent, frozen=True, kw_only=True, tag="agent_finished"):
    """A subagent came to rest."""

    agent_id: str
    agent_type: str
    usage: Usage = Usage()
    duration: float = 0.0
    calls: int = 0
    outcome: Literal["ok", "error", "interrupted"] = "ok"


# --- hooks, compaction --------------------------------------------------------------------------------------


class HookFired(BaseEvent, frozen=True, kw_only=True, tag="hook_fired"):
    """One hook ran to its end."""

    run: HookRun
    call_id: str = ""


class HooksSkipped(BaseEvent, frozen=True, kw_only=True, tag="hooks_skipped"):
    """Handlers of a moment that did not run, with the reasons. Only told where at least one is configured."""

    point: HookPoint
    skipped: tuple[HookSkip, ...]
    call_id: str = ""


class Compacted(BaseEvent, frozen=True, kw_only=True, tag="compacted"):
    """Everything before this fact is now stood for by `summary`; `kept` are messages that follow it verbatim.

    With `from_turn` the summary stands only for that turn and later ones; what came before stays as it was.
    """

    summary: str
    from_turn: int = 0
    trigger: Literal["manual", "auto"] = "manual"
    kept: tuple[Message, ...] = ()
    tokens_before: int = 0
    tokens_after: int = 0
    focus: str = ""


class Rewound(BaseEvent, frozen=True, kw_only=True, tag="rewound"):
    """The conversation goes on from the end of `to_turn`; later messages no longer count. Facts stay stored."""

    to_turn: int
    conversation: bool = True
    code: bool = False
    restored: tuple[str, ...] = ()
    kept_files: tuple[str, ...] = ()


# --- deltas -------------------------------------------------------------------------------------------------


class TextDelta(BaseEvent, frozen=True, kw_only=True, tag="text_delta"):
    """More prose of the open message. Neighbours may be joined; joining changes nothing."""

    text: str


class ThinkingDelta(BaseEvent, frozen=True, kw_only=True, tag="thinking_delta"):
    """More thinking of the open message."""

    text: str


class ToolInputDelta(BaseEvent, frozen=True, kw_only=True, tag="tool_input_delta"):
    """More of a call's input as raw JSON text, before the call is requested."""

    call_id: str
    name: str
    text: str


class ToolOutputDelta(BaseEvent, frozen=True, kw_only=True, tag="tool_output_delta"):
    """Live output of a running tool."""

    call_id: str
    text: str


class HookStarted(BaseEvent, frozen=True, kw_only=True, tag="hook_started"):
    """A hook runs; `run_id` is the id of the HookRun to come."""

    run_id: str
    point: HookPoint
    title: str
    call_id: str = ""


class ProgressDelta(BaseEvent, frozen=True, kw_only=True, tag="progress_delta"):
    """How far a long piece of work is. `total` is 0 when unknown."""

    call_id: str
    done: float
    total: float = 0.0
    text: str = ""


Fact: TypeAlias = (
    SessionStarted
    | SessionEnded
    | ContextPrepared
    | SourceSwitched
    | ModeChanged
    | ModelChanged
    | TitleChanged
    | SideAnswered
    | CwdChanged
    | GrantAdded
    | GrantRevoked
    | Notice
    | TurnStarted
    | PromptAdded
    | StepStarted
    | RequestRetried
    | MessageFinished
    | StepFinished
    | TurnFinished
    | TurnInterrupted
    | TurnFailed
    | ToolCallRequested
    | PermissionDecided
    | PermissionRequested
    | PermissionResolved
    | QuestionAsked
    | QuestionAnswered
    | ToolCallStarted
    | ToolCallFinished
    | FileChanged
    | TodosChanged
    | BackgroundStarted
    | BackgroundFinished
    | AgentStarted
    | AgentFinished
    | HookFired
    | HooksSkipped
    | Compacted
    | Rewound
)

Delta: TypeAlias = TextDelta | ThinkingDelta | ToolInputDelta | ToolOutputDelta | HookStarted | ProgressDelta

Event: TypeAlias = Fact | Delta

TurnEnd: TypeAlias = TurnFinished | TurnInterrupted | TurnFailed

DELTAS = (TextDelta, ThinkingDelta, ToolInputDelta, ToolOutputDelta, HookStarted, ProgressDelta)
TURN_ENDS = (TurnFinished, TurnInterrupted, TurnFailed)

fact_encoder = msgspec.json.Encoder()
