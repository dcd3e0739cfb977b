"""The left half of the status line: model, mode, how calls travel, context, speed, cost, cache and branch.

It folds events and gives parts with a rank: the highest is left out first where the line is narrow.
"""

import msgspec
from textual.content import Content
from textual.style import Style

from rein_tui.harness.protocol.decisions import Mode
from rein_tui.harness.protocol.events import (
    Compacted,
    Event,
    MessageFinished,
    ModeChanged,
    ModelChanged,
    SessionStarted,
    SideAnswered,
)

from .cache_meter import CacheMeter
from .figures import short_cost, short_count
from .safe import safe_text

MODE_LABELS: dict[Mode, tuple[str, str]] = {
    "default": ("default", "$text-muted"),
    "acceptEdits": ("accept edits", "$text-accent"),
    "plan": ("plan", "$text-primary"),
    "dontAsk": ("don't ask", "$text-warning"),
    "bypassPermissions": ("bypass permissions", "bold $text-error"),
}
"""Each permission mode as people read it, and its colour: the further from asking, the louder."""

_LEAST_SECONDS = 0.2
"""A shorter answer says nothing about how fast a model writes."""


class Figures(msgspec.Struct):
    """What is known. `context` and `window` are tokens, `speed` tokens a second; `cost` is None without a price.

    `calls` says how the calls of a local model travel (`native`, `text:tools`); it is empty for Claude.
    """

    model: str = ""
    mode: Mode = "default"
    context: int = 0
    window: int = 0
    cost: float | None = None
    branch: str = ""
    calls: str = ""
    speed: float = 0.0
    cache: CacheMeter = msgspec.field(default_factory=CacheMeter)

    def fold(self, event: Event) -> bool:
        """Take one event; whether anything changed."""
        match event:
            case SessionStarted():
                self.model, self.mode = event.model, event.mode
                self.branch = event.branch or self.branch
            case ModelChanged():
                if event.model != self.model:
                    self.calls, self.speed = "", 0.0
                self.model, self.window = event.model, event.context_window
            case ModeChanged():
                self.mode = event.mode
            case MessageFinished(parent=""):
                self._answered(event)
            case MessageFinished() | SideAnswered():
                self._add_cost(event.usage.cost_usd)
            case Compacted():
                self.context = event.tokens_after
            case _:
                return False
        return True

    def _answered(self, event: MessageFinished) -> None:
        self._add_cost(event.usage.cost_usd)
        if event.stop_reason == "incomplete" and not event.usage.context_tokens:
            return  # it broke off before anything was counted
        self.context = event.usage.context_tokens
        self.calls = event.calls
        was_held = event.parse is not None and event.parse.call_ids  # its first token was shown late
        seconds = event.duration - event.first_token
        if event.calls and seconds >= _LEAST_SECONDS and not was_held:
            self.speed = event.usage.output_tokens / seconds

    def _add_cost(self, cost: float | None) -> None:
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost

    def parts(self, now: float) -> list[tuple[int, Content]]:
        """Each part with its rank; `now` is wall clock."""
        label, colour = MODE_LABELS[self.mode]
        model = safe_text(self.model, "path") or "no model"
        parts = [(1, clickable(Content.styled(model, "$text"), "command('model')"))]
        parts.append((0, clickable(Content.styled(label, colour), "command('mode')")))
        if self.calls:
            parts.append((6, clickable(Content(safe_text(self.calls, "path")), "command('probe')")))
        if self.context or (self.calls and self.window):
            parts.append((2, clickable(self._window_share(), "command('context')")))
        if self.speed:
            parts.append((7, Content(f"{self.speed:.0f} tok/s" if self.speed >= 9.5 else f"{self.speed:.1f} tok/s")))
        if self.cost is not None:
            parts.append((3, Content(short_cost(self.cost))))
        if cached := self.cache.words(now):
            colour = "$text-warning" if self.cache.is_cold(now) else ""
            parts.append((5, clickable(Content.styled(cached, colour), "command('context')")))
        if self.branch:
            parts.append((4, Content(safe_text(self.branch, "path")).truncate(24, ellipsis=True)))
        return parts

    def _window_share(self) -> Content:
        """How full the window is; of a local model also how large, since that is for the person to choose."""
        if not self.window:
            return Content(f"{short_count(self.context)} tokens")
        share = round(100 * self.context / self.window)
        colour = "$text-error" if share >= 90 else "$text-warning" if share >= 75 else ""
        size = f" of {short_count(self.window)}" if self.calls else ""
        return Content.styled(f"ctx {share}%{size}", colour)


def clickable(content: Content, action: str) -> Content:
    """The content as something that runs an action of the app when it is clicked."""
    return content.stylize(Style.from_meta({"@click": f"app.{action}"}))
