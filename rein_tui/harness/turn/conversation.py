"""The conversation: a fold of facts into messages that any provider accepts.

The invariant: every tool use is answered exactly once, in the user message right after it. It holds at any
moment, also after a denial, an interrupt or a crash, because `valid_messages` closes what is open.
"""

import json
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import structs

from ..protocol.events import Compacted, Event, MessageFinished, PromptAdded, Rewound, SourceSwitched, ToolCallFinished
from ..protocol.messages import (
    Block,
    ImageBlock,
    Message,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)

UNANSWERED = "Interrupted before this call was answered; it may have run partly. Check before you repeat it."
_SUMMARY_HEAD = "This session goes on from an earlier part, summarised here:\n\n"
_LATER_HEAD = "What came next is summarised here:\n\n"


@dataclass(frozen=True, slots=True)
class _Entry:
    turn: int
    message: Message
    source: tuple[str, str] = ("", "")


class Conversation:
    """The messages so far. Feed it every fact of one story; facts of subagents (`parent` set) are not its own."""

    def __init__(self, facts: Iterable[Event] = ()) -> None:
        self._entries: list[_Entry] = []
        self._earlier: list[tuple[int, list[_Entry]]] = []
        self._off: set[tuple[str, str]] = set()
        self._settled: list[Message] = []
        self._settled_count = 0
        self._settled_ids: set[str] = set()
        for fact in facts:
            self.apply(fact)

    def apply(self, event: Event) -> None:
        """Fold one event; deltas and facts that are not part of the conversation change nothing."""
        if event.parent:
            return
        match event:
            case PromptAdded(message=message):
                self._entries.append(_Entry(event.turn, message, (event.origin, event.source)))
            case MessageFinished(message=message):
                self._entries.append(_Entry(event.turn, message))
            case ToolCallFinished():
                self._entries.append(_Entry(event.turn, Message(role="user", blocks=(_result(event),))))
            case Compacted():
                self._compact(event)
            case Rewound(conversation=True):
                self._rewind(event.to_turn)
            case SourceSwitched():
                (self._off.discard if event.on else self._off.add)((event.kind, event.name))
                self._replace(self._entries)
            case _:
                pass

    def messages(self) -> tuple[Message, ...]:
        """What the next request sends: valid for every provider, whatever happened before."""
        last = self._last_assistant()
        if last > self._settled_count:
            new = self._sent(self._entries[self._settled_count : last])
            self._settled, at = self._extended(new)
            self._settled_ids |= _ids(self._settled[at:])
            self._settled_count = last
        return tuple(self._extended(self._tail())[0])

    def since(self, turn: int) -> tuple[Message, ...]:
        """The messages of this turn and later ones, as a valid request of their own."""
        return valid_messages(self._sent(e for e in self._entries if e.turn >= turn))

    def lacks(self, memory: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Of these memory files, (path, text), those that it does not hold as they are now."""
        held = {e.source[1]: e.message.text for e in self._entries if e.source[0] == "memory"}
        # The first one of a list begins with a word on what these are; elsewhere the same file does not.
        return [(path, text) for path, text in memory if not _ends_alike(held.get(path, ""), text)]

    def __len__(self) -> int:
        return len(self._entries)

    def _extended(self, new: Sequence[Message]) -> tuple[list[Message], int]:
        """What is settled and what follows it as one valid list, and from where on that may differ.

        Only the last exchange is looked at again.
        """
        valid = self._settled
        start = len(valid)
        while start and (start == len(valid) or valid[start].role != "assistant"):
            start -= 1
        taken = self._settled_ids - _ids(valid[start:])
        return list(valid_messages([*valid[start:], *new], before=valid[:start], taken=taken)), start

    def _tail(self) -> list[Message]:
        return self._sent(self._entries[self._settled_count :])

    def _sent(self, entries: Iterable[_Entry]) -> list[Message]:
        """The messages of these entries, without those whose source the person took out of the window."""
        return [e.message for e in entries if e.source not in self._off]

    def _last_assistant(self) -> int:
        for index in range(len(self._entries) - 1, self._settled_count, -1):
            if self._entries[index].message.role == "assistant":
                return index
        return self._settled_count

    def _compact(self, event: Compacted) -> None:
        self._earlier.append((event.turn, list(self._entries)))
        before = [e for e in self._entries if e.turn < event.from_turn]
        head = _LATER_HEAD if before else _SUMMARY_HEAD
        summary = Message(role="user", blocks=(TextBlock(text=head + event.summary),))
        self._replace([*before, *(_Entry(event.turn, m) for m in (summary, *event.kept))])

    def _rewind(self, to_turn: int) -> None:
        entries = self._entries
        while self._earlier and self._earlier[-1][0] > to_turn:
            _, entries = self._earlier.pop()
        self._replace([e for e in entries if e.turn <= to_turn])

    def _replace(self, entries: list[_Entry]) -> None:
        self._entries = entries
        self._settled = []
        self._settled_count = 0
        self._settled_ids = set()


def _ends_alike(one: str, other: str) -> bool:
    return bool(one) and (one.endswith(other) or other.endswith(one))


def _ids(messages: Iterable[Message]) -> set[str]:
    return {use.id for message in messages for use in message.blocks if isinstance(use, ToolUseBlock)}


def _result(event: ToolCallFinished) -> ToolResultBlock:
    content = event.content
    if event.added:
        extra = "\n\n".join(event.added)
        if isinstance(content, str):
            content = f"{content}\n\n{extra}" if content else extra
        else:
            content = (*content, TextBlock(text=extra))
    return ToolResultBlock(tool_use_id=event.call_id, content=content, is_error=event.is_error)


def valid_messages(
    messages: Sequence[Message], before: Sequence[Message] = (), taken: Set[str] = frozenset()
) -> tuple[Message, ...]:
    """The same conversation as a valid request. Pure and idempotent.

    Starts with the user; roles alternate; every tool use is answered once in the next message, results first
    (missing: an error result; orphans and repeats: dropped); no id twice, no blank text, no unsigned thinking, no
    lone surrogates. `before` is a prefix known to be valid, ending before a message boundary; `taken` are its ids.
    """
    built: list[Message] = list(before)
    open_calls: list[_Call] = []
    seen = set(taken)
    for message in messages:
        blocks = [b for b in (_clean(block) for block in message.blocks) if b is not None]
        if message.role == "assistant":
            blocks = [b for b in blocks if not isinstance(b, ToolResultBlock)]
            if not any(not isinstance(b, ThinkingBlock) for b in blocks):
                continue
            _close(built, open_calls)
            opened, open_calls = _opened(blocks, seen)
            _append(built, message.role, opened, message.id)
        else:
            _append_user(built, blocks, open_calls, message.id)
    _close(built, open_calls)
    while built and built[0].role == "assistant":
        built.insert(0, Message(role="user", blocks=(TextBlock(text="(The session starts here.)"),)))
    return tuple(built)


@dataclass(frozen=True, slots=True)
class _Call:
    """A tool use that waits for its result: the id that it came with, and the one that nobody else has."""

    given: str
    id: str


def _opened(blocks: Iterable[Block], seen: set[str]) -> tuple[list[Block], list[_Call]]:
    """The blocks with ids of their own for all tool uses, which `seen` learns, and the calls that they open."""
    opened: list[Block] = []
    calls: list[_Call] = []
    for block in blocks:
        if isinstance(block, ToolUseBlock):
            name, count = block.id, 2
            while name in seen:
                name, count = f"{block.id}_{count}", count + 1
            seen.add(name)
            calls.append(_Call(block.id, name))
            opened.append(block if name == block.id else structs.replace(block, id=name))
        else:
            opened.append(block)
    return opened, calls


def _append_user(built: list[Message], blocks: list[Block], open_calls: list[_Call], message_id: str) -> None:
    results: list[Block] = []
    for block in blocks:
        if isinstance(block, ToolResultBlock):
            call = next((call for call in open_calls if call.given == block.tool_use_id), None)
            if call is not None:
                open_calls.remove(call)
                same = call.id == block.tool_use_id
                results.append(block if same else structs.replace(block, tool_use_id=call.id))
    rest = [b for b in blocks if not isinstance(b, ToolResultBlock | ToolUseBlock | ThinkingBlock)]
    if results or rest:
        _append(built, "user", [*results, *rest], message_id)


def _close(built: list[Message], open_calls: list[_Call]) -> None:
    if open_calls:
        missing = [ToolResultBlock(tool_use_id=c.id, content=UNANSWERED, is_error=True) for c in open_calls]
        _append(built, "user", list(missing), "")
        open_calls.clear()
    if built and built[-1].role == "user":
        built[-1] = _in_call_order(built)


def _append(built: list[Message], role: str, blocks: Sequence[Block], message_id: str) -> None:
    if built and built[-1].role == role:
        last = built[-1]
        built[-1] = Message(role=last.role, blocks=_results_first((*last.blocks, *blocks)), id=last.id or message_id)
    else:
        built.append(Message(role="assistant" if role == "assistant" else "user", blocks=tuple(blocks), id=message_id))


def _results_first(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    results = [b for b in blocks if isinstance(b, ToolResultBlock)]
    if not results:
        return blocks
    return (*results, *(b for b in blocks if not isinstance(b, ToolResultBlock)))


def _in_call_order(built: list[Message]) -> Message:
    """The last message, its results in the order of the calls that they answer."""
    last = built[-1]
    if len(built) < 2 or not isinstance(last.blocks[0], ToolResultBlock):
        return last
    order = {use.id: n for n, use in enumerate(built[-2].tool_uses)}
    results = [b for b in last.blocks if isinstance(b, ToolResultBlock)]
    results.sort(key=lambda b: order.get(b.tool_use_id, len(order)))
    return Message(
        role="user", blocks=(*results, *(b for b in last.blocks if not isinstance(b, ToolResultBlock))), id=last.id
    )


def _clean(block: Block) -> Block | None:
    """The block as a provider accepts it, or None."""
    match block:
        case TextBlock(text=text):
            fixed = _well_formed(text)
            if not fixed.strip():
                return None
            return block if fixed is text else TextBlock(text=fixed)
        case ThinkingBlock(signature=""):
            return None
        case ThinkingBlock(thinking=thinking):
            fixed = _well_formed(thinking)
            return block if fixed is thinking else None  # what was signed is not what would be sent
        case ToolUseBlock(input=given):
            fixed = _well_formed_json(given)
            return block if fixed is given else structs.replace(block, input=fixed)
        case ToolResultBlock(content=str() as text):
            fixed = _well_formed(text)
            return block if fixed is text else structs.replace(block, content=fixed)
        case ToolResultBlock(content=parts) if not isinstance(parts, str):
            cleaned = (p if isinstance(p, ImageBlock) else _clean(p) for p in parts)
            kept = tuple(p for p in cleaned if isinstance(p, ImageBlock | TextBlock))
            return block if kept == parts else structs.replace(block, content=kept or "")
        case _:
            return block


def _well_formed_json(value: Any) -> Any:
    """The same value where it can be sent as it is; else one without lone surrogates."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.loads(_well_formed(json.dumps(value, ensure_ascii=False)))
    return value


def _well_formed(text: str) -> str:
    """The text without lone surrogates, which no JSON body may carry."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return text
