"""Keys and forms of an older harness, read as what they can mean here.

Denials are always honoured; what cannot be read never grants anything.
"""

from typing import Any

from rein_tui.harness.protocol.base import JsonObject

from .draft import Draft, text_list
from .reader import Pointer
from .shapes import is_list, is_object


def translate(draft: Draft) -> None:
    """Replace old keys in a draft of a layer by today's, keeping their places; tell each."""
    _permission_list(draft)
    _mode(draft)
    _bypass_lock(draft)
    _sandbox(draft)
    _blocked_plugins(draft)
    for old, name in _OTHER_NAMES:
        _renamed(draft, old, name)


_OTHER_NAMES = (
    ("additionalMarketplaces", "extraKnownMarketplaces"),
    ("allowedMarketplaces", "strictKnownMarketplaces"),
)


def _renamed(draft: Draft, old: str, name: str) -> None:
    """Another name of a key that has its effect under one name; both together are one list or object."""
    if old not in draft.data:
        return
    value = draft.data.pop(old)
    held = draft.data.get(name)
    if held is None:
        draft.data[name] = value
        draft.move({(name,): (old,)})
    elif is_object(held) and is_object(value):
        for key, entry in value.items():
            draft.put((name, key), entry, (old, key))
    elif is_list(held) and is_list(value):
        draft.move({(name, len(held) + index): (old, index) for index in range(len(value))})
        held.extend(value)
    else:
        draft.tell((old,), f"left out, because {name} is there and of another kind", "warning", "entry_skipped")


def _permission_list(draft: Draft) -> None:
    entries = draft.data.get("permissions")
    if not is_list(entries):
        return
    draft.tell(("permissions",), "a list of {tool, decision} is an older form; it is read as rules", "info", "alias")
    rules: dict[str, list[str]] = {"allow": [], "ask": [], "deny": []}
    moved: dict[Pointer, Pointer] = {}
    for index, entry in enumerate(entries):
        tool, decision = _entry(entry)
        if not tool:
            draft.break_file(("permissions", index), "an entry without a tool: what it would deny is unknown")
            continue
        if decision not in rules:
            draft.tell(("permissions", index), f"unknown decision; {tool} asks", "warning", "entry_hardened")
            decision = "ask"
        moved[("permissions", decision, len(rules[decision]))] = ("permissions", index)
        rules[decision].append(tool)
    draft.data["permissions"] = {name: texts for name, texts in rules.items() if texts}
    draft.move(moved)


def _entry(entry: Any) -> tuple[str, str]:
    if not is_object(entry):
        return "", ""
    tool = entry.get("tool", entry.get("pattern"))
    decision = entry.get("decision", entry.get("permission"))
    return (tool if isinstance(tool, str) else ""), (decision.lower() if isinstance(decision, str) else "")


def _mode(draft: Draft) -> None:
    if "permissionMode" not in draft.data:
        return
    value = draft.data.pop("permissionMode")
    modes = {"default": "default", "strict": "default", "dangerously_skip": "bypassPermissions"}
    mode = modes.get(value) if isinstance(value, str) else None
    if mode is None:
        draft.tell(("permissionMode",), "unknown mode; left out", "warning", "entry_skipped")
        return
    draft.tell(("permissionMode",), f"read as permissions.defaultMode {mode!r}", "info", "alias")
    draft.put(("permissions", "defaultMode"), mode, ("permissionMode",))


def _bypass_lock(draft: Draft) -> None:
    if "disableDangerouslySkipPermissions" not in draft.data:
        return
    value = draft.data.pop("disableDangerouslySkipPermissions")
    if value is False or value is None:
        return
    here: Pointer = ("disableDangerouslySkipPermissions",)
    draft.tell(here, "read as permissions.disableBypassPermissionsMode", "info", "alias")
    draft.put(("permissions", "disableBypassPermissionsMode"), "disable", here)


def _sandbox(draft: Draft) -> None:
    if "bashSandbox" not in draft.data:
        return
    value = draft.data.pop("bashSandbox")
    fields: JsonObject = value if is_object(value) else {"enabled": value}
    enabled = fields.get("enabled", True)
    if enabled is None:
        return
    draft.tell(("bashSandbox",), "read as sandbox.enabled", "info", "alias")
    draft.put(("sandbox", "enabled"), enabled is not False, ("bashSandbox",))


def _blocked_plugins(draft: Draft) -> None:
    if "blockedPlugins" not in draft.data:
        return
    names = text_list(draft.data.pop("blockedPlugins"))
    draft.tell(("blockedPlugins",), "read as enabledPlugins with the value false", "info", "alias")
    for name in names:
        draft.put(("enabledPlugins", name), False, ("blockedPlugins",))
