"""Settings for other people's eyes: values that may be secrets are masked, whatever their key is called."""

import re
from typing import Any, cast

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.store.redact import MARK, redact_text

_TELLING = re.compile(r"(?i)token|secret|passw|key|auth|cred|private|cookie|bearer")
_HARMLESS = frozenset({"keybindings", "maxTokens", "max_tokens"})
_MASKED_WHOLE = frozenset({"env", "headers"})


def masked(settings: JsonObject) -> JsonObject:
    """A copy without secrets: telling keys, all values of `env` and `headers`, and whatever looks like a key."""
    return {key: _value(key, value) for key, value in settings.items()}


def _value(key: str, value: Any) -> Any:
    if key in _MASKED_WHOLE and isinstance(value, dict):
        return dict.fromkeys(cast(JsonObject, value), MARK)
    if isinstance(value, dict):
        return masked(cast(JsonObject, value))
    if isinstance(value, list):
        return [_value(key, item) for item in cast(list[Any], value)]
    if isinstance(value, str):
        return MARK if _TELLING.search(key) and key not in _HARMLESS else redact_text(value)
    return value
