"""The tabs of the inspector as pages: Request, Response, Input, Result, Tokens, Parse. (Why and Timing: next door.)"""

import json
import shlex
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import msgspec
from textual.content import Content

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.displays import CommandDisplay, DiffDisplay
from rein_tui.harness.protocol.messages import (
    Block as MessageBlock,
)
from rein_tui.harness.protocol.messages import (
    ParseTrace,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
)
from rein_tui.harness.protocol.models import WireRequest

from .block import Block
from .diff import diff_pieces
from .displays import content_text
from .figures import short_bytes, short_cost, short_count, short_duration
from .inspector_records import CallRecord, Record, StepRecord
from .inspector_timing import call_timing, step_timing
from .inspector_why import why_blocks
from .lines import EMPTY, Piece, joined
from .markdown import markdown_pieces
from .page import Leaf
from .passages import Passage, changes, facts_table, heading, json_passages, muted, pretty, prose, text_passages
from .rows import fit, share_bar
from .safe import safe_content

Wire: TypeAlias = Callable[[int, int], WireRequest | None]
"""The request of a turn and step as it went over the wire, rebuilt from the facts before it; None when it cannot be."""

REQUEST, RESPONSE, INPUT, RESULT, WHY, TIMING, TOKENS, PARSE = range(1, 9)
_KEY_HEADERS = {"x-api-key": "$ANTHROPIC_API_KEY", "authorization": "Bearer $ANTHROPIC_API_KEY"}


def leaves_of(record: Record, wire: Wire | None) -> list[Leaf]:
    """The tabs that say something about a record."""
    step = record.step if isinstance(record, CallRecord) else record if isinstance(record, StepRecord) else None
    leaves: list[Leaf] = []
    if step is not None:
        request = partial(_request_of, step, wire)
        leaves.append(Leaf(REQUEST, "Request", lambda: _request(step, request()), lambda: as_json(request()), ".json"))
        leaves.append(Leaf(RESPONSE, "Response", lambda: _response(step), lambda: _response_text(step), ".json"))
    if isinstance(record, CallRecord):
        leaves.append(Leaf(INPUT, "Input", lambda: _input(record), lambda: pretty(record.stages()[-1][1]), ".json"))
        leaves.append(Leaf(RESULT, "Result", lambda: _result(record), lambda: _result_text(record)))
        leaves.append(_leaf(WHY, "Why", lambda: why_blocks(record)))
    if isinstance(record, CallRecord):
        leaves.append(_leaf(TIMING, "Timing", lambda: call_timing(record)))
    elif step is not None:
        leaves.append(_leaf(TIMING, "Timing", lambda: step_timing(step)))
    if step is not None:
        leaves.append(_leaf(TOKENS, "Tokens", lambda: _tokens(step, record)))
        parse = record.parse if isinstance(record, CallRecord) else step.finished.parse if step.finished else None
        if parse is not None:
            leaves.append(_leaf(PARSE, "Parse", lambda: _parse(parse, record)))
    return leaves


def _leaf(number: int, title: str, blocks: Callable[[], Iterator[Block]]) -> Leaf:
    return Leaf(number, title, blocks, lambda: "\n\n".join(b.source for b in blocks() if b.source))


# --- request ------------------------------------------------------------------------------------------------


def _request_of(step: StepRecord, wire: Wire | None) -> WireRequest | None:
    return wire(step.turn, step.step) if wire is not None and not step.parent else None


def as_json(request: WireRequest | None) -> str:
    """The body of a request."""
    return pretty(request.body) if request is not None else ""


def as_curl(request: WireRequest) -> str:
    """A command line that sends the request again; keys are read from the environment."""
    lines = [f"curl -sS -X {request.method} {shlex.quote(request.url)}"]
    for name, value in request.headers.items():
        secret = _KEY_HEADERS.get(name.lower())
        lines.append(f'-H "{name}: {secret}"' if secret else f"-H {shlex.quote(f'{name}: {value}')}")
    if "content-type" not in {name.lower() for name in request.headers}:
        lines.append("-H 'content-type: application/json'")
    lines.append(f"--data-binary {shlex.quote(json.dumps(request.body, ensure_ascii=False, default=str))}")
    return " \\\n  ".join(lines)


