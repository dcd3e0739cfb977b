"""Which handlers run at a moment, and for each of the others the reason why not."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookCall, HookSkip, HookSpec

from .condition import holds
from .context import HookContext
from .matcher import matches
from .pattern import PatternError
from .placeholders import fill_plain, folders
from .points import POINTS, subject_of
from .runners import is_url_allowed
from .shapes import is_object


@dataclass(slots=True)
class Selection:
    """The handlers of one moment, sorted. `broken` are gates that cannot tell whether they are meant, with why."""

    chosen: list[HookSpec] = field(default_factory=list[HookSpec])
    broken: list[tuple[HookSpec, str]] = field(default_factory=list[tuple[HookSpec, str]])
    skipped: list[HookSkip] = field(default_factory=list[HookSkip])


def select(specs: Iterable[HookSpec], call: HookCall, context: HookContext, ignored: frozenset[str]) -> Selection:
    """Sort the handlers configured for a moment."""
    found, seen = Selection(), dict[str, HookSpec]()
    for spec in specs:
        reason = _off(spec, context, ignored) or _elsewhere(spec, call)
        if not reason:
            try:
                reason = _unmatched(spec, call) or _unmet(spec, call, context)
            except PatternError as error:
                if POINTS[spec.point].is_gate:
                    found.broken.append((spec, f"its matcher {spec.matcher!r} does not parse: {error}"))
                    continue
                reason = f"its matcher does not parse: {error}"
        if not reason:
            twin = seen.setdefault(_identity(spec), spec)
            reason = "" if twin is spec else f"the same handler as in {twin.source}"
        if reason:
            found.skipped.append(HookSkip(hook=spec, reason=reason))
        else:
            found.chosen.append(spec)
    return found


def _off(spec: HookSpec, context: HookContext, ignored: frozenset[str]) -> str:
    """Which switch turns this handler off, or empty."""
    switches = context.switches
    is_managed = spec.source.layer == "managed"
    if spec.id in ignored:
        return "ignored for this session"
    if switches.disable_managed or (switches.disable_all and not is_managed):
        return "hooks are turned off (disableAllHooks)"
    if switches.managed_only and not is_managed and spec.plugin_id not in switches.managed_plugins:
        return "only managed hooks may run (allowManagedHooksOnly)"
    if spec.handler == "http":
        url = fill_plain(str(spec.config["url"]), folders(spec, context.project_dir), {})
        if not is_url_allowed(url, switches.allowed_http_urls):
            return f"{url} is not in allowedHttpHookUrls"
    return ""


def _elsewhere(spec: HookSpec, call: HookCall) -> str:
    kind, _, agent = spec.owner.partition(":")
    return "it belongs to another subagent" if kind == "agent" and agent and agent != call.agent_id else ""


def _unmatched(spec: HookSpec, call: HookCall) -> str:
    """Why the matcher does not fit, or empty. Raises PatternError."""
    traits = POINTS[call.point]
    if not traits.subject:
        return ""
    subject = call.subject or subject_of(call.point, call.payload)
    if matches(spec.matcher, subject, word_matcher=traits.word_matcher):
        return ""
    return f"matcher {spec.matcher!r} does not match {subject!r}"


def _unmet(spec: HookSpec, call: HookCall, context: HookContext) -> str:
    if not spec.condition:
        return ""
    if not POINTS[call.point].is_tool:
        return f"`if` works only where there is a tool, not at {call.point}"
    tool_input: object = call.payload.get("tool_input")
    tool = str(call.payload.get("tool_name") or call.subject)
    values: JsonObject = tool_input if is_object(tool_input) else {}
    return "" if holds(spec.condition, tool, values, context.matches_rule) else f"`if: {spec.condition}` is not met"


def _identity(spec: HookSpec) -> str:
    """Equal for handlers of which one run is enough: the same entry in several settings files.

    The whole entry counts, so that nobody's background copy can stand in for somebody's gate; a plugin's or
    skill's copy stays its own.
    """
    entry = {key: value for key, value in spec.config.items() if key != "statusMessage"}
    return json.dumps([spec.plugin_id, spec.owner, entry], sort_keys=True, default=str)
