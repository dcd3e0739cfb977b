"""Check one file's settings entry by entry: a bad entry is reported and left out, a bad restriction is hardened.

The rule for bad input: never a wider permission. What restricts and cannot be understood is read as the stricter
value; where there is no stricter value, the file is marked broken and approves nothing.
"""

import copy
import difflib
import math
from typing import Any

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.providers.prices import read_prices

from .aliases import translate
from .draft import Draft, text_list
from .keys import (
    ALLOWED,
    ENDPOINT_VARIABLES,
    FILESYSTEM_KEYS,
    KEYS,
    MODES,
    NETWORK_KEYS,
    PATH_VARIABLES,
    PERMISSION_KEYS,
    SANDBOX_KEYS,
    Key,
)
from .limits import LIMITS
from .reader import Pointer
from .shapes import is_list, is_object


def check(draft: Draft) -> None:
    """Bring a draft into a shape that the rest of the house can rely on. Never raises for any JSON object."""
    draft.data = copy.deepcopy(draft.data)
    translate(draft)
    for name in list(draft.data):
        key = KEYS.get(name)
        if key is None:
            _unknown(draft, name)
        else:
            _check_key(draft, draft.data, (name,), key)
    _check_inner(draft, ("permissions",), PERMISSION_KEYS)
    _check_inner(draft, ("sandbox",), SANDBOX_KEYS)
    _check_inner(draft, ("sandbox", "filesystem"), FILESYSTEM_KEYS)
    _check_inner(draft, ("sandbox", "network"), NETWORK_KEYS)
    permissions = draft.data.get("permissions")
    if is_object(permissions):
        _check_mode(draft, permissions)
        _check_switch(draft, permissions, ("permissions", "disableBypassPermissionsMode"))
        _check_switch(draft, permissions, ("permissions", "disableAutoMode"))
    _check_switch(draft, draft.data, ("disableAutoMode",))
    _check_environment(draft)
    _check_numbers(draft)
    _check_limits(draft)
    if draft.data.get("strictPluginOnlyCustomization") not in (None, False, []):
        text = "rein-tui does not keep it: skills, agents, hooks and servers of people and projects count"
        draft.tell(("strictPluginOnlyCustomization",), text, "warning", "not_kept")


def _unknown(draft: Draft, name: str) -> None:
    value = draft.data[name]
    if is_object(value) and difflib.get_close_matches(name.lower(), ("permissions",), cutoff=0.85):
        for restriction in ("deny", "ask"):
            if restriction in value:
                _adopt(draft, (name, restriction), value[restriction], restriction)
        # What was taken over is there now, and must not count a second time.
        draft.data[name] = {member: value[member] for member in value if member not in ("deny", "ask")}
    close = difflib.get_close_matches(name, KEYS, n=1, cutoff=0.75)
    hint = f"did you mean {close[0]!r}?" if close else ""
    draft.tell((name,), "unknown key; it does nothing", "warning" if close else "info", "entry_skipped", hint)


def _adopt(draft: Draft, pointer: Pointer, value: Any, behavior: str) -> None:
    """A misspelt restriction counts as the restriction that it seems to be: it must not be lost."""
    permissions = draft.data.setdefault("permissions", {})
    rules = permissions.setdefault(behavior, []) if is_object(permissions) else None
    if not is_list(rules) or not (is_list(value) or isinstance(value, str)):
        draft.break_file(pointer, f"looks like {behavior}, but cannot be read")
        return
    for index, rule in enumerate(text_list(value)):
        draft.move({("permissions", behavior, len(rules)): (*pointer, index)})
        rules.append(rule)
    draft.tell(pointer, f"misspelt; read as permissions.{behavior}", "warning", "entry_hardened")


def _check_inner(draft: Draft, way: tuple[str, ...], keys: dict[str, Key]) -> None:
    inner: Any = draft.data
    for name in way:
        inner = inner.get(name) if is_object(inner) else None
    if not is_object(inner):
        return
    for member in list(inner):
        key = keys.get(member)
        if key is not None:
            _check_key(draft, inner, (*way, member), key)
        else:
            close = difflib.get_close_matches(member.lower(), keys, n=1, cutoff=0.7)
            hint = f"did you mean {close[0]!r}?" if close else ""
            if way == ("permissions",) and close and close[0] in ("deny", "ask"):
                _adopt(draft, (*way, member), inner[member], close[0])
            else:
                draft.tell((*way, member), "unknown key; it does nothing", "warning", "entry_skipped", hint)


def _check_key(draft: Draft, holder: JsonObject, pointer: Pointer, key: Key) -> None:
    name = str(pointer[-1])
    value = holder[name]
    if value is None:
        del holder[name]
        return
    if draft.layer not in ALLOWED[key.scope]:
        del holder[name]
        who = "an administrator" if key.scope == "M" else "you or an administrator"
        draft.tell(pointer, f"only {who} may set this; left out here", "warning", "entry_skipped")
        return
    _check_kind(draft, holder, pointer, key)


