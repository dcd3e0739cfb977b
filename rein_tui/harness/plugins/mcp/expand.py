"""`${VAR}` and `${VAR:-default}` in a server's entry. What is not set and has no default stays as written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...protocol.base import JsonObject

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(slots=True)
class Expansion:
    """Replaces variables and remembers the `missing` ones."""

    environment: Mapping[str, str]
    missing: list[str] = field(default_factory=list[str])

    def text(self, value: str) -> str:
        """One text with its variables replaced; what they hold is not looked at again."""
        return _VARIABLE.sub(self._value, value)

    def _value(self, match: re.Match[str]) -> str:
        found = self.environment.get(match[1])
        if found or (found is not None and match[2] is None):
            return found
        if match[2] is not None:
            return match[2]
        if match[1] not in self.missing:
            self.missing.append(match[1])
        return match[0]

    def texts(self, values: list[str]) -> tuple[str, ...]:
        """The same for a list."""
        return tuple(self.text(value) for value in values)

    def members(self, values: JsonObject) -> dict[str, str]:
        """The same for an object of texts; its keys stay."""
        return {key: self.text(value) for key, value in values.items()}
