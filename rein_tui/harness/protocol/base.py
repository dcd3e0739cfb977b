"""What every word shares: frozen, keyword-only, tagged by name, small when encoded."""

from typing import Any, TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object: tool inputs, hook payloads, settings. Values are plain JSON values."""


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frozen value that can be stored, sent and compared; fields at their default are not encoded."""
