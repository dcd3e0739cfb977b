"""The moments at which hooks fire, and what each lets a hook do: the one table that engine, lint and docs read."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HandlerType, HookPoint

BlockEffect: TypeAlias = Literal["deny", "block", "feedback", "message", "refused", "ignored"]
"""What exit code 2 does: deny the call; block the moment; tell the model; tell the person; not accepted as an
answer here; nothing at all."""

ALL_HANDLERS: tuple[HandlerType, ...] = ("command", "http", "mcp_tool", "prompt", "agent")
NO_MODEL: tuple[HandlerType, ...] = ("command", "http", "mcp_tool")
LOCAL_ONLY: tuple[HandlerType, ...] = ("command", "mcp_tool")


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTraits:
    """What one moment is like.

    `subject` is the payload field that matchers look at, or empty. `is_gate`: a broken hook asks. `is_tool`: `if`
    conditions make sense. `plain_context`: plain stdout joins the conversation. `takes_context`: so does
    `additionalContext`. `sends_mode`: the payload holds `permission_mode`. `word_matcher`: only letters, digits,
    `_` and `|` make an exact matcher. `timeout` in seconds caps the default of every handler type.
    """

    subject: str = ""
    handlers: tuple[HandlerType, ...] = NO_MODEL
    on_block: BlockEffect = "ignored"
    is_gate: bool = False
    is_tool: bool = False
    plain_context: bool = False
    takes_context: bool = False
    sends_mode: bool = True
    has_env_file: bool = False
    word_matcher: bool = False
    timeout: float | None = None


def _tool(on_block: BlockEffect, *, is_gate: bool = False, takes_context: bool = True) -> PointTraits:
    return PointTraits(
        subject="tool_name",
        handlers=ALL_HANDLERS,
        on_block=on_block,
        is_gate=is_gate,
        is_tool=True,
        takes_context=takes_context,
    )


POINTS: dict[HookPoint, PointTraits] = {
    "PreToolUse": _tool("deny", is_gate=True),
    "PostToolUse": _tool("feedback"),
    "PostToolUseFailure": _tool("feedback"),
    "PermissionRequest": _tool("refused", takes_context=False),
    "PermissionDenied": _tool("ignored", takes_context=False),
    "PostToolBatch": PointTraits(handlers=ALL_HANDLERS, on_block="block", takes_context=True),
    "UserPromptSubmit": PointTraits(
        handlers=ALL_HANDLERS, on_block="block", is_gate=True, plain_context=True, takes_context=True, timeout=30
    ),
    "UserPromptExpansion": PointTraits(
        subject="command_name", handlers=ALL_HANDLERS, on_block="block", plain_context=True, takes_context=True
    ),
    "Stop": PointTraits(handlers=ALL_HANDLERS, on_block="block", takes_context=True),
    "SubagentStop": PointTraits(subject="agent_type", handlers=ALL_HANDLERS, on_block="block", takes_context=True),
    "SubagentStart": PointTraits(subject="agent_type", on_block="message", takes_context=True),
    "StopFailure": PointTraits(subject="error", word_matcher=True),
    "SessionStart": PointTraits(
        subject="source",
        handlers=LOCAL_ONLY,
        on_block="message",
        plain_context=True,
        takes_context=True,
        sends_mode=False,
        has_env_file=True,
    ),
    "SessionEnd": PointTraits(subject="reason", on_block="message", sends_mode=False),
    "Setup": PointTraits(
        subject="trigger",
        handlers=LOCAL_ONLY,
        on_block="message",
        takes_context=True,
        sends_mode=False,
        has_env_file=True,
    ),
    "PreCompact": PointTraits(subject="trigger", on_block="block", sends_mode=False),
    "PostCompact": PointTraits(subject="trigger", on_block="message"),
    "Notification": PointTraits(subject="notification_type", sends_mode=False),
    "ConfigChange": PointTraits(subject="source", on_block="block"),
    "InstructionsLoaded": PointTraits(subject="load_reason"),
    "CwdChanged": PointTraits(has_env_file=True),
}

NEVER_FIRING = frozenset(
    """DirectoryAdded FileChanged TaskCreated TaskCompleted TeammateIdle WorktreeCreate WorktreeRemove MessageDisplay
    Elicitation ElicitationResult""".split()
)
"""Moments of the ecosystem that do not exist here: accepted, listed, never fired."""

DEFAULT_TIMEOUTS: dict[HandlerType, float] = {
    "command": 600,
    "http": 600,
    "mcp_tool": 600,
    "prompt": 30,
    "agent": 60,
}
"""Seconds that one run may take when its entry does not say."""

HANDLER_TYPES: tuple[HandlerType, ...] = get_args(HandlerType)


def subject_of(point: HookPoint, payload: JsonObject) -> str:
    """What a matcher looks at in this payload; empty where the moment has no matcher."""
    value = payload.get(POINTS[point].subject) if POINTS[point].subject else None
    return value if isinstance(value, str) else ""


def default_timeout(point: HookPoint, handler: HandlerType) -> float:
    """Seconds that a run of this type may take at this moment."""
    own, limit = DEFAULT_TIMEOUTS[handler], POINTS[point].timeout
    return own if limit is None else min(own, limit)
