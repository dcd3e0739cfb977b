"""Hooks as words: where one is written, what one run did, and what all runs of one moment add up to."""

import re
from typing import Any, Literal, TypeAlias

from msgspec import field

from .base import JsonObject, Word
from .decisions import HookVerdict, Source

HookPoint: TypeAlias = Literal[
    "PreToolUse",
    "PostToolUse",
    "Stop",
    "UserPromptSubmit",
    "SessionStart",
    "SessionEnd",
    "PreCompact",
    "Notification",
    "SubagentStop",
    "PostToolUseFailure",
    "PostToolBatch",
    "PermissionRequest",
    "PermissionDenied",
    "SubagentStart",
    "PostCompact",
    "StopFailure",
    "UserPromptExpansion",
    "ConfigChange",
    "InstructionsLoaded",
    "CwdChanged",
    "Setup",
]
"""The moments that exist here; the first nine are the classic ones."""

HandlerType: TypeAlias = Literal["command", "prompt", "http", "mcp_tool", "agent"]

_SCRIPT = r"[\w.~@+${}:-]*/[\w./~@+${}:-]*\w|[\w@+-][\w.@+-]*\.[A-Za-z]\w{0,7}"
"""A word of a command line that looks like a file: a path, or a name with an ending."""

_INTERPRETER = r"(ba|z|da|k|fi)?sh|env|node|bun|deno|npx|uvx?|(python|pypy|ruby|perl|php)[\d.]*"
"""What starts a script and is not what a person calls the hook."""

HookResult: TypeAlias = Literal[
    "nothing",
    "allow",
    "deny",
    "ask",
    "block",
    "rewrote",
    "context",
    "stopped",
    "message",
    "timeout",
    "failed",
    "bad_output",
    "killed",
]
"""What became of one run, as the hook log shows it."""


class HookSpec(Word, frozen=True, kw_only=True):
    """One handler as configured, with everything needed to run it and to say where it is written.

    `config` is the handler object as written. `timeout` is in seconds, None for the event's default.
    `plugin_root`, `plugin_id` and `options` are set for a plugin's hooks. `on_error` is what a broken gate does.
    """

    id: str
    point: HookPoint
    handler: HandlerType
    config: JsonObject
    source: Source
    matcher: str = ""
    condition: str = ""
    timeout: float | None = None
    is_async: bool = False
    rewakes: bool = False
    on_error: Literal["continue", "ask", "block", ""] = ""
    plugin_id: str = ""
    plugin_root: str = ""
    plugin_data: str = ""
    options: JsonObject = field(default_factory=dict[str, Any])
    once: bool = False
    owner: str = ""

    @property
    def title(self) -> str:
        """The short name that the chat's receipt and the hook log show."""
        for key in ("command", "prompt", "url", "tool"):
            value = self.config.get(key)
            if isinstance(value, str) and value:
                return value
        return self.handler

    @property
    def name(self) -> str:
        """What a person calls the hook: the script that a command line starts, without folders and arguments."""
        lines = [line for line in self.title.strip().splitlines() if not line.lstrip().startswith("#")]
        title = "\n".join(lines)
        if self.handler != "command":
            return title.split("\n", 1)[0][:60]
        arguments: Any = self.config.get("args") or ()
        words = [word.strip("\"'") for word in (*title.split(), *map(str, arguments))]
        names = [word.rstrip("/").rsplit("/", 1)[-1] for word in words if re.fullmatch(_SCRIPT, word)]
        scripts = [name for name in names if not re.fullmatch(_INTERPRETER, name)]
        return (scripts or names or [*words, title])[0].rsplit("/", 1)[-1][:60]


class HookRun(Word, frozen=True, kw_only=True):
    """One run of one handler, whole: enough to tell its story without opening a file.

    Times are epoch seconds, `duration` seconds. `stdin` is the JSON that was sent. `parsed` is its JSON output,
    if it gave any. `exit_code` is None for a handler without one, or a killed one.
    """

    id: str
    hook: HookSpec
    started: float
    duration: float
    result: HookResult
    exit_code: int | None = None
    stdin: str = ""
    stdout: str = ""
    stderr: str = ""
    parsed: JsonObject | None = None
    reason: str = ""
    message: str = ""
    context: str = ""
    updated_input: JsonObject | None = None
    environment: dict[str, str] = field(default_factory=dict[str, str])
    spilled: tuple[str, ...] = ()
    dry: bool = False


class HookSkip(Word, frozen=True, kw_only=True):
    """A handler of this moment that did not run, and why (its matcher, its condition, a switch, a duplicate)."""

    hook: HookSpec
    reason: str


class HookCall(Word, frozen=True, kw_only=True):
    """One moment at which hooks may run.

    `subject` is what matchers look at (tool name, source, trigger …; empty where the event has none).
    `payload` holds the event's own fields of the stdin JSON; the engine adds the common ones. `cwd` empty means the
    session's.
    """

    point: HookPoint
    payload: JsonObject = field(default_factory=dict[str, Any])
    subject: str = ""
    call_id: str = ""
    agent_id: str = ""
    agent_type: str = ""
    cwd: str = ""


class HookOutcome(Word, frozen=True, kw_only=True):
    """What all runs of one moment add up to (deny over ask over allow; the last finisher's input wins).

    `verdict` is None when no hook decided. `reason` goes to the model or the person, as the event says.
    `stop` is true when a hook said `continue: false`. `broken` lists gates that failed and therefore ask.
    `blocked` is set for the events that block without a permission (prompt, stop, compaction).
    """

    verdict: Literal["allow", "ask", "deny"] | None = None
    reason: str = ""
    blocked: bool = False
    stop: bool = False
    stop_reason: str = ""
    updated_input: JsonObject | None = None
    updated_output: JsonObject | str | None = None
    context: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    verdicts: tuple[HookVerdict, ...] = ()
    feedback: tuple[str, ...] = ()
    session_title: str = ""
    initial_prompt: str = ""
    permission: JsonObject | None = None
    runs: tuple[HookRun, ...] = ()
