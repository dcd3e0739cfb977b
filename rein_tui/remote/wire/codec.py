"""Words to text frames and back, and their JSON schema. Whatever arrives is checked against the words."""

from typing import Any, TypeAlias

import msgspec

from rein_tui.harness.protocol.base import JsonObject

from .classic import ClassicFrame, ClassicMessage, ClassicPing
from .frames import Attached, Auth, Call, FactsPart, Hello, RunBegun, ServerFrame

ClientMessage: TypeAlias = Auth | Hello | Call | ClassicMessage | ClassicPing
"""All that a client may send; the classic protocol's messages among them."""

_encoder = msgspec.json.Encoder()
_client: "msgspec.json.Decoder[ClientMessage]" = msgspec.json.Decoder(ClientMessage)
_server: "msgspec.json.Decoder[ServerFrame]" = msgspec.json.Decoder(ServerFrame)


class WireError(Exception):
    """A frame that does not parse; the text names the field."""


def encode(word: object) -> bytes:
    """A word, or a reply's result, as JSON."""
    return _encoder.encode(word)


def decode_client(data: str | bytes) -> ClientMessage:
    """What a client sent. Raises WireError."""
    try:
        return _client.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(str(error) or "nested too deeply") from error


def decode_server(data: str | bytes) -> ServerFrame:
    """What the server sent. Raises WireError."""
    try:
        return _server.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WireError(str(error) or "nested too deeply") from error


def wire_schema(ref: str = "#/$defs/{name}") -> tuple[JsonObject, JsonObject]:
    """JSON schemas: what each side sends (`client`, `server`, `classic`, results), and the words they refer to."""
    roots: dict[str, Any] = {
        "client": ClientMessage,
        "server": ServerFrame,
        "classic_server": ClassicFrame,
        "attached": Attached,
        "run_begun": RunBegun,
        "facts_part": FactsPart,
    }
    schemas, words = msgspec.json.schema_components(roots.values(), ref_template=ref, schema_hook=_any_json)
    return dict(zip(roots, schemas, strict=True)), words


def _any_json(kind: type) -> JsonObject:
    if kind is msgspec.Raw:
        return {"description": "any JSON value"}
    raise NotImplementedError(f"{kind} has no schema")


def words_of(schema: JsonObject) -> list[str]:
    """The tags of a union's schema, for docs and tests."""
    mapping: dict[str, str] = schema.get("discriminator", {}).get("mapping", {})
    return sorted(mapping)
