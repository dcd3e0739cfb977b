"""The rows of the hook log: one a run, one for the handlers of a moment that did not run."""

import time

from textual.content import Content

from rein_tui.harness.protocol.events import HooksSkipped, HookStarted
from rein_tui.harness.protocol.hooks import HookPoint, HookResult, HookRun, HookSkip, HookSpec

from .figures import short_duration
from .lines import EMPTY, joined
from .rows import ListRow, columns, fit
from .safe import safe_content, safe_text

OUTCOMES: dict[HookResult, tuple[str, str]] = {
    "nothing": ("nothing", "$text-disabled"),
    "allow": ("allow", "$text-success"),
    "deny": ("deny", "$text-error"),
    "ask": ("ask", "$text-warning"),
    "block": ("block", "$text-error"),
    "rewrote": ("rewrote", "$text-accent"),
    "context": ("context", "$text-primary"),
    "stopped": ("stopped", "$text-error"),
    "message": ("message", "$text-secondary"),
    "timeout": ("timeout", "$text-error"),
    "failed": ("failed", "$text-error"),
    "bad_output": ("bad output", "$text-error"),
    "killed": ("killed", "$text-error"),
}
BROKEN: frozenset[HookResult] = frozenset({"timeout", "failed", "bad_output", "killed"})
_GATES: frozenset[HookPoint] = frozenset({"PreToolUse", "UserPromptSubmit"})
ROOMY, CODED, SOURCED, WIDE = 56, 72, 88, 112
"""Cells from which a row has the time, the exit code, the source, the matcher."""


def outcome(run: HookRun) -> tuple[str, str]:
    """What became of a run, in a word or two, and its style."""
    words, style = OUTCOMES[run.result]
    if run.result in BROKEN:
        policy = run.hook.on_error or ("ask" if run.hook.point in _GATES else "continue")
        words += {"ask": " → ask", "block": " → block"}.get(policy, " open" if run.result == "failed" else "")
    return words, style


def short_source(spec: HookSpec) -> str:
    """File name and line."""
    return str(spec.source).rsplit("/", 1)[-1]


class HookRow(ListRow):
    """A row of the log, drawn in as many columns as fit."""

    def __init__(self, point: HookPoint, at: float) -> None:
        self.point: HookPoint = point
        self.at = at

    @property
    def moment(self) -> str:
        """The event, as the row shows it."""
        return self.point

    @property
    def short_moment(self) -> str:
        """The same where there is little room."""
        return self.moment.replace("ToolUse", "")

    @property
    def words(self) -> str:
        """What a typed filter looks at."""
        return self.point

    @property
    def source(self) -> str:
        return self.words

    def named(self, width: int, matcher: str, words: str, style: str = "$text-muted") -> Content:
        """The matcher, where there is room for it, and the name."""
        name = safe_content(words, "label")
        if width < WIDE:
            return name
        return joined([fit(safe_content(matcher or "all", "label", style), 14), Content("  "), name])

    def line(self, width: int, middle: Content, figures: list[tuple[Content, int]]) -> Content:
        """Time and event, the middle, figures at the right."""
        event = 7 if width < ROOMY else 12 if width < SOURCED else 16
        moment = self.moment if width >= ROOMY else self.short_moment
        lead = [fit(safe_content(moment, "label", "$text-accent"), event), Content("  ")]
        if width >= ROOMY and self.at:
            clock = time.strftime("%H:%M:%S", time.localtime(self.at))
            lead = [Content.styled(f"{clock}  ", "$text-disabled"), *lead]
        return columns(width, joined([*lead, middle]), figures)


class RunRow(HookRow):
    """One run of one handler."""

    def __init__(self, run: HookRun, call_id: str, turn: int) -> None:
        super().__init__(run.hook.point, run.started)
        self.run = run
        self.call_id = call_id
        self.turn = turn

    @property
    def words(self) -> str:
        hook = self.run.hook
        return f"{self.point} {hook.matcher} {hook.title} {hook.source} {outcome(self.run)[0]} {hook.source.layer}"

    def draw(self, width: int) -> Content:
        run = self.run
        middle = self.named(width, run.hook.matcher, run.hook.name)
        words, style = outcome(run)
        code = "" if run.exit_code is None else f"exit {run.exit_code}"
        figures: list[tuple[Content, int]] = []
        if width >= SOURCED:
            figures.append((safe_content(short_source(run.hook), "label", "$text-muted"), 18))
        if width >= CODED:
            figures.append((Content.styled(code, "$text-error" if run.exit_code else "$text-disabled"), 7))
        figures += [
            (Content.styled(short_duration(run.duration), "$text-muted"), 6),
            (Content.styled(words, style), 16 if width >= CODED else 12 if width >= ROOMY else 9),
        ]
        return self.line(width, middle, figures)


class RunningRow(HookRow):
    """A handler that runs now."""

    def __init__(self, event: HookStarted) -> None:
        super().__init__(event.point, event.time)
        self._title = event.title

    @property
    def words(self) -> str:
        return f"{self.point} {self._title} running"

    def draw(self, width: int) -> Content:
        name = safe_content(self._title, "label")
        return self.line(width, name, [(Content.styled("running …", "$text-primary"), 10)])


class SkippedRow(HookRow):
    """Handlers that did not run, from one run to the next."""

    def __init__(self, event: HooksSkipped) -> None:
        super().__init__(event.point, event.time)
        self.events = [event]

    @property
    def skipped(self) -> list[HookSkip]:
        """All that did not run."""
        return [skip for event in self.events for skip in event.skipped]

    @property
    def moment(self) -> str:
        points = {event.point for event in self.events}
        return self.point if len(points) == 1 else f"{len(points)} events"

    @property
    def short_moment(self) -> str:
        return super().short_moment if self.moment == self.point else "mixed"

    @property
    def words(self) -> str:
        reasons = (f"{skip.hook.title} {skip.reason} {skip.hook.source}" for skip in self.skipped)
        return f"{self.point} not run {' '.join(reasons)}"

    def draw(self, width: int) -> Content:
        skipped = self.skipped
        first = skipped[0] if skipped else None
        if len(skipped) == 1 and first is not None:
            words = f"{_name(first.hook)}: {first.reason}"
        else:
            names = dict.fromkeys(_name(skip.hook) for skip in skipped)
            words = f"{len(skipped)} times: {', '.join(names)}"
        matchers = {skip.hook.matcher for skip in skipped}
        middle = self.named(width, matchers.pop() if len(matchers) == 1 else "…", words)
        line = self.line(width, middle, [(Content("not run"), 7)])
        return Content.styled(line.plain, "$text-disabled") if line else EMPTY


def _name(spec: HookSpec) -> str:
    return safe_text(spec.name, "label")
