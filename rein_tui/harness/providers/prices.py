"""What tokens cost: a dated table, which settings can extend and override. An unknown model has no price, never zero.

Rates are US dollars a million tokens, from the public price list as of `AS_OF`; cache writes are those that live
five minutes.
"""

import re
from collections.abc import Mapping
from typing import Annotated, TypeAlias

import msgspec

from ..protocol.base import Word
from ..protocol.errors import ConfigError
from ..protocol.messages import Usage

AS_OF = "2026-11-01"


Rate: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]


class Price(Word, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates of one model. Above `long_from` prompt tokens, cached or not, every rate is `long_factor` times as high."""

    input: Rate
    output: Rate
    cache_write: Rate = 0.0
    cache_read: Rate = 0.0
    long_from: int = 0
    long_factor: Rate = 1.0


def _price(given: float, answered: float, read: float = 0.1) -> Price:
    """Cache writes cost a quarter more than input; reads cost `read` times input."""
    return Price(input=given, output=answered, cache_write=given * 1.25, cache_read=given * read)


PRICES: dict[str, Price] = {
    "claude-fable-5-1": _price(10, 50, 0.025),
    "claude-fable-5": _price(10, 50),
    "claude-mythos-5-1": _price(10, 50, 0.025),
    "claude-mythos-5": _price(10, 50),
    "claude-opus-5-5": _price(4, 20, 0.05),
    "claude-opus-5": _price(5, 25),
    "claude-opus-4-8": _price(5, 25),
    "claude-opus-4-7": _price(5, 25),
    "claude-opus-4-6": _price(5, 25),
    "claude-opus-4-5": _price(5, 25),
    "claude-opus-4-1": _price(15, 75),
    "claude-opus-4": _price(15, 75),
    "claude-sonnet-5-5": _price(2, 10, 0.05),
    "claude-sonnet-5": _price(2, 10),
    "claude-sonnet-4-6": _price(3, 15),
    "claude-sonnet-4-5": _price(3, 15),
    "claude-sonnet-4": _price(3, 15),
    "claude-haiku-5-5": Price(
        input=0.1, output=0.5, cache_write=0.125, cache_read=0.01, long_from=100_000, long_factor=5
    ),
    "claude-haiku-4-5": _price(1, 5),
    "claude-3-5-haiku": _price(0.8, 4),
}

_VERSION = re.compile(r"-(\d{8}|latest)$")


def price_of(model: str, overrides: Mapping[str, Price] | None = None) -> Price | None:
    """The rates of a model id, dated or prefixed by a gateway (`anthropic/claude-…`); None when unknown."""
    name = model.rsplit("/", 1)[-1].rsplit("anthropic.", 1)[-1]
    bare = _VERSION.sub("", name)
    for table in (overrides or {}, PRICES):
        for key in (model, name, bare):
            if key in table:
                return table[key]
    return None


def cost(usage: Usage, price: Price | None) -> Usage:
    """The usage with its cost, where a price is known."""
    if price is None:
        return usage
    prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    factor = price.long_factor if price.long_from and prompt > price.long_from else 1.0
    dollars = (
        usage.input_tokens * price.input
        + usage.output_tokens * price.output
        + usage.cache_read_tokens * price.cache_read
        + usage.cache_write_tokens * price.cache_write
    )
    return msgspec.structs.replace(usage, cost_usd=dollars * factor / 1e6)


def read_prices(data: object, where: str) -> dict[str, Price]:
    """The `prices` setting: an object from model id to rates. Raises ConfigError naming the field."""
    try:
        return msgspec.convert(data, type=dict[str, Price])
    except msgspec.ValidationError as error:
        problem, _, pointer = str(error).partition(" - at `")
        raise ConfigError(f"The prices do not parse: {problem}{_member(pointer)}", where=where) from error


def _member(pointer: str) -> str:
    """The member that msgspec's pointer (`$[...].input`) ends in, as the end of a sentence."""
    _, dot, name = pointer.rstrip("`").rpartition("].")
    return f" in `{name}`" if dot else ""
