"""A conversation as a markdown file: one more fold over the facts."""

import json
from collections.abc import Sequence

from rein_tui.harness.protocol.events import Fact, MessageFinished, PromptAdded, ToolCallFinished, TurnFailed
from rein_tui.harness.protocol.messages import ResultContent, TextBlock
from rein_tui.harness.protocol.ports import SessionInfo

_WHO = {"prompt": "You", "steer": "You, while it ran", "shell": "You, in the shell"}


def as_markdown(info: SessionInfo, facts: Sequence[Fact]) -> str:
    """Prompts, answers, calls and results, in order; what hooks and the house added is left out."""
    parts = [f"# {info.title or info.id}", f"Session {info.id} · {info.model} · {info.cwd}"]
    for fact in facts:
        match fact:
            case PromptAdded() if fact.origin in _WHO:
                parts += [f"## {_WHO[fact.origin]}", fact.message.text]
            case MessageFinished(parent=""):
                parts += _message(fact)
            case ToolCallFinished(parent=""):
                parts.append(f"**{fact.name}** {fact.outcome}\n\n{_fenced(_text(fact.content))}")
            case TurnFailed():
                parts.append(f"> failed: {fact.failure.message}")
            case _:
                pass
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _message(fact: MessageFinished) -> list[str]:
    parts = ["## rein", fact.message.text] if fact.message.text.strip() else []
    for call in fact.message.tool_uses:
        parts.append(f"**{call.name}**\n\n{_fenced(json.dumps(call.input, indent=2, ensure_ascii=False), 'json')}")
    return parts


def _text(content: ResultContent) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.text if isinstance(block, TextBlock) else f"[{block.name or 'image'}]" for block in content)


def _fenced(text: str, language: str = "") -> str:
    ticks = "```"
    while ticks in text:
        ticks += "`"
    return f"{ticks}{language}\n{text}\n{ticks}"
