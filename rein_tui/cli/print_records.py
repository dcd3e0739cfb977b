"""The records of `--output-format stream-json` and `json`: a fold of events into what scripts of this ecosystem read.

It knows words only. Shapes: one JSON object a record; `system/init` first, `result` last, in between one record a
content block or tool result.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from ..harness.protocol.base import JsonObject
from ..harness.protocol.errors import Failure
from ..harness.protocol.events import (
    Compacted,
    ContextPrepared,
    Event,
    HookFired,
    HookStarted,
    MessageFinished,
    Notice,
    PermissionDecided,
    RequestRetried,
    SessionStarted,
    SideAnswered,
    TextDelta,
    ThinkingDelta,
    ToolCallFinished,
    ToolCallRequested,
    TurnEnd,
    TurnFailed,
    TurnFinished,
    TurnInterrupted,
)
from ..harness.protocol.mcp import McpServers, McpServerState
from ..harness.protocol.messages import (
    Block,
    ImageBlock,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    Usage,
)
from ..harness.protocol.workbench import ExtensionRow

_SERVER_STATES = {
    "connected": "connected",
    "starting": "pending",
    "waiting": "pending",
    "needs_login": "needs-auth",
    "failed": "failed",
    "disabled": "disabled",
    "denied": "disabled",
}
_ENDS = {"max_turns": "error_max_turns", "budget": "error_max_budget_usd", "denied": "error_during_execution"}


def was_refused(end: TurnEnd) -> bool:
    """Whether the prompt never reached the model: a hook blocked it, or what it unfolds into was not allowed."""
    return isinstance(end, TurnFinished) and end.reason in {"hook", "denied"} and end.steps == 0


def block_record(block: Block) -> JsonObject:
    """A block in the shape of the Messages API."""
    match block:
        case TextBlock(text=text):
            return {"type": "text", "text": text}
        case ThinkingBlock():
            return {"type": "thinking", "thinking": block.thinking, "signature": block.signature}
        case RedactedThinkingBlock(data=data):
            return {"type": "redacted_thinking", "data": data}
        case ImageBlock():
            source = {"type": "base64", "media_type": block.media_type, "data": block.data}
            return {"type": "image", "source": source}
        case ToolUseBlock():
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input}
        case ToolResultBlock():
            return _result_record(block)


def _result_record(block: ToolResultBlock) -> JsonObject:
    content: Any = block.content if isinstance(block.content, str) else [block_record(b) for b in block.content]
    record: JsonObject = {"type": "tool_result", "tool_use_id": block.tool_use_id, "content": content}
    if block.is_error:
        record["is_error"] = True
    return record


def usage_record(usage: Usage) -> JsonObject:
    """Usage with the API's names."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
    }


_STYLE = "output style "
"""What the part of the system prompt is called that a style makes up."""


