"""What a runner is given, and what it gives back before anybody has interpreted it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rein_tui.harness.hooks.context import HookContext
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.hooks import HookSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One handler to run once. `timeout` is in seconds, `stdin` the encoded payload, `environment` inherited.

    `on_async` is called when the hook says itself, with its first line, that nobody should wait for it.
    """

    spec: HookSpec
    payload: JsonObject
    stdin: bytes
    timeout: float
    context: HookContext
    environment: Mapping[str, str]
    on_async: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a run gave no answer that can be trusted; `reason` is one sentence for a person."""

    kind: Literal["timeout", "failed", "bad_output", "killed"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What came back. `exit_code` is None where there is none; `answer` is a model's; `environment` was added."""

    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    answer: JsonObject | None = None
    fault: Fault | None = None
    environment: dict[str, str] = field(default_factory=dict[str, str])


def failed(reason: str) -> Raw:
    """A run that could not happen or broke."""
    return Raw(fault=Fault(kind="failed", reason=reason))
