"""Facts to bytes and back, for any content: what a model or a program wrote must never stop the journal."""

import re
from typing import Any, cast

import msgspec

from ..protocol.events import Fact, Notice, fact_encoder

# Here, not beside the facts: to learn all of their types takes longer than to define them.
fact_decoder: "msgspec.json.Decoder[Fact]" = msgspec.json.Decoder(Fact)

DAMAGED = "store.damaged"
"""The code of the notice in the place of a fact that could not be read."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def tag_of(fact: Fact) -> str:
    """The fact's tag, as in the `type` column."""
    return str(type(fact).__struct_config__.tag)


def encode_fact(fact: Fact) -> bytes:
    """The fact as JSON. Lone surrogates, which UTF-8 cannot hold, become U+FFFD."""
    try:
        return fact_encoder.encode(fact)
    except UnicodeEncodeError:
        return fact_encoder.encode(_clean(msgspec.to_builtins(fact)))
    except RecursionError:
        return fact_encoder.encode(
            Notice(
                text=f"A fact ({tag_of(fact)}) was nested too deeply to be stored.",
                level="warning",
                code="store.too_deep",
                time=fact.time,
                turn=fact.turn,
                parent=fact.parent,
            )
        )


def encode_json(value: object) -> bytes:
    """Any JSON value, compact, on one line. Lone surrogates become U+FFFD; raises RecursionError for deep nesting."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_clean(value))


def decode_fact(body: bytes, seq: int = 0) -> Fact:
    """The fact of these bytes; a notice in its place when they are damaged or from a newer version."""
    try:
        return fact_decoder.decode(body)
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
        TypeError,
    ) as error:  # TypeError: a torn row is NULL
        return Notice(
            text=f"Record {seq} of this session could not be read and is left out.",
            level="warning",
            hint="The rest of the session is complete. The record stays in the store.",
            where=str(error),
            code=DAMAGED,
        )


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_clean(k): _clean(v) for k, v in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in cast("list[Any]", value)]
    return value