class Records:
    """Folds the events of one session into records. `partial` adds stream events, `hooks` adds hook records."""

    def __init__(self, session_id: str, *, mode: str = "default", partial: bool = False, hooks: bool = False) -> None:
        self._session_id = session_id
        self._mode = mode
        self._partial = partial
        self._hooks = hooks
        self._init: JsonObject | None = None
        self._inputs: dict[str, tuple[str, JsonObject]] = {}
        self._usage: dict[str, Usage] = {}
        self._beside = Usage()
        self._started = time.monotonic()
        self._api_seconds = 0.0
        self._stop_reason: str | None = None
        self._denials: list[JsonObject] = []
        self.last_text = ""
        self.mcp: McpServers | None = None
        self.extensions: Sequence[ExtensionRow] = ()

    def _record(self, kind: str, **fields: Any) -> JsonObject:
        return {"type": kind, **fields, "session_id": self._session_id, "uuid": str(uuid.uuid4())}

    def count(self, event: SideAnswered) -> None:
        """What was used beside the turn belongs to its cost."""
        self._beside = self._beside + event.usage
        self._usage[event.model] = self._usage.get(event.model, Usage()) + event.usage

    def apply(self, event: Event) -> Iterator[JsonObject]:
        """The records that this event makes, in order."""
        parent = event.parent or None
        match event:
            case SessionStarted():
                self._init = {"cwd": event.cwd, "model": event.model, "claude_code_version": event.version}
            case ContextPrepared() if self._init is not None:
                init, self._init = self._init, None
                yield self._record("system", subtype="init", **self._init_fields(init, event))
            case MessageFinished():
                yield from self._message(event, parent)
            case ToolCallRequested():
                self._inputs[event.call_id] = (event.name, event.input)
            case PermissionDecided(decision=decision) if decision.outcome == "deny":
                yield self._denied(event)
            case ToolCallFinished():
                yield self._result(event, parent)
            case TextDelta(text=text) if self._partial:
                yield self._stream({"type": "text_delta", "text": text}, parent)
            case ThinkingDelta(text=text) if self._partial:
                yield self._stream({"type": "thinking_delta", "thinking": text}, parent)
            case RequestRetried():
                yield self._record(
                    "system",
                    subtype="api_retry",
                    attempt=event.attempt,
                    max_retries=event.max_attempts,
                    retry_delay_ms=round(event.delay * 1000),
                    error_status=event.status or None,
                    error=event.reason,
                )
            case Compacted():
                meta = {"trigger": event.trigger, "pre_tokens": event.tokens_before}
                yield self._record("system", subtype="compact_boundary", compact_metadata=meta)
            case Notice():
                content = "\n".join(part for part in (event.text, event.where, event.hint) if part)
                yield self._record("system", subtype="informational", content=content, level=event.level)
            case HookStarted() | HookFired() if self._hooks:
                yield self._hook(event)
            case _:
                pass

    def _init_fields(self, init: JsonObject, prepared: ContextPrepared) -> JsonObject:
        rows = [row for row in self.extensions if row.state == "on"]
        styles = [name.removeprefix(_STYLE) for name in prepared.sources if name.startswith(_STYLE)]
        return {
            **init,
            "tools": ["Task" if tool.name == "Agent" else tool.name for tool in prepared.tools],
            "mcp_servers": [_server(state) for state in self.mcp.states()] if self.mcp is not None else [],
            "permissionMode": self._mode,
            "slash_commands": [row.name for row in rows if row.kind in ("command", "skill")],
            "skills": [row.name for row in rows if row.kind == "skill"],
            "agents": [row.name for row in rows if row.kind == "agent"],
            "plugins": [{"name": row.name, "path": row.where} for row in rows if row.kind == "plugin"],
            "output_style": styles[0] if styles else "default",
            "apiKeySource": "none",
        }

    def _message(self, event: MessageFinished, parent: str | None) -> Iterator[JsonObject]:
        if not parent:
            self.last_text = event.message.text or self.last_text
            self._stop_reason = event.stop_reason
        self._api_seconds += event.duration
        self._usage[event.model] = self._usage.get(event.model, Usage()) + event.usage
        for block in event.message.blocks:
            message = {
                "id": event.message.id or event.request_id,
                "type": "message",
                "role": "assistant",
                "model": event.model,
                "content": [block_record(block)],
                "stop_reason": event.stop_reason,
                "usage": usage_record(event.usage),
            }
            yield self._record("assistant", message=message, parent_tool_use_id=parent)

    def _result(self, event: ToolCallFinished, parent: str | None) -> JsonObject:
        block = ToolResultBlock(tool_use_id=event.call_id, content=event.content, is_error=event.is_error)
        message = {"role": "user", "content": [block_record(block)]}
        structured: Any = event.response if event.response is not None else f"Error: {event.content}"
        if event.response is None and not event.is_error:
            structured = event.content if isinstance(event.content, str) else ""
        return self._record("user", message=message, tool_use_result=structured, parent_tool_use_id=parent)

    def _denied(self, event: PermissionDecided) -> JsonObject:
        name, tool_input = self._inputs.get(event.call_id, ("", {}))
        self._denials.append({"tool_name": name, "tool_use_id": event.call_id, "tool_input": tool_input})
        return self._record(
            "system",
            subtype="permission_denied",
            tool_name=name,
            tool_use_id=event.call_id,
            decision_reason_type=event.decision.decided_by,
            message=event.decision.reason,
        )

    def _stream(self, delta: JsonObject, parent: str | None) -> JsonObject:
        event = {"type": "content_block_delta", "index": 0, "delta": delta}
        return self._record("stream_event", event=event, parent_tool_use_id=parent)

    def _hook(self, event: HookStarted | HookFired) -> JsonObject:
        if isinstance(event, HookStarted):
            return self._record(
                "system",
                subtype="hook_started",
                hook_id=event.run_id,
                hook_name=event.title,
                hook_event=event.point,
            )
        run = event.run
        return self._record(
            "system",
            subtype="hook_response",
            hook_id=run.id,
            hook_name=run.hook.title,
            hook_event=run.hook.point,
            stdout=run.stdout,
            stderr=run.stderr,
            output=run.stdout,
            exit_code=run.exit_code,
            outcome=run.result,
        )

    def result(self, end: TurnEnd) -> JsonObject:
        """The last record of a turn."""
        used, self._beside = end.usage + self._beside, Usage()
        fields: JsonObject = {
            "num_turns": end.steps,
            "duration_ms": round((time.monotonic() - self._started) * 1000),
            "duration_api_ms": round(self._api_seconds * 1000),
            "total_cost_usd": used.cost_usd,
            "usage": usage_record(end.usage),
            "modelUsage": {model: usage_record(usage) for model, usage in self._usage.items()},
            "permission_denials": self._denials,
            "stop_reason": self._stop_reason,
        }
        match end:
            case TurnFailed(failure=failure):
                errors = [_failure_text(failure)]
                return self._record(
                    "result", subtype="error_during_execution", is_error=True, errors=errors, result=errors[0], **fields
                )
            case TurnInterrupted(reason=reason):
                errors = [f"interrupted: {reason}" if reason else "interrupted"]
                return self._record(
                    "result", subtype="error_during_execution", is_error=True, errors=errors, result=errors[0], **fields
                )
            case TurnFinished(reason=reason, detail=detail) if was_refused(end):
                errors = [detail or f"the prompt was blocked ({reason})"]
                fields["terminal_reason"] = reason
                return self._record(
                    "result", subtype="error_during_execution", is_error=True, errors=errors, result=errors[0], **fields
                )
            case TurnFinished(reason=reason) if reason in _ENDS:
                errors = [end.detail or reason]
                return self._record("result", subtype=_ENDS[reason], is_error=True, errors=errors, **fields)
            case TurnFinished():
                text = self.last_text if end.reason == "end_turn" else self.last_text or end.detail
                fields["terminal_reason"] = end.reason
                return self._record("result", subtype="success", is_error=False, result=text, **fields)


def _server(state: McpServerState) -> JsonObject:
    return {"name": state.name, "status": _SERVER_STATES.get(state.state, "pending-approval")}


def _failure_text(failure: Failure) -> str:
    return "\n".join(part for part in (failure.message, failure.where, failure.hint) if part)
