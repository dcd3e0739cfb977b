"""Reading the `hooks` object of a settings file, a plugin or a frontmatter: handler by handler.

One bad entry is reported with its file and line and left out; the rest applies. The exception is a gate whose
matcher does not parse: it stays, and asks for every call, because a lost "no" must not become a "yes".
"""

import difflib
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard

import msgspec

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.protocol.hooks import HandlerType, HookPoint, HookSpec

from .condition import condition_problem
from .matcher import matcher_problem
from .points import HANDLER_TYPES, NEVER_FIRING, POINTS
from .shapes import is_list, is_object

Pointer: TypeAlias = tuple[str | int, ...]
Locate: TypeAlias = Callable[[Pointer], Source]

_REQUIRED: dict[HandlerType, tuple[str, ...]] = {
    "command": ("command",),
    "http": ("url",),
    "mcp_tool": ("server", "tool"),
    "prompt": ("prompt",),
    "agent": ("prompt",),
}
_ABSOLUTE = re.compile(r"/[\w./+@-]+")


@dataclass(slots=True)
class _Reader:
    """One `hooks` object being read. `common` are the spec fields that all of its handlers share."""

    locate: Locate
    common: dict[str, Any]
    specs: list[HookSpec] = field(default_factory=list[HookSpec])
    notices: list[Notice] = field(default_factory=list[Notice])

    def tell(self, pointer: Pointer, text: str, *, level: str = "warning", hint: str = "", code: str) -> None:
        """Report a problem with its place."""
        kind = "error" if level == "error" else "info" if level == "info" else "warning"
        place = str(self.locate(pointer))
        self.notices.append(Notice(text=f"Hooks: {text}", level=kind, where=place, hint=hint, code=code))


def parse_hooks(
    data: JsonObject,
    locate: Locate,
    *,
    plugin_id: str = "",
    plugin_root: str = "",
    plugin_data: str = "",
    options: JsonObject | None = None,
    owner: str = "",
) -> tuple[list[HookSpec], list[Notice]]:
    """The handlers of one `hooks` object, in order, and what is wrong with it.

    `locate` gives the place of a value by its path below `data`, such as ("PreToolUse", 0, "hooks", 1). `owner`
    names the skill or subagent (`agent:ID`) that brought the hooks; `options` are a plugin's option values.
    """
    common = {
        "plugin_id": plugin_id,
        "plugin_root": plugin_root,
        "plugin_data": plugin_data,
        "options": options or {},
        "owner": owner,
    }
    reader = _Reader(locate, common)
    value: object = data
    if not is_object(value):
        reader.tell((), "must be an object of events", level="error", code="bad_hooks")
        return [], reader.notices
    for name, groups in value.items():
        _read_event(reader, name, groups)
    return reader.specs, reader.notices


def for_subagent(specs: list[HookSpec], agent_id: str) -> list[HookSpec]:
    """The same hooks as they hold inside one subagent: they belong to it, and its Stop is a SubagentStop."""
    return [
        msgspec.structs.replace(
            spec,
            id=f"{spec.id}-{agent_id}",
            point="SubagentStop" if spec.point == "Stop" else spec.point,
            matcher="" if spec.point == "Stop" else spec.matcher,
            owner=f"agent:{agent_id}",
        )
        for spec in specs
    ]


def _is_point(name: str) -> TypeGuard[HookPoint]:
    return name in POINTS


def _read_event(reader: _Reader, name: str, groups: object) -> None:
    if name in NEVER_FIRING:
        reader.tell((name,), f"{name} never fires here", level="info", code="hook_never_fires")
        return
    if not _is_point(name):
        near = difflib.get_close_matches(name, [*POINTS, *NEVER_FIRING], n=1)
        hint = f"Did you mean {near[0]}?" if near else ""
        reader.tell((name,), f"unknown event {name!r}", hint=hint, code="unknown_hook_event")
        return
    if not is_list(groups):
        reader.tell((name,), f"{name} must be a list of matcher groups", level="error", code="bad_hook")
        return
    for index, group in enumerate(groups):
        _read_group(reader, name, (name, index), group)


