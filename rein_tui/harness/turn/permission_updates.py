"""Permission updates as PermissionRequest hooks know them: what they are offered, and what their answer changes."""

from pathlib import Path
from typing import TypeGuard, get_args

from ..protocol.base import JsonObject
from ..protocol.decisions import Decision, Mode, Outcome, Rule, Scope
from ..protocol.errors import ConfigError
from ..protocol.events import ModeChanged, Notice
from ..protocol.ports import Emit
from .parts import Parts

_SCOPES: dict[str, Scope] = {
    "session": "session",
    "localSettings": "local",
    "projectSettings": "project",
    "userSettings": "user",
}
_DESTINATIONS = {scope: name for name, scope in _SCOPES.items()}
_BEHAVIORS = frozenset[str](get_args(Outcome))
_MODES = frozenset[str](get_args(Mode)) - {"bypassPermissions"}
"""Modes that a hook may choose: one that nothing asks in is the person's to choose."""


def suggested(decision: Decision) -> list[JsonObject]:
    """The rules that would have let the call pass, as `permission_suggestions`."""
    return [
        {
            "type": "addRules",
            "rules": [_split(rule) for rule in suggestion.rules],
            "behavior": "allow",
            "destination": _DESTINATIONS[suggestion.scope],
        }
        for suggestion in decision.suggestions
    ]


async def update_permissions(parts: Parts, updates: object, tell: Emit) -> list[tuple[Rule, Scope]]:
    """Carry out `updatedPermissions`; the rules that hold from now on. What cannot be carried out is told."""
    granted: list[tuple[Rule, Scope]] = []
    for update in updates if _is_list(updates) else ():
        try:
            granted += await _update(parts, update, tell)
        except ConfigError as error:
            text = f"A PermissionRequest hook wanted to change permissions, but: {error.message}"
            await tell(Notice(level="warning", text=text, where=error.where, hint=error.hint, code="hook_permissions"))
    return granted


async def _update(parts: Parts, update: object, tell: Emit) -> list[tuple[Rule, Scope]]:
    """Carry out one entry. Raises ConfigError."""
    if not _is_object(update):
        raise ConfigError("an entry of `updatedPermissions` is no object")
    scope = _SCOPES.get(str(update.get("destination", "session")))
    if scope is None:
        raise ConfigError(f"unknown destination {update.get('destination')!r}")
    match update.get("type"):
        case "addRules":
            return [(rule, scope) for rule in parts.permissions.grant(_rules(update), scope, _behavior(update))]
        case "removeRules":
            for text in _rules(update):
                parts.permissions.revoke(text, scope, _behavior(update))
        case "setMode":
            mode = next((known for known in get_args(Mode) if known == update.get("mode") and known in _MODES), None)
            if mode is None:
                raise ConfigError(f"a hook cannot choose the mode {update.get('mode')!r}")
            parts.permissions.set_mode(mode)
            await tell(ModeChanged(mode=mode))
        case "addDirectories":
            known = parts.workspace.additional
            known += [folder for folder in _folders(update) if folder.is_absolute() and folder not in known]
        case "removeDirectories":
            gone = _folders(update)
            parts.workspace.additional[:] = [folder for folder in parts.workspace.additional if folder not in gone]
        case other:
            raise ConfigError(f"there is no permission update {other!r}")
    return []


def _rules(update: JsonObject) -> list[str]:
    rules = update.get("rules")
    found: list[str] = []
    for rule in rules if _is_list(rules) else ():
        name = rule.get("toolName") if _is_object(rule) else None
        if not _is_object(rule) or not isinstance(name, str) or not name:
            raise ConfigError("a rule needs a `toolName`")
        content = rule.get("ruleContent")
        if content is not None and not isinstance(content, str):
            raise ConfigError("`ruleContent` must be text")
        found.append(f"{name}({content})" if content else name)
    if not found:
        raise ConfigError("`rules` must be a list of rules")
    return found


def _behavior(update: JsonObject) -> Outcome:
    behavior: Outcome | None = next((known for known in get_args(Outcome) if known == update.get("behavior")), None)
    if behavior is None:
        raise ConfigError(f"`behavior` must be one of {', '.join(sorted(_BEHAVIORS))}")
    return behavior


def _split(rule: str) -> JsonObject:
    """`Bash(git *)` as a tool's name and the rest."""
    name, opened, content = rule.partition("(")
    return {"toolName": name, "ruleContent": content.removesuffix(")")} if opened else {"toolName": name}


def _folders(update: JsonObject) -> list[Path]:
    listed = update.get("directories")
    return [Path(item).expanduser() for item in listed if isinstance(item, str)] if _is_list(listed) else []


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _is_object(value: object) -> TypeGuard[JsonObject]:
    return isinstance(value, dict)
