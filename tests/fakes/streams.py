"""Answers in the wire form of each protocol, built from the same blocks: for contract and fault tests."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rein_tui.harness.protocol.messages import Block, TextBlock, ThinkingBlock, ToolUseBlock


def pieces(text: str, size: int) -> list[str]:
    """The text in pieces of `size` characters; one empty piece for no text."""
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


def anthropic_stream(blocks: Sequence[Block], *, size: int = 5, newline: str = "\n") -> bytes:
    """An answer of the Messages API."""
    events: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": {"id": "msg_1", "role": "assistant", "model": "m", "usage": {"input_tokens": 7}},
        },
        {"type": "ping"},
    ]
    for index, block in enumerate(blocks):
        start, deltas = _anthropic_block(block, size)
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    calls = any(isinstance(block, ToolUseBlock) for block in blocks)
    stop = {"stop_reason": "tool_use" if calls else "end_turn"}
    events.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 11}})
    events.append({"type": "message_stop"})
    lines = (f"event: {e['type']}{newline}data: {json.dumps(e)}{newline}{newline}" for e in events)
    return "".join(lines).encode()


def _anthropic_block(block: Block, size: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    match block:
        case TextBlock(text=text):
            return {"type": "text", "text": ""}, [{"type": "text_delta", "text": p} for p in pieces(text, size)]
        case ThinkingBlock(thinking=thinking, signature=signature):
            deltas: list[dict[str, Any]] = [{"type": "thinking_delta", "thinking": p} for p in pieces(thinking, size)]
            return {"type": "thinking", "thinking": ""}, [*deltas, {"type": "signature_delta", "signature": signature}]
        case ToolUseBlock():
            raw = block.malformed or json.dumps(block.input)
            deltas = [{"type": "input_json_delta", "partial_json": p} for p in pieces(raw, size)]
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": {}}, deltas
        case _:
            raise AssertionError(block)


@dataclass(frozen=True, slots=True)
class ChatHabits:
    """The liberties of one Chat Completions server."""

    index: bool = True
    ids: bool = True
    object_arguments: bool = False
    all_calls_at_once: bool = False
    usage: bool = True
    done: bool = True
    finish: str = ""
    reasoning: str = "reasoning_content"


HABITS = {
    "openai": ChatHabits(),
    "llama.cpp": ChatHabits(),
    "vllm": ChatHabits(reasoning="reasoning"),
    "lmstudio": ChatHabits(usage=False),
    "ollama": ChatHabits(all_calls_at_once=True, finish="stop"),
    "no index": ChatHabits(index=False),
    "no id": ChatHabits(ids=False, usage=False),
    "objects": ChatHabits(index=False, ids=False, object_arguments=True, done=False, finish="stop"),
}


def chat_stream(blocks: Sequence[Block], habits: ChatHabits, *, size: int = 5) -> bytes:
    """An answer of Chat Completions, with a server's habits."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None}]
    calls = [block for block in blocks if isinstance(block, ToolUseBlock)]
    for block in blocks:
        if isinstance(block, TextBlock):
            deltas += [{"content": piece} for piece in pieces(block.text, size)]
        elif isinstance(block, ThinkingBlock):
            deltas += [{habits.reasoning: piece} for piece in pieces(block.thinking, size)]
    fragments = [_fragments(number, call, habits, size) for number, call in enumerate(calls)]
    if habits.all_calls_at_once:
        fragments = [[part for call in fragments for part in call]] if fragments else []
        deltas += [{"tool_calls": parts} for parts in fragments]
    else:
        deltas += [{"tool_calls": [part]} for call in fragments for part in call]
    chunks: list[Any] = [{"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    finish = habits.finish or ("tool_calls" if calls else "stop")
    chunks.append({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if habits.usage:
        chunks.append({"id": "c1", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 11}})
    lines = [json.dumps(chunk) for chunk in chunks] + (["[DONE]"] if habits.done else [])
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def _fragments(number: int, call: ToolUseBlock, habits: ChatHabits, size: int) -> list[dict[str, Any]]:
    whole = habits.object_arguments or habits.all_calls_at_once
    raw = json.dumps(call.input)
    arguments: list[Any] = [call.input if habits.object_arguments else raw] if whole else list(pieces(raw, size))
    parts: list[dict[str, Any]] = []
    for position, argument in enumerate(arguments):
        part: dict[str, Any] = {"function": {"arguments": argument}}
        if habits.index:
            part["index"] = number
        if position == 0:
            part["function"]["name"] = call.name
            part["type"] = "function"
            if habits.ids:
                part["id"] = call.id
        parts.append(part)
    return parts


def ollama_stream(blocks: Sequence[Block], *, size: int = 5) -> bytes:
    """An answer of Ollama's /api/chat."""
    messages: list[dict[str, Any]] = []
    for block in blocks:
        match block:
            case TextBlock(text=text):
                messages += [{"content": piece} for piece in pieces(text, size)]
            case ThinkingBlock(thinking=thinking):
                messages += [{"content": "", "thinking": piece} for piece in pieces(thinking, size)]
            case ToolUseBlock():
                function = {"name": block.name, "arguments": block.input}
                messages.append({"content": "", "tool_calls": [{"function": function}]})
            case _:
                raise AssertionError(block)
    lines: list[dict[str, Any]] = [
        {"model": "m", "message": {"role": "assistant", **message}, "done": False} for message in messages
    ]
    last = {"done": True, "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 11}
    lines.append({"model": "m", "message": {"role": "assistant", "content": ""}, **last})
    return "".join(json.dumps(line) + "\n" for line in lines).encode()
