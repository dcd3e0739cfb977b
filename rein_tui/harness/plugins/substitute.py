"""Filling `${NAME}` in what files say: one function, and only names that the place allows."""

import re
from collections.abc import Mapping
from typing import Any

from ..settings.shapes import is_list, is_object
from .words import Owner

_NAME = re.compile(r"\$\{([A-Za-z_][\w.-]*)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with every `${NAME}` of these names filled in, once; others stay as they are."""
    if "${" not in text:
        return text
    return _NAME.sub(lambda match: values.get(match[1], match[0]), text)


def fill_all(value: Any, values: Mapping[str, str]) -> Any:
    """The same in every text of a JSON value; keys stay."""
    if isinstance(value, str):
        return fill(value, values)
    if is_list(value):
        return [fill_all(item, values) for item in value]
    if is_object(value):
        return {key: fill_all(item, values) for key, item in value.items()}
    return value


def folder_values(owner: Owner, project: str) -> dict[str, str]:
    """The folders that a definition of this owner may name."""
    values = {"CLAUDE_PROJECT_DIR": project}
    if owner.root:
        values |= {"CLAUDE_PLUGIN_ROOT": owner.root, "CLAUDE_PLUGIN_DATA": owner.data}
    return values


def option_values(owner: Owner) -> dict[str, str]:
    """A plugin's options as `user_config.KEY`: for texts and arguments, never for a shell line."""
    return {
        f"user_config.{name}": str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in owner.options.items()
        if isinstance(value, str | int | float)
    }