def _request(step: StepRecord, request: WireRequest | None) -> Iterator[Block]:
    started = step.started
    rows: list[tuple[str, Content | str]] = []
    if started is not None:
        rows = [("model", started.model), ("provider", started.provider), ("messages", str(started.message_count))]
    if request is None:
        yield facts_table(rows)
        yield muted("It is rebuilt for the main story only." if step.parent else "It cannot be rebuilt here.")
        return
    size = len(json.dumps(request.body, ensure_ascii=False, default=str).encode(errors="replace"))
    yield facts_table([*rows, ("sent to", f"{request.method} {request.url}"), ("size", short_bytes(size))])
    if request.headers:
        yield heading("headers", "keys are left out")
        yield facts_table(sorted(request.headers.items()))
    yield heading("body", "y copies it, c copies all as curl")
    yield from json_passages(request.body)


# --- response -----------------------------------------------------------------------------------------------


def _response(step: StepRecord) -> Iterator[Block]:
    finished = step.finished
    if finished is None:
        yield muted("No answer came." if step.is_over else "The answer is still coming.")
    else:
        streaming = finished.duration - finished.first_token
        rate = finished.usage.output_tokens / streaming if streaming > 0.05 else 0.0
        yield facts_table(
            [
                ("stopped", finished.stop_reason.replace("_", " ")),
                ("model", finished.model),
                ("first token", short_duration(finished.first_token) if finished.first_token else ""),
                ("whole", short_duration(finished.duration)),
                ("speed", f"{rate:.0f} tokens/s" if rate else ""),
                ("request id", finished.request_id),
            ]
        )
    for retry in step.retries:
        status = f" ({retry.status})" if retry.status else ""
        yield prose(f"↻ try {retry.attempt}{status}: {retry.reason}", "$text-warning")
    for notice in step.notices:
        yield prose(f"! {notice.text}", "$text-warning")
    for block in finished.message.blocks if finished is not None else ():
        yield from _message_block(block)


def _message_block(block: MessageBlock) -> Iterator[Block]:
    match block:
        case TextBlock(text=text):
            yield heading("text")
            yield Passage(lambda width: markdown_pieces(text, width), text)
        case ThinkingBlock(thinking=thinking):
            yield heading("thinking", "signed" if block.signature else "")
            yield from text_passages(thinking, style="italic $text-muted")
        case RedactedThinkingBlock(data=data):
            yield heading("thinking", f"encrypted, {short_bytes(len(data))}")
        case ToolUseBlock():
            yield heading(f"call {block.name}", block.id)
            if block.malformed:
                yield prose("its input did not parse:", "$text-error")
                yield from text_passages(block.malformed)
            else:
                yield from json_passages(block.input)
        case _:
            return


def _response_text(step: StepRecord) -> str:
    return pretty(msgspec.to_builtins(step.finished.message)) if step.finished is not None else ""


# --- input and result ---------------------------------------------------------------------------------------


def _input(call: CallRecord) -> Iterator[Block]:
    stages = call.stages()
    if len(stages) == 1:
        yield from json_passages(stages[0][1])
        return
    for (_, before), (who, after) in pairwise(stages):
        yield heading(f"changed by {who}")
        yield changes(before, after)
    if len(stages) > 2:
        yield heading("as it ran")
        yield from json_passages(stages[-1][1])