def _check_kind(draft: Draft, holder: JsonObject, pointer: Pointer, key: Key) -> None:
    name, value = str(pointer[-1]), holder[str(pointer[-1])]
    if key.kind == "strings" and is_list(value):
        holder[name] = _good_items(draft, pointer, value, str)
    elif key.kind == "objects" and is_list(value):
        holder[name] = _good_items(draft, pointer, value, dict)
    elif key.kind in ("text_map", "name_map", "flag_map") and is_object(value):
        holder[name] = _good_members(draft, pointer, value, key)
    elif key.kind == "prices" and is_object(value):
        holder[name] = _good_prices(draft, pointer, value)
    elif _fits(key, value):
        holder[name] = int(value) if key.kind == "integer" else value  # 4096.0 is whole, too
    elif key.or_one and isinstance(value, str):
        holder[name] = [value]
        draft.move({(*pointer, 0): pointer})
    elif key.kind == "strings" and key.vital and isinstance(value, str):
        holder[name] = [value]
        draft.move({(*pointer, 0): pointer})
        draft.tell(pointer, "should be a list; read as a list of one", "warning", "entry_hardened")
    elif key.strict is not None:
        holder[name] = copy.deepcopy(key.strict)
        draft.tell(pointer, f"wrong kind of value; read as {key.strict!r}", "warning", "entry_hardened")
    elif key.vital:
        del holder[name]
        draft.break_file(pointer, f"wrong kind of value, expected {_expected(key)}")
    else:
        del holder[name]
        draft.tell(pointer, f"wrong kind of value, expected {_expected(key)}; left out", "warning", "entry_skipped")


def _fits(key: Key, value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    number = whole or (isinstance(value, float) and math.isfinite(value))
    return {
        "any": True,
        "bool": isinstance(value, bool),
        "integer": whole or (number and value % 1 == 0),
        "number": number,
        "string": isinstance(value, str),
        "object": is_object(value),
    }.get(key.kind, False)


def _expected(key: Key) -> str:
    names = {
        "strings": "a list of strings",
        "objects": "a list of objects",
        "text_map": "an object of strings",
        "name_map": "an object of strings",
        "flag_map": "an object of true and false",
        "prices": "an object from models to rates",
        "bool": "true or false",
    }
    return names.get(key.kind, f"{'an' if key.kind[0] in 'aio' else 'a'} {key.kind}")


def _good_items(draft: Draft, pointer: Pointer, items: list[Any], kind: type) -> list[Any]:
    good: list[Any] = []
    for index, item in enumerate(items):
        if isinstance(item, kind):
            if len(good) != index:
                draft.move({(*pointer, len(good)): draft.moved.get((*pointer, index), (*pointer, index))})
            good.append(item)
        else:
            what = "string" if kind is str else "object"
            draft.tell((*pointer, index), f"is not a {what}; left out", "warning", "entry_skipped")
    return good


def _good_members(draft: Draft, pointer: Pointer, members: JsonObject, key: Key) -> JsonObject:
    good: JsonObject = {}
    for name, value in members.items():
        if value is None:
            continue
        is_name = key.kind == "name_map" and isinstance(value, str) and value
        if is_name or (key.kind == "flag_map" and isinstance(value, bool)):
            good[name] = value
        elif key.kind == "text_map" and isinstance(value, str | int | float):
            good[name] = str(value).lower() if isinstance(value, bool) else str(value)
        else:
            draft.tell((*pointer, name), f"expected {_expected(key)}; left out", "warning", "entry_skipped")
    return good


def _good_prices(draft: Draft, pointer: Pointer, members: JsonObject) -> JsonObject:
    good: JsonObject = {}
    for name, value in members.items():
        if value is None:
            continue
        try:
            read_prices({name: value}, "")
        except ConfigError as error:
            draft.tell((*pointer, name), f"{error.message}; left out", "warning", "entry_skipped")
        else:
            good[name] = value
    return good


def _check_mode(draft: Draft, permissions: JsonObject) -> None:
    written = permissions.get("defaultMode")
    if written is None:
        return
    pointer: Pointer = ("permissions", "defaultMode")
    mode = MODES.get(written)
    reason = ""
    if mode is None:
        reason = f"unknown mode {written!r}; left out"
    elif mode == "bypassPermissions" and draft.layer in ("project", "local"):
        reason = "a folder cannot choose bypassPermissions; left out"
    elif written == "auto":
        reason = "auto needs a second model and is not available; left out"
    if reason:
        del permissions["defaultMode"]
        draft.tell(pointer, reason, "warning", "entry_skipped")
    else:
        permissions["defaultMode"] = mode


def _check_switch(draft: Draft, holder: JsonObject, pointer: Pointer) -> None:
    name = str(pointer[-1])
    value = holder.get(name)
    if value is None or value == "disable":
        return
    holder[name] = "disable"
    draft.tell(pointer, 'the only value is "disable"; read as that', "warning", "entry_hardened")


def _check_environment(draft: Draft) -> None:
    if draft.layer not in ("project", "local"):
        return
    variables: JsonObject = draft.data.get("env", {})
    for name in list(variables):
        if name.upper().endswith(ENDPOINT_VARIABLES) or name in PATH_VARIABLES:
            del variables[name]
            why = "a folder may not say where requests go or with which key; left out"
            if name in PATH_VARIABLES:
                why = "a folder may not change which files a path means; left out"
            draft.tell(("env", name), why, "warning", "entry_skipped", "set it in your own settings or environment")


def _check_numbers(draft: Draft) -> None:
    days = draft.data.get("cleanupPeriodDays")
    if days is not None and days < 1:
        draft.data["cleanupPeriodDays"] = 1
        draft.tell(("cleanupPeriodDays",), "must be at least 1; read as 1", "warning", "clamped")


def _check_limits(draft: Draft) -> None:
    for name in [name for name in LIMITS if name in draft.data]:
        value, limit = draft.data[name], LIMITS[name]
        if not limit.fits(value):
            del draft.data[name]
            draft.tell((name,), f"{value!r} is not {limit.expected}; left out", "warning", "entry_skipped")
