"""What the Messages API's model list says, and what is safe to assume before it was read."""

import re
from collections.abc import Iterable, Mapping

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError
from ..protocol.models import ModelInfo
from .anthropic_wire import Dialect
from .prices import Price, price_of
from .strict_json import child, children, number, text

DEFAULT_MAX_TOKENS = 32_000
"""Asked for unless the request says otherwise: every current model allows it, and it leaves room in the window."""

_WIDE = re.compile(r"claude-(fable|mythos|opus|sonnet|haiku)-(5|[6-9])(-|$)")
_CEILING = re.compile(r"max_tokens: \d+ > (\d+)")
_OPTIONAL = ("signature", "adaptive", "effort", "thinking", "temperature")
"""What a model may turn down by name, the narrower word first."""


class ModelLimits:
    """What each model takes: from the list, or from the server's own words when it refused."""

    def __init__(self) -> None:
        self._most: dict[str, int] = {}
        self._refused: dict[str, frozenset[str]] = {}

    def dialect(self, model: str, info: ModelInfo | None, *, cached: bool) -> Dialect:
        """How to put a request to this model. `info` is its entry in the list, where that was read."""
        refused = self._refused.get(model, frozenset())
        if info is not None and info.abilities:
            refused |= {word for word in ("adaptive", "effort", "thinking") if word not in info.abilities}
        listed = info.max_output if info is not None else 0
        most = self._most.get(model) or min(listed or DEFAULT_MAX_TOKENS, DEFAULT_MAX_TOKENS)
        return Dialect(max_tokens=most, refused=refused, cached=cached)

    def learn(self, model: str, error: ProviderError, sent: JsonObject) -> bool:
        """Whether the refusal of what was `sent` names something to do without; it holds from now on."""
        if error.kind != "invalid_request":
            return False
        if found := _CEILING.search(error.message):
            limit = int(found.group(1))
            self._most[model] = limit
            return 0 < limit < number(sent, "max_tokens")
        words = str({key: sent[key] for key in ("messages", "thinking", "output_config", "temperature") if key in sent})
        known = self._refused.get(model, frozenset())
        word = next((w for w in _OPTIONAL if w in error.message and w in words and w not in known), "")
        self._refused[model] = known | {word} if word else known
        return bool(word)


def read_models(pages: Iterable[JsonObject], server: str, prices: Mapping[str, Price]) -> tuple[ModelInfo, ...]:
    """The models of a list, page by page, that can still be used: each once, in the server's order."""
    found: dict[str, JsonObject] = {}
    for entry in (entry for page in pages for entry in children(page, "data")):
        if text(entry, "id") and text(entry, "lifecycle") != "retired":
            found.setdefault(text(entry, "id"), entry)
    return tuple(_model(entry, server, prices) for entry in found.values())


def window_of(model: str) -> int:
    """The context window of a Claude family as published; 0 for any other model."""
    name = model.rsplit("/", 1)[-1]
    if _WIDE.match(name):
        return 1_000_000
    return 200_000 if name.startswith("claude-") else 0


def _model(entry: JsonObject, server: str, prices: Mapping[str, Price]) -> ModelInfo:
    model_id = text(entry, "id")
    price = price_of(model_id, prices)
    return ModelInfo(
        id=model_id,
        title=text(entry, "display_name"),
        context_window=number(entry, "max_input_tokens") or window_of(model_id),
        max_output=number(entry, "max_tokens"),
        abilities=_abilities(child(entry, "capabilities")),
        server=server,
        input_price=price.input if price else None,
        output_price=price.output if price else None,
    )


def _abilities(capabilities: JsonObject) -> tuple[str, ...]:
    """Short words: tools, vision, thinking, adaptive, effort. Empty when the server says nothing."""
    if not capabilities:
        return ()
    thinking = child(capabilities, "thinking")
    found = {
        "vision": child(capabilities, "image_input"),
        "thinking": thinking,
        "adaptive": child(child(thinking, "types"), "adaptive"),
        "effort": child(capabilities, "effort"),
    }
    return ("tools", *(word for word, support in found.items() if support.get("supported") is True))
