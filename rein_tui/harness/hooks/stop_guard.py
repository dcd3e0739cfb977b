"""Keeping a Stop hook from holding a turn for ever."""

from collections.abc import Mapping

from rein_tui.harness.protocol.hooks import HookOutcome

DEFAULT_CAP = 8
"""Times in a row that Stop hooks may send a turn on."""

_VARIABLE = "CLAUDE_CODE_STOP_HOOK_BLOCK_CAP"


class StopGuard:
    """Counts how often in a row Stop hooks sent one turn on. One a turn, and one a subagent."""

    def __init__(self, cap: int = DEFAULT_CAP) -> None:
        self._cap = cap
        self._blocks = 0

    @classmethod
    def configured(cls, variables: Mapping[str, str]) -> "StopGuard":
        """With the cap that the environment gives; 0 there means no cap."""
        wished = variables.get(_VARIABLE, "")
        return cls(int(wished) if wished.isdecimal() else DEFAULT_CAP)

    @property
    def is_active(self) -> bool:
        """Whether the turn goes on because of a Stop hook: `stop_hook_active` of its next payload."""
        return self._blocks > 0

    def goes_on(self, outcome: HookOutcome) -> bool:
        """Whether the turn goes on. `continue: false` beats a block, and so does the cap: see `is_capped`."""
        if not outcome.blocked or outcome.stop:
            self._blocks = 0
            return False
        self._blocks += 1
        return not self.is_capped

    @property
    def is_capped(self) -> bool:
        """Whether the cap ended the turn although a hook wanted it to go on."""
        return 0 < self._cap < self._blocks
