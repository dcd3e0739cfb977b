"""Our events as updates of the Agent Client Protocol: text, thoughts, calls with their diffs, the plan."""

from collections.abc import Iterator, Sequence

import acp
from acp import schema

from rein_tui.harness.protocol.displays import CommandDisplay, DiffDisplay, Display
from rein_tui.harness.protocol.events import (
    Event,
    Fact,
    MessageFinished,
    ModeChanged,
    PromptAdded,
    RequestRetried,
    TextDelta,
    ThinkingDelta,
    TodosChanged,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    TurnEnd,
    TurnFinished,
    TurnInterrupted,
)
from rein_tui.harness.protocol.messages import ThinkingBlock
from rein_tui.harness.protocol.workbench import CommandInfo

from .classic import as_text

Update = (
    schema.UserMessageChunk
    | schema.AgentMessageChunk
    | schema.AgentThoughtChunk
    | schema.ToolCallStart
    | schema.ToolCallProgress
    | schema.AgentPlanUpdate
    | schema.CurrentModeUpdate
    | schema.AvailableCommandsUpdate
)
Content = schema.ContentToolCallContent | schema.FileEditToolCallContent | schema.TerminalToolCallContent

_KINDS: dict[str, schema.ToolKind] = {
    "Read": "read",
    "Edit": "edit",
    "MultiEdit": "edit",
    "Write": "edit",
    "NotebookEdit": "edit",
    "Bash": "execute",
    "Grep": "search",
    "Glob": "search",
    "WebFetch": "fetch",
    "WebSearch": "fetch",
    "TodoWrite": "think",
    "Agent": "think",
    "EnterPlanMode": "switch_mode",
    "ExitPlanMode": "switch_mode",
}
_LONGEST_OUTPUT = 64 * 1024


class UpdateFold:
    """Events to updates. What deltas did not bring, the finished message does."""

    def __init__(self) -> None:
        self._text = ""
        self._thinking = ""

    def apply(self, event: Event) -> Iterator[Update]:
        """The updates for one event; of a subagent only its calls."""
        if event.parent and not isinstance(event, ToolCallRequested | ToolCallStarted | ToolCallFinished):
            return
        match event:
            case TextDelta(text=text):
                self._text += text
                yield acp.update_agent_message_text(text)
            case ThinkingDelta(text=text):
                self._thinking += text
                yield acp.update_agent_thought_text(text)
            case RequestRetried():
                self._text = self._thinking = ""
            case MessageFinished():
                yield from self._rest(event)
            case ModeChanged(mode=mode):
                yield schema.CurrentModeUpdate(session_update="current_mode_update", current_mode_id=mode)
            case TodosChanged(todos=todos):
                entries = [acp.plan_entry(todo.content, status=todo.status) for todo in todos]
                yield acp.update_plan(entries)
            case _:
                yield from _about_call(event)

    def _rest(self, finished: MessageFinished) -> Iterator[Update]:
        message = finished.message
        thinking = "".join(b.thinking for b in message.blocks if isinstance(b, ThinkingBlock))
        if len(thinking) > len(self._thinking) and thinking.startswith(self._thinking):
            yield acp.update_agent_thought_text(thinking[len(self._thinking) :])
        if len(message.text) > len(self._text) and message.text.startswith(self._text):
            yield acp.update_agent_message_text(message.text[len(self._text) :])
        self._text = self._thinking = ""


def _about_call(event: Event) -> Iterator[Update]:
    match event:
        case ToolCallRequested():
            yield acp.start_tool_call(
                event.call_id,
                event.summary or event.name,
                kind=_KINDS.get(event.name, "other"),
                status="pending",
                locations=_locations(event),
                raw_input=event.input,
            )
        case ToolCallStarted():
            yield acp.update_tool_call(event.call_id, status="in_progress", raw_input=event.input)
        case ToolCallFinished():
            yield acp.update_tool_call(
                event.call_id,
                status="failed" if event.is_error else "completed",
                content=[*shown(event.display), *([] if isinstance(event.display, DiffDisplay) else _said(event))],
            )
        case _:
            return


def shown(display: Display | None) -> list[Content]:
    """What a tool shows before or after it runs; a diff as a diff, one piece a hunk."""
    match display:
        case DiffDisplay():
            return [
                acp.tool_diff_content(
                    display.path,
                    new_text=_side(hunk.lines, "+"),
                    old_text=_side(hunk.lines, "-") if display.old_exists else None,
                )
                for hunk in display.hunks
            ]
        case CommandDisplay(command=command) if not display.output:
            return [acp.tool_content(acp.text_block(f"```sh\n{command}\n```"))]
        case _:
            return []


def _side(lines: Sequence[str], sign: str) -> str:
    return "".join(line[1:] + "\n" for line in lines if line[:1] in (" ", sign))


def _said(event: ToolCallFinished) -> list[Content]:
    text = as_text(event.content)
    if len(text) > _LONGEST_OUTPUT:
        text = f"{text[:_LONGEST_OUTPUT]}\n… {len(text) - _LONGEST_OUTPUT} more characters"
    return [acp.tool_content(acp.text_block(text))] if text else []


def _locations(event: ToolCallRequested) -> list[schema.ToolCallLocation] | None:
    path = event.input.get("file_path")
    return [schema.ToolCallLocation(path=path)] if isinstance(path, str) and path.startswith("/") else None


def replayed(facts: Sequence[Fact]) -> Iterator[Update]:
    """A stored story as updates, the person's own words included."""
    fold = UpdateFold()
    for fact in facts:
        if isinstance(fact, ModeChanged):  # how it was then; how it is now is told beside the story
            continue
        if isinstance(fact, PromptAdded) and fact.origin in ("prompt", "steer") and not fact.parent:
            yield acp.update_user_message_text(fact.message.text)
        yield from fold.apply(fact)


def commands_update(commands: Sequence[CommandInfo]) -> schema.AvailableCommandsUpdate:
    """The slash commands that files define, for the editor's own completion."""
    known = [
        schema.AvailableCommand(
            name=info.name,
            description=info.summary or info.name,
            input=schema.AvailableCommandInput(schema.UnstructuredCommandInput(hint=info.argument))
            if info.argument
            else None,
        )
        for info in commands
    ]
    return schema.AvailableCommandsUpdate(session_update="available_commands_update", available_commands=known)


def stop_reason(end: TurnEnd) -> schema.StopReason:
    """Why the turn ended, in the protocol's words."""
    match end:
        case TurnInterrupted():
            return "cancelled"
        case TurnFinished(reason="max_tokens" | "context_full"):
            return "max_tokens"
        case TurnFinished(reason="max_turns" | "budget"):
            return "max_turn_requests"
        case TurnFinished(reason="refusal"):
            return "refusal"
        case _:
            return "end_turn"
