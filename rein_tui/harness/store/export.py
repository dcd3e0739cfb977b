"""A session for other eyes: Markdown, one HTML page that needs nothing else, facts or transcript as JSONL."""

import html
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from ..protocol.base import JsonObject
from ..protocol.displays import DiffDisplay, Display
from ..protocol.events import (
    Compacted,
    Fact,
    MessageFinished,
    Notice,
    PromptAdded,
    Rewound,
    SessionStarted,
    ToolCallFinished,
    ToolCallRequested,
    ToolCallStarted,
    TurnFailed,
    TurnInterrupted,
)
from ..protocol.messages import ImageBlock, Message, ResultContent, TextBlock
from ..protocol.ports import SessionInfo
from ..protocol.workbench import ExportForm
from .codec import encode_fact, encode_json
from .records import TranscriptFold

SUFFIXES: dict[ExportForm, str] = {"markdown": ".md", "html": ".html", "jsonl": ".jsonl", "transcript": ".jsonl"}

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
header { border-bottom: 1px solid #8886; margin-bottom: 1rem; } header p { opacity: .7; }
section { margin: 1rem 0; padding: .1rem 1rem; border-left: 3px solid #8886; }
.person { border-color: #2a7de1; } .answer { border-color: #2e9e5b; } .error { border-color: #d1373f; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; }
.person pre, .answer pre { font: inherit; }
details pre { background: #8881; padding: .6rem; max-height: 30rem; overflow: auto; }
summary { cursor: pointer; } .in { margin-left: 1.5rem; }
"""


class Entry(NamedTuple):
    """One thing to show: who (person, answer, call, note), a heading, prose, and parts that fold away."""

    kind: Literal["person", "answer", "call", "note"]
    heading: str
    text: str = ""
    folded: tuple[tuple[str, str], ...] = ()
    is_error: bool = False
    is_inside: bool = False


def export(form: ExportForm, info: SessionInfo, facts: Sequence[Fact]) -> bytes:
    """The session in this form."""
    makers: dict[ExportForm, Callable[[], str | bytes]] = {
        "markdown": lambda: to_markdown(info, facts),
        "html": lambda: to_html(info, facts),
        "jsonl": lambda: b"".join(encode_fact(fact) + b"\n" for fact in facts),
        "transcript": lambda: to_transcript(info, facts),
    }
    made = makers[form]()
    return made if isinstance(made, bytes) else made.encode("utf-8", "replace")


def to_transcript(info: SessionInfo, facts: Iterable[Fact]) -> bytes:
    """The session's own transcript, as the ecosystem's tools read it."""
    fold = TranscriptFold(info.id)
    lines = [line for fact in facts for line in fold.apply(fact)]
    return b"".join(encode_json(line.record) + b"\n" for line in lines if not line.agent_id)


def to_markdown(info: SessionInfo, facts: Sequence[Fact]) -> str:
    """A document that reads well as plain text; nothing in it can end its own fence."""
    parts = [f"# {_one_line(info.title) or 'Session'}", _about(info)]
    for entry in entries(facts):
        parts.append(f"{'###' if entry.kind == 'call' else '##'} {_one_line(entry.heading)}")
        if entry.text:
            parts.append(entry.text)
        for title, body in entry.folded:
            fence = _fence(body)
            parts.append(f"{title}:\n\n{fence}\n{body}\n{fence}")
    return "\n\n".join(parts) + "\n"


def to_html(info: SessionInfo, facts: Sequence[Fact]) -> str:
    """One page without scripts or outside resources; everything in it is escaped."""
    title = html.escape(_one_line(info.title) or "Session")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    body = "\n".join(_section(entry) for entry in entries(facts))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{title}</h1><p>{html.escape(_about(info))}</p></header>\n{body}\n</body>\n</html>\n"
    )


def entries(facts: Iterable[Fact]) -> list[Entry]:
    """What there is to show, in order."""
    shown: list[Entry] = []
    inputs: dict[str, JsonObject] = {}
    summaries: dict[str, str] = {}
    for fact in facts:
        match fact:
            case PromptAdded(origin="prompt" | "steer"):
                shown.append(Entry("person", "Person", _prose(fact.message), is_inside=bool(fact.parent)))
            case PromptAdded():
                folded = ((fact.source or fact.origin, _prose(fact.message)),)
                shown.append(Entry("note", f"Added to the context: {fact.origin}", folded=folded))
            case MessageFinished() if fact.message.text.strip():
                shown.append(Entry("answer", "Assistant", fact.message.text, is_inside=bool(fact.parent)))
            case ToolCallRequested():
                inputs[fact.call_id], summaries[fact.call_id] = fact.input, fact.summary
            case ToolCallStarted():
                inputs[fact.call_id] = fact.input
            case ToolCallFinished():
                shown.append(_call(fact, inputs.pop(fact.call_id, {}), summaries.pop(fact.call_id, "")))
            case _:
                shown += _note(fact)
    return shown


def _note(fact: Fact) -> list[Entry]:
    match fact:
        case SessionStarted(source="fork"):
            return [Entry("note", f"Forked from {fact.forked_from} after turn {fact.forked_turn}")]
        case Compacted():
            return [Entry("note", "Conversation compacted", folded=(("Summary", fact.summary),))]
        case Rewound():
            return [Entry("note", f"Rewound to the end of turn {fact.to_turn}")]
        case TurnFailed():
            return [Entry("note", f"Failed: {fact.failure.message}", fact.failure.hint, is_error=True)]
        case TurnInterrupted():
            return [Entry("note", "Interrupted")]
        case Notice(level="warning" | "error"):
            return [Entry("note", fact.text, is_error=fact.level == "error")]
        case _:
            return []


def _call(fact: ToolCallFinished, tool_input: JsonObject, summary: str) -> Entry:
    mark = "" if fact.outcome == "ok" else f" ({fact.outcome})"
    heading = f"{summary or fact.name}{mark}"
    folded = [("Input", json.dumps(tool_input, indent=2, ensure_ascii=False))] if tool_input else []
    diff = _diff(fact.display)
    folded.append(("Change", diff) if diff else ("Result", _result(fact.content)))
    folded += [("Added", text) for text in fact.added]
    return Entry("call", heading, folded=tuple(folded), is_error=fact.is_error, is_inside=bool(fact.parent))


def _section(entry: Entry) -> str:
    classes = " ".join([entry.kind, *(["error"] if entry.is_error else []), *(["in"] if entry.is_inside else [])])
    heading = html.escape(_one_line(entry.heading))
    folded = "".join(
        f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(body)}</pre></details>"
        for title, body in entry.folded
    )
    text = f"<pre>{html.escape(entry.text)}</pre>" if entry.text else ""
    return f'<section class="{classes}"><h3>{heading}</h3>{text}{folded}</section>'


def _about(info: SessionInfo) -> str:
    when = datetime.fromtimestamp(info.created).astimezone().strftime("%Y-%m-%d %H:%M") if info.created else ""
    cost = f"${info.cost_usd:.2f}" if info.cost_usd is not None else ""
    facts = [when, info.model, info.cwd, info.branch, f"{info.turns} turns", cost, info.id]
    return _one_line(" · ".join(fact for fact in facts if fact))


def _prose(message: Message) -> str:
    parts = [
        block.text if isinstance(block, TextBlock) else f"[image {block.name}]"
        for block in message.blocks
        if isinstance(block, TextBlock | ImageBlock)
    ]
    return "\n\n".join(parts)


def _result(content: ResultContent) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block.text if isinstance(block, TextBlock) else f"[image {block.name}]" for block in content)


def _diff(display: Display | None) -> str:
    if not isinstance(display, DiffDisplay):
        return ""
    heads = [f"@@ -{h.old_start},{h.old_lines} +{h.new_start},{h.new_lines} @@" for h in display.hunks]
    hunks = ["\n".join([head, *hunk.lines]) for head, hunk in zip(heads, display.hunks, strict=True)]
    return "\n".join([display.path, *hunks])


def _fence(body: str) -> str:
    longest = run = 0
    for char in body:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return "`" * max(3, longest + 1)


def _one_line(text: str) -> str:
    return " ".join(text.split())
