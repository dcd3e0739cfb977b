"""Settings for other people's eyes: values that may be secrets are masked, whatever their key is called.

In command lines and lists of arguments, what follows a telling option, header or variable is masked.
"""

import re
from typing import Any, cast

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.store.redact import MARK, redact_text

_TELLING = re.compile(r"(?i)token|secret|passw|key|auth|cred|private|cookie|bearer")
_OPTION = re.compile(r"(?i)^(--?[\w-]*(?:token|secret|passw|key|auth|cred|cookie|bearer|header)[\w-]*|-H|-u)(=.*)?$")
_ASSIGNMENT = re.compile(r"(?i)^([\w.-]*(?:token|secret|passw|key|auth|cred|cookie|bearer)[\w.-]*[=:]).+", re.DOTALL)
_WORDS = re.compile(r"""(\s+|'[^']*'|"[^"]*")""")
_HARMLESS = frozenset({"keybindings", "maxTokens", "max_tokens"})
_MASKED_WHOLE = frozenset({"env", "headers"})


def masked(settings: JsonObject) -> JsonObject:
    """A copy without secrets: telling keys, helpers, all of `env` and `headers`, and whatever looks like a key."""
    return {key: _value(key, value) for key, value in settings.items()}


def _value(key: str, value: Any) -> Any:
    if key in _MASKED_WHOLE and isinstance(value, dict):
        return dict.fromkeys(cast(JsonObject, value), MARK)
    if isinstance(value, dict):
        return masked(cast(JsonObject, value))
    if isinstance(value, list):
        items = cast(list[Any], value)
        if all(isinstance(item, str) for item in items):
            items = _line(items)
        return [_value(key, item) for item in items]
    if isinstance(value, str):
        if (_TELLING.search(key) or key.endswith("Helper")) and key not in _HARMLESS:
            return MARK
        return redact_text(_command(value)) if key == "command" else redact_text(value)
    return value


def _command(line: str) -> str:
    """A command line without the values of telling options, headers and variables; its blanks and quotes stay."""
    pieces = _WORDS.split(line)
    at = [i for i, piece in enumerate(pieces) if piece.strip()]
    for i, word in zip(at, _line([pieces[i] for i in at]), strict=True):
        pieces[i] = word
    return "".join(pieces)


def _line(words: list[str]) -> list[str]:
    """The words of a command line, those that are or hold values of telling names masked."""
    shown: list[str] = []
    is_value = False
    for word in words:
        option, assigned = _OPTION.match(word), _ASSIGNMENT.match(word.strip("'\""))
        if is_value:
            shown.append(MARK)
        elif option is not None:
            shown.append(f"{option[1]}={MARK}" if option[2] else word)
        else:
            shown.append(f"{assigned[1]}{MARK}" if assigned is not None else word)
        is_value = option is not None and not option[2] and not is_value
    return shown
