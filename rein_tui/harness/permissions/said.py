"""What described hooks would say about a call, by the hook protocol, without running anything.

A policy case may describe PreToolUse hooks by what they return (`exit`, `stdout`, `stderr`, `sleep_s` …).
"""

import json
import os
from pathlib import Path
from typing import Any

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import HookVerdict, Source
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.hooks import HookSpec
from rein_tui.harness.settings.shapes import is_list, is_object

MAX_OUTPUT = 1024 * 1024
DEFAULT_TIMEOUT = 600


def described_hooks(hooks: Any, tool: str, tool_input: JsonObject) -> tuple[JsonObject, list[HookVerdict]]:
    """The input after all described PreToolUse hooks, and their verdicts in order."""
    verdicts: list[HookVerdict] = []
    changed = tool_input
    for index, described in enumerate(hooks if is_list(hooks) else []):
        if not is_object(described) or described.get("event", "PreToolUse") != "PreToolUse":
            continue
        verdict, rewritten = _said(described, index, tool, tool_input)
        verdicts += [verdict] if verdict is not None else []
        changed = rewritten if rewritten is not None else changed
    return changed, verdicts


def _said(
    described: JsonObject, index: int, tool: str, tool_input: JsonObject
) -> tuple[HookVerdict | None, JsonObject | None]:
    from rein_tui.harness.hooks.matcher import matches
    from rein_tui.harness.hooks.output import interpret
    from rein_tui.harness.hooks.pattern import PatternError
    from rein_tui.harness.hooks.spill import Spill

    matcher = str(described.get("matcher", ""))
    source = Source(layer="hook", path=f"hooks[{index}]")
    try:
        if not matches(matcher, tool):
            return None, None
    except PatternError as problem:
        return HookVerdict(outcome="ask", reason=str(problem), source=source, broken=True), None
    spec = HookSpec(
        id=f"case:{index}", point="PreToolUse", handler="command", config={}, source=source, matcher=matcher
    )
    payload: JsonObject = {"tool_name": tool, "tool_input": tool_input}
    effect = interpret(spec, _raw(described), payload, Spill(Path(os.devnull), spec.id))
    if not effect.permission:
        return None, effect.updated_input
    outcome = effect.permission if effect.permission != "defer" else "ask"
    broken = effect.fault is not None
    return HookVerdict(outcome=outcome, reason=effect.reason, source=source, hook_id=spec.id, broken=broken), (
        effect.updated_input
    )


def _raw(described: JsonObject) -> Any:
    from rein_tui.harness.hooks.runners.job import Fault, Raw

    timeout = _number(described, "timeout_s", DEFAULT_TIMEOUT)
    if _number(described, "sleep_s", 0) > timeout:
        return Raw(fault=Fault(kind="timeout", reason=f"no answer within {timeout} s"))
    if described.get("signal") is not None:
        return Raw(fault=Fault(kind="killed", reason=f"killed by signal {described['signal']}"))
    repeated = described.get("stdout_repeat")
    if is_object(repeated) and len(str(repeated.get("data", ""))) * int(_number(repeated, "times", 1)) > MAX_OUTPUT:
        return Raw(fault=Fault(kind="bad_output", reason="more than 1 MiB of output"))
    stdout = described.get("stdout_raw")
    if stdout is None and described.get("stdout") is not None:
        stdout = json.dumps(described["stdout"])
    if is_object(repeated):
        stdout = str(repeated.get("data", "")) * int(_number(repeated, "times", 1))
    return Raw(
        exit_code=int(_number(described, "exit", 0)), stdout=str(stdout or ""), stderr=str(described.get("stderr", ""))
    )


def _number(described: JsonObject, name: str, default: float) -> float:
    value = described.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError("must be a number", where=f"hooks: {name}")
    return value