def _result(call: CallRecord) -> Iterator[Block]:
    finished, display = call.finished, call.display
    if finished is None:
        yield muted("It runs." if call.started else "It has not run yet.")
    if isinstance(display, DiffDisplay):
        if finished is None or finished.outcome != "ok":
            yield heading("what it would have done" if finished else "what it will do")
        yield Passage(lambda width: diff_pieces(display, width), "\n".join(ln for h in display.hunks for ln in h.lines))
    if finished is None:
        return
    text = content_text(finished.content)
    exit_code = display.exit_code if isinstance(display, CommandDisplay) else None
    note = f"{short_bytes(len(text.encode(errors='replace')))} · {text.count(chr(10)) + bool(text)} lines"
    yield heading("what the model got", note if exit_code is None else f"exit {exit_code} · {note}")
    yield from text_passages(text, style="" if finished.outcome == "ok" else "$text-error")
    for words in finished.added:
        yield heading("said beside it", "by hooks or you")
        yield prose(words)
    for answer in call.lent:
        yield heading("your model answered for the server")
        used = answer.usage
        tokens = f"{short_count(used.context_tokens - used.output_tokens)} → {short_count(used.output_tokens)}"
        cost = short_cost(used.cost_usd) if used.cost_usd is not None else ""
        yield facts_table([("model", answer.model), ("tokens", tokens), ("cost", cost)])
    if finished.response is not None:
        yield heading("what hooks got")
        yield from json_passages(finished.response)


def _result_text(call: CallRecord) -> str:
    return content_text(call.finished.content) if call.finished is not None else ""


# --- tokens, parse ------------------------------------------------------------------------------------------


def _tokens(step: StepRecord, record: Record) -> Iterator[Block]:
    finished = step.finished
    if isinstance(record, CallRecord) and record.finished is not None:
        size = len(content_text(record.finished.content)) // 4
        yield facts_table([("its result", f"about {short_count(size)} tokens of the window from here on")])
        yield heading(f"step {step.step}", "the request that asked for it")
    if finished is None or finished.usage == Usage():
        yield muted("The server counted no tokens.")
        return
    usage = finished.usage
    parts: list[tuple[str, int, str]] = [
        ("read from cache", usage.cache_read_tokens, "$text-success"),
        ("written to cache", usage.cache_write_tokens, "$text-accent"),
        ("sent uncached", usage.input_tokens, "$text-warning"),
        ("answered", usage.output_tokens, "$text-primary"),
    ]
    total = max(1, usage.context_tokens)
    yield Passage(lambda width: [_share(*part, total, width) for part in parts], "")
    sent = total - usage.output_tokens
    hit = f"{100 * usage.cache_read_tokens / sent:.0f} % of what was sent" if sent else ""
    yield heading("together")
    yield facts_table(
        [
            ("in the window", f"{total:,} tokens"),
            ("cache hits", hit),
            ("cost", short_cost(usage.cost_usd) if usage.cost_usd is not None else "no price known"),
        ]
    )


def _share(term: str, tokens: int, style: str, total: int, width: int) -> Piece:
    room = max(6, min(40, width - 28))
    bar = share_bar(tokens / total, room, style)
    return Piece(joined([fit(Content.styled(term, "$text-muted"), 18), bar, fit(Content(f"{tokens:,}"), 9, "right")]))


def _parse(parse: ParseTrace, record: Record) -> Iterator[Block]:
    yield facts_table(
        [
            ("dialect", parse.dialect),
            ("repairs", str(len(parse.repairs)) if parse.repairs else "none were needed"),
            ("meaning", "changed by a repair: such calls ask" if parse.semantic else "unchanged"),
            ("note", parse.note),
        ]
    )
    yield heading("what the model wrote")
    yield from text_passages(parse.raw)
    for number, repair in enumerate(parse.repairs, 1):
        if number == 1:
            yield heading("repairs, in order")
        yield _numbered(number, repair)
    for name, given in _calls_read(parse, record):
        yield heading("the call", name)
        yield from json_passages(given)


def _calls_read(parse: ParseTrace, record: Record) -> Iterator[tuple[str, JsonObject]]:
    """What the model's words became: the one call of a call's record, all that were read of a step's."""
    if isinstance(record, CallRecord):
        yield record.requested.name, record.requested.input
    elif isinstance(record, StepRecord) and record.finished is not None:
        for call in record.finished.message.tool_uses:
            if call.id in parse.call_ids:
                yield call.name, call.input


def _numbered(number: int, words: str) -> Block:
    first = Content.styled(f"{number} ", "$text-muted")
    return Passage(lambda _: [Piece(safe_content(words, "prompt"), first, Content("  ") if words else EMPTY)], words)
