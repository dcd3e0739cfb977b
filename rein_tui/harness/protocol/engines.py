"""The ports that the loop and the gate stand on: who decides, who runs hooks, who keeps the story."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

from .decisions import (
    Decision,
    Mode,
    Outcome,
    PermissionQuery,
    Rule,
    Scope,
)
from .events import Fact, Notice
from .hooks import HookCall, HookOutcome
from .ports import Emit


class PermissionEngine(Protocol):
    """Decides about calls and explains itself. `decide` is synchronous, quick, and never raises."""

    @property
    def mode(self) -> Mode:
        """The mode in force."""
        ...

    def set_mode(self, mode: Mode) -> None:
        """Change the mode. Raises ConfigError for a mode that policy forbids."""
        ...

    def decide(self, query: PermissionQuery) -> Decision:
        """The outcome for one call, with reasons."""
        ...

    def grant(self, rules: Sequence[str], scope: Scope, behavior: Outcome = "allow") -> Sequence[Rule]:
        """Let these rules hold from now on, in that scope (written to its file unless session). Raises ConfigError."""
        ...

    def revoke(self, rule: str, scope: Scope, behavior: Outcome = "allow") -> bool:
        """Take a grant back; false when there was none. Raises ConfigError."""
        ...

    def removed_tools(self) -> frozenset[str]:
        """Tools that a bare deny rule takes from the model's list."""
        ...


class HookEngine(Protocol):
    """Runs hooks. Never raises: what fails is told in its runs."""

    async def fire(self, call: HookCall, emit: Emit) -> HookOutcome:
        """Run all matching handlers of one moment side by side; tell HookStarted, HookFired and HooksSkipped."""
        ...

    def ignore(self, hook_ids: Sequence[str]) -> None:
        """Do not run these handlers again in this session."""
        ...

    def has(self, point: str) -> bool:
        """Whether any handler is configured for this moment; cheap."""
        ...

    async def close(self) -> None:
        """End asynchronous hooks that still run."""
        ...


class Journal(Protocol):
    """The stored facts of one session."""

    @property
    def session_id(self) -> str:
        """Whose facts these are."""
        ...

    def append(self, fact: Fact) -> int:
        """Store one fact, durably at commit points; returns its sequence number. Never raises: see `problem`."""
        ...

    def read(self, after: int = 0) -> Iterator[tuple[int, Fact]]:
        """Stored facts in order. Raises StoreError."""
        ...

    @property
    def problem(self) -> str:
        """Why facts are not reaching the disk just now, or empty."""
        ...

    def take_notices(self) -> Sequence[Notice]:
        """What happened to the store since the last call, such as a salvage."""
        ...

    def close(self) -> None:
        """Give up the session's lease."""
        ...


Environment: TypeAlias = Mapping[str, str]