def _read_group(reader: _Reader, point: HookPoint, pointer: Pointer, group: object) -> None:
    handlers = group.get("hooks") if is_object(group) else None
    if not is_object(group) or not is_list(handlers) or not handlers:
        reader.tell(pointer, f"{point}: a group needs a list `hooks`", level="error", code="bad_hook")
        return
    traits = POINTS[point]
    matcher = group.get("matcher")
    if matcher is not None and not isinstance(matcher, str):
        reader.tell((*pointer, "matcher"), f"{point}: `matcher` must be text", level="error", code="bad_matcher")
        if not traits.is_gate:
            return
        matcher = ""
    matcher = matcher or ""
    if matcher and traits.subject and (problem := matcher_problem(matcher, word_matcher=traits.word_matcher)):
        effect = "every call asks until it is mended" if traits.is_gate else "these handlers never run"
        text = f"{point}: matcher {matcher!r} does not parse ({problem}): {effect}"
        reader.tell((*pointer, "matcher"), text, level="error", code="bad_matcher")
    for index, handler in enumerate(handlers):
        _read_handler(reader, point, matcher, (*pointer, "hooks", index), handler)


def _read_handler(reader: _Reader, point: HookPoint, matcher: str, pointer: Pointer, entry: object) -> None:
    problem = _handler_problem(point, entry)
    if problem or not is_object(entry):
        reader.tell(pointer, f"{point}: {problem}", level="error", code="bad_hook")
        return
    source = reader.locate(pointer)
    config = {key: value for key, value in entry.items() if value is not None}
    condition = config.get("if", "")
    on_error = config.get("onError", "")
    spec = HookSpec(
        id=_spec_id(source, point, matcher, config, reader.common),
        point=point,
        handler=config["type"],
        config=config,
        source=source,
        matcher=matcher,
        condition=condition if isinstance(condition, str) else "",
        timeout=_timeout(reader, pointer, config.get("timeout")),
        is_async=config.get("async") is True or config.get("asyncRewake") is True,
        rewakes=config.get("asyncRewake") is True,
        on_error=on_error if on_error in ("continue", "ask", "block") else "",
        once=config.get("once") is True,
        **reader.common,
    )
    _lint(reader, spec, pointer)
    reader.specs.append(spec)


def _handler_problem(point: HookPoint, entry: object) -> str:
    if not is_object(entry):
        return "a handler must be an object"
    kind: HandlerType | None = next((known for known in HANDLER_TYPES if known == entry.get("type")), None)
    if kind is None:
        return f"`type` must be one of {', '.join(HANDLER_TYPES)}"
    if kind not in POINTS[point].handlers:
        return f"{kind} handlers are not possible here, only {', '.join(POINTS[point].handlers)}"
    for key in _REQUIRED[kind]:
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            return f"a {kind} handler needs `{key}`"
    args = entry.get("args")
    if args is not None and not (is_list(args) and all(isinstance(arg, str) for arg in args)):
        return "`args` must be a list of texts"
    if entry.get("shell") not in (None, "bash", "powershell"):
        return "`shell` must be bash or powershell"
    return ""


def _timeout(reader: _Reader, pointer: Pointer, value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    text = f"`timeout` must be a number of seconds above 0, not {value!r}: the default holds"
    reader.tell((*pointer, "timeout"), text, code="bad_timeout")
    return None


def _lint(reader: _Reader, spec: HookSpec, pointer: Pointer) -> None:
    """Tell what is accepted but will not do what it says."""
    traits, config = POINTS[spec.point], spec.config
    if "if" in config:
        problem = condition_problem(spec.condition)
        if not traits.is_tool:
            text = f"{spec.point} has no tool, so a handler with `if` never runs"
            reader.tell((*pointer, "if"), text, code="hook_never_runs")
        elif problem:
            reader.tell((*pointer, "if"), f"{problem}; the handler runs without it", code="bad_condition")
    if config.get("onError", "") not in ("continue", "ask", "block", ""):
        text = f"`onError` must be continue, ask or block, not {config['onError']!r}"
        reader.tell((*pointer, "onError"), text, code="bad_on_error")
    elif spec.on_error == "ask" and not traits.is_gate:
        text = f"`onError: ask` has no meaning for {spec.point}: nobody is asked there"
        reader.tell((*pointer, "onError"), text, code="bad_on_error")
    if spec.handler == "command":
        program = spec.config["command"] if "args" in config else spec.config["command"].split()[0]
        if _ABSOLUTE.fullmatch(program) and not Path(program).exists():
            reader.tell(pointer, f"{spec.point}: {program} does not exist", code="missing_hook")


def _spec_id(source: Source, point: HookPoint, matcher: str, config: JsonObject, common: JsonObject) -> str:
    parts = [source.layer, source.path, common["plugin_id"], common["owner"], point, matcher, config]
    return hashlib.blake2s(json.dumps(parts, sort_keys=True, default=str).encode(), digest_size=6).hexdigest()
