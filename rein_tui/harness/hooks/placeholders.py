"""Filling the `${…}` of a handler: folders, plugin options, and fields of the payload."""

import json
import re

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookSpec

from .shapes import is_list, is_object

_FOLDER = re.compile(r"\$\{(CLAUDE_PROJECT_DIR|CLAUDE_PLUGIN_ROOT|CLAUDE_PLUGIN_DATA)\}")
_OPTION = re.compile(r"\$\{user_config\.([\w.-]+)\}")
_FIELD = re.compile(r"\$\{([A-Za-z_]\w*(?:\.\w+)*)\}")
_SHELL_SAFE = re.compile(r"[\w @%+=:,./-]*")


class PlaceholderError(ValueError):
    """A placeholder that cannot be filled here; the text says which and why."""


def folders(spec: HookSpec, project_dir: str) -> dict[str, str]:
    """The folder variables of one handler: substituted and exported alike."""
    found = {"CLAUDE_PROJECT_DIR": project_dir}
    if spec.plugin_root:
        found["CLAUDE_PLUGIN_ROOT"] = spec.plugin_root
    if spec.plugin_data:
        found["CLAUDE_PLUGIN_DATA"] = spec.plugin_data
    return found


def fill_shell(text: str, values: dict[str, str]) -> str:
    """Fill folders into a shell line. Raises PlaceholderError for options, which would become shell text.

    A folder whose name holds shell syntax stays as `${NAME}`: the variable is exported, so the shell fills it
    in itself, and safely.
    """
    if option := _OPTION.search(text):
        raise PlaceholderError(f"{option[0]} works only with `args`: as shell text it could run anything")

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1])
        return value if value is not None and _SHELL_SAFE.fullmatch(value) else match[0]

    return _FOLDER.sub(fill, text)


def fill_powershell(text: str) -> str:
    """Let PowerShell fill folders in from the environment."""
    return _FOLDER.sub(r"${env:\1}", text)


def fill_plain(text: str, values: dict[str, str], options: JsonObject) -> str:
    """Fill folders and plugin options into one argument. Raises PlaceholderError for an option that is not set."""
    text = _FOLDER.sub(lambda match: values.get(match[1], match[0]), text)

    def option(match: re.Match[str]) -> str:
        value = options.get(match[1])
        if value is None:
            raise PlaceholderError(f"{match[0]}: the plugin option is not set")
        return str(value).lower() if isinstance(value, bool) else str(value)

    return _OPTION.sub(option, text)


def fill_fields(value: object, payload: JsonObject) -> object:
    """Fill `${tool_input.file_path}` and the like into every text of an input object."""
    if isinstance(value, str):
        return _FIELD.sub(lambda match: _field(payload, match[1]), value)
    if is_object(value):
        return {key: fill_fields(item, payload) for key, item in value.items()}
    if is_list(value):
        return [fill_fields(item, payload) for item in value]
    return value


def _field(payload: JsonObject, path: str) -> str:
    found: object = payload
    for key in path.split("."):
        found = found.get(key) if is_object(found) else None
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, separators=(",", ":"))
