"""The status line: what it folds, what it leaves out first, and that themes keep it readable."""

import pytest
from msgspec import structs
from textual.app import App, ComposeResult
from textual.color import Color

from rein_tui.harness.protocol.decisions import Mode
from rein_tui.harness.protocol.events import (
    Event,
    Fact,
    HookFired,
    HookStarted,
    MessageFinished,
    ModeChanged,
    ModelChanged,
    RequestRetried,
    SessionStarted,
    StepStarted,
    TextDelta,
    TurnFinished,
    TurnStarted,
)
from rein_tui.harness.protocol.messages import Message, ParseTrace, Usage
from rein_tui.widgets.cache_meter import CacheMeter
from rein_tui.widgets.figures import elapsed, short_age, short_bytes, short_cost, short_count, short_duration
from rein_tui.widgets.status import Status
from rein_tui.widgets.theme import THEMES
from tests import stories


class Bench(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.status = Status(clock=lambda: self.now)

    def compose(self) -> ComposeResult:
        yield self.status


START = SessionStarted(session_id="s", cwd="/w", model="sonnet", branch="main")


async def drawn(*events: Event, width: int = 120) -> str:
    app = Bench()
    async with app.run_test(size=(width, 5)):
        for event in events:
            await app.status.apply(event)
        return app.status.render().plain


async def test_what_is_known_is_shown():
    story = [beat for beat in stories.fix() if not isinstance(beat, stories.Hold)]
    text = await drawn(START, ModelChanged(model="sonnet", context_window=200_000), *story, TurnFinished())
    assert text.startswith("sonnet · default · ctx 8% · $0.05 · 24% cached · main")
    assert text.endswith("F1 keys")


async def test_a_hook_between_turns_is_shown_until_it_ends():
    (fired,) = [beat for beat in stories.fix() if isinstance(beat, HookFired)][:1]
    started = HookStarted(run_id=fired.run.id, point="SessionStart", title="prepare.sh")
    assert "hook prepare.sh" in await drawn(START, started)
    assert "hook" not in await drawn(START, started, fired)
    other = HookStarted(run_id="other", point="SessionStart", title="other.sh")
    assert "hook" in await drawn(START, started, other, fired)
    within = await drawn(START, TurnStarted(text="go"), StepStarted(step=1), started, fired)
    assert "hook prepare.sh" in within, "during a turn the next event says what goes on"


def answered(calls: str, *, tokens: int = 66, parse: ParseTrace | None = None) -> MessageFinished:
    usage = Usage(input_tokens=1600 - tokens, output_tokens=tokens)
    said = Message(role="assistant", blocks=())
    return MessageFinished(
        step=1,
        message=said,
        stop_reason="end_turn",
        usage=usage,
        calls=calls,
        first_token=1.0,
        duration=4.0,
        parse=parse,
    )


LOCAL = ModelChanged(model="qwen2.5-coder:7b", context_window=16_000)


async def test_a_local_model_says_how_its_calls_travel_and_how_fast_it_writes():
    text = await drawn(START, LOCAL, answered("text:tools"))
    assert text.startswith("qwen2.5-coder:7b · default · text:tools · ctx 10% of 16k · 22 tok/s · main")
    text = await drawn(START, LOCAL, answered("native", tokens=12))
    assert "native · ctx 10% of 16k · 4.0 tok/s" in text
    assert "tok/s" not in await drawn(START, LOCAL, answered(""))


async def test_the_wait_before_a_retry_counts_down():
    app = Bench()
    told: list[str] = []
    async with app.run_test(size=(120, 5)):
        for event in (START, TurnStarted(text="hi"), RequestRetried(attempt=2, delay=4.5, reason="busy")):
            await app.status.apply(event)
        for app.now in (100.0, 101.0, 104.2, 107.0):
            told.append(app.status.render().plain.partition("● ")[2].removesuffix("  F1 keys"))
        await app.status.apply(TextDelta(text="a"))
        told.append(app.status.render().plain.partition("● ")[2].removesuffix("  F1 keys"))
    assert told == [
        "retry 2: busy in 5s",
        "retry 2: busy in 4s",
        "retry 2: busy in 1s",
        "retry 2: busy 2s",
        "writing 0s",
    ]


async def test_a_call_that_was_held_back_does_not_count_as_fast():
    held = answered("text:tools", tokens=900, parse=ParseTrace(raw="", dialect="tools", call_ids=("c",)))
    assert "tok/s" not in await drawn(START, LOCAL, held)
    assert "22 tok/s" in await drawn(START, LOCAL, answered("text:tools"), held)


async def test_another_model_has_ways_of_its_own():
    text = await drawn(START, LOCAL, answered("text:tools"), ModelChanged(model="claude", context_window=200_000))
    assert "text:" not in text
    assert "tok/s" not in text
    assert "ctx 1% " in text


async def test_the_chip_of_a_local_model_fits_a_narrow_line():
    for width in (20, 30, 40, 60, 80, 100):
        text = await drawn(START, LOCAL, answered("text:tools"), width=width)
        assert len(text) <= max(width - 2, 9)
        assert "F1 keys" in text
        assert "text:tools" in text or width < 80


def test_the_cache_of_claude_s_api_is_gone_after_five_minutes() -> None:
    usage = Usage(input_tokens=100, cache_read_tokens=900)
    said = Message(role="assistant", blocks=())
    done = MessageFinished(step=1, message=said, stop_reason="end_turn", usage=usage, time=1000.0)
    claude, local, nothing = CacheMeter(), CacheMeter(), CacheMeter()
    claude.fold(StepStarted(step=1, provider="anthropic"))
    assert claude.fold(done)
    assert not local.fold(done)
    nothing.fold(structs.replace(done, usage=Usage(input_tokens=5)))
    assert [meter.words(1299.0) for meter in (claude, local, nothing)] == ["90% cached", "90% cached", ""]
    assert [meter.words(1300.0) for meter in (claude, local, nothing)] == ["cache cold", "90% cached", ""]


async def test_unknown_prices_and_windows_are_not_zero():
    text = await drawn(START)
    assert "$" not in text
    assert "ctx" not in text


@pytest.mark.parametrize("mode", ["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"])
async def test_every_mode_has_a_name(mode: Mode):
    assert len(await drawn(START, ModeChanged(mode=mode))) > 20


async def test_the_less_missed_goes_first_and_nothing_overflows():
    story = [beat for beat in stories.streaming() if not isinstance(beat, stories.Hold)][:4]
    for width in (20, 30, 40, 60, 80):
        text = await drawn(START, *story, width=width)
        assert "F1 keys" in text
        assert width < 40 or "default" in text


async def test_live_and_loaded_agree():
    facts: list[Fact] = [START, ModelChanged(model="opus", context_window=100), TurnFinished()]
    app = Bench()
    async with app.run_test():
        app.status.load(facts)
        loaded = app.status.render().plain
        for fact in facts:
            await app.status.apply(fact)
        assert app.status.render().plain == loaded


async def test_foreign_text_is_drawn_not_obeyed():
    text = await drawn(SessionStarted(session_id="s", cwd="/", model="[red]x[/]\x1b]0;y\x07", branch="\u202eb"))
    assert "[red]x[/]" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_figures():
    assert [short_age(s) for s in (5, 65, 7300, 90_000, 4e7)] == ["now", "1m", "2h", "1d", "1y"]
    assert [short_duration(s) for s in (0.041, 2.41, 38.2, 185, 3725)] == ["41 ms", "2.4 s", "38 s", "3m 05s", "1h 02m"]
    assert [elapsed(s) for s in (0.4, 38, 185, 3725)] == ["0s", "38s", "3m05s", "1h02m"]
    assert [short_count(n) for n in (980, 1234, 34_400, 1_200_000)] == ["980", "1.2k", "34k", "1.2M"]
    assert [short_cost(c) for c in (0, 0.001, 0.126, 1234)] == ["$0.00", "<$0.01", "$0.13", "$1,234"]
    assert [short_bytes(b) for b in (812, 4_700, 4_700_000_000)] == ["812 B", "4.7 kB", "4.7 GB"]


def luminance(colour: Color) -> float:
    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b)


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_our_themes_can_be_read(theme: object):
    from textual.theme import Theme

    assert isinstance(theme, Theme)
    assert theme.background is not None
    least = 7.0 if "contrast" in theme.name else 4.5
    for colour in (theme.foreground, theme.primary, theme.accent, theme.error, theme.warning, theme.success):
        assert colour is not None
        assert contrast(colour, theme.background) >= least, colour
    assert contrast(theme.variables["text-muted"], theme.background) >= 4.5
