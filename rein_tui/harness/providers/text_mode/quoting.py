"""Whether a call in an answer is meant, or only quoted: by the words before it, and by what the model has read."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import cast

from ...protocol.base import JsonObject
from ...protocol.messages import Message, TextBlock, ToolResultBlock

ASKED_AGAIN = "asked-again"
"""The id of a message of ours that shows a model its call: what stands there is meant to be repeated."""

_LONGEST = 160
_AROUND = 300
_PLACES = 20
"""Characters of prose that announce; characters around a value in which its call's name stands; places looked at."""

_INTRODUCED = re.compile(
    r"\b(examples?|e\.g\.|for instance|instance|looks?(?: something)? like|would be|format|syntax|such as|schema|"
    r"like (?:this|so)|instead of|do not|don't|never|output was|returned|result)\W*$",
    re.IGNORECASE,
)
_ABOUT_TEXT = re.compile(
    r"\b(examples?|sample|for instance|looks? like|something like|format|syntax|schema|template|notation|"
    r"never|must not|should not|do not|don't|don’t|avoid|dangerous|"
    r"(?:contains?|says?|said|reads|shows?|shown|printed|prints|emits?|emitted|wrote|written|holds|quotes?|quoted)"
    r"(?: the following| this| as| in it| there)*\W*$)",
    re.IGNORECASE,
)
_INTENT = re.compile(
    r"\b(?:I(?:'ll|’ll|'m|’m| will| am| need| want| should| must| can| have to)|let me|let's|let’s|"
    r"we(?:'ll|’ll| will| need)|now|next|first|calling|using)\b",
    re.IGNORECASE,
)


def announces_example(before: str) -> bool:
    """Whether the words just before speak of a text that holds calls, and not of what the model is about to do."""
    said = before[-_LONGEST:].rstrip(" \t\r\n:*`")
    if _INTRODUCED.search(said):
        return True
    sentence = re.split(r"[.!?]\s|\n\s*\n", said)[-1]
    return _ABOUT_TEXT.search(sentence) is not None and _INTENT.search(sentence) is None


def texts_read(messages: Iterable[Message]) -> Iterator[str]:
    """What the model has read that others wrote: results of tools, prompts and the files in them."""
    for message in messages:
        if message.role != "user" or message.id == ASKED_AGAIN:
            continue
        for block in message.blocks:
            if isinstance(block, TextBlock):
                yield block.text
            elif isinstance(block, ToolResultBlock) and isinstance(block.content, str):
                yield block.content
            elif isinstance(block, ToolResultBlock):
                yield from (part.text for part in block.content if isinstance(part, TextBlock))


def stands_in(name: str, arguments: JsonObject, texts: Iterable[str]) -> bool:
    """Whether one of the texts holds this call, in whatever syntax: its name near one of its keys with its value."""
    spelled = [(key, spelling) for key, value in arguments.items() for spelling in _spellings(value)]
    if not spelled:
        return False
    named = re.compile(rf"[\"'“<=.:>\]]\s*{re.escape(name)}\b|\b{re.escape(name)}(?:\.call)?\s*[\"'”({{<>\[]")
    return any(_holds(text, spelled, named) for text in texts if name in text)


def _holds(text: str, spelled: list[tuple[str, str]], named: re.Pattern[str]) -> bool:
    for key, value in spelled:
        if key not in text:
            continue
        place = text.find(value)
        for _ in range(_PLACES):
            if place < 0:
                break
            between = text[max(0, place - _AROUND) : place]
            if re.search(rf"{re.escape(key)}\W{{1,20}}(?:.{{0,200}}\W)?$", between, re.DOTALL):
                around = text[max(0, place - _AROUND) : place + len(value) + _AROUND]
                if named.search(around):
                    return True
            place = text.find(value, place + 1)
    return False


def _spellings(value: object) -> Iterator[str]:
    """How a value may be written: its longest line as it is, and as JSON has it."""
    if isinstance(value, list):
        value = max((str(item) for item in cast(list[object], value)), key=len, default="")
    lines = (value if isinstance(value, str) else json.dumps(value)).splitlines()
    longest = max((line.strip() for line in lines), key=len, default="")
    if longest:
        yield from dict.fromkeys((longest, json.dumps(longest)[1:-1], json.dumps(longest, ensure_ascii=False)[1:-1]))
