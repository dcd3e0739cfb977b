"""A session that comes back onto the screen in the middle of a message shows what it would have shown all along."""

from collections.abc import Callable, Sequence

import pytest

from rein_tui.harness.protocol.events import DELTAS, Event, RequestRetried, TextDelta, ToolOutputDelta, TurnInterrupted
from rein_tui.unsettled import Unsettled
from rein_tui.widgets.chat_blocks import Look
from rein_tui.widgets.chat_fold import ChatFold
from tests import stories
from tests.stories import Beat, Hold

STORIES = (stories.fix, stories.streaming, stories.greeting)


def drawn(events: Sequence[Event]) -> list[tuple[str, str]]:
    fold = ChatFold(Look())
    for event in events:
        fold.apply(event)
    return [(block.kind, block.source) for block in fold.walk()]


@pytest.mark.parametrize("story", STORIES)
def test_facts_and_what_is_unsettled_show_the_same_at_any_cut(story: Callable[[], list[Beat]]) -> None:
    events = [beat for beat in story() if not isinstance(beat, Hold)]
    unsettled = Unsettled()
    for number, event in enumerate(events, 1):
        unsettled.note(event)
        facts = [each for each in events[:number] if not isinstance(each, DELTAS)]
        assert drawn([*facts, *unsettled.deltas()]) == drawn(events[:number])
    assert unsettled.deltas() == []


def test_what_is_void_or_over_is_forgotten_and_a_long_output_keeps_its_end() -> None:
    unsettled = Unsettled()
    unsettled.note(TextDelta(text="half a"))
    unsettled.note(TextDelta(text=" word"))
    assert unsettled.deltas() == [TextDelta(text="half a word")]
    unsettled.note(RequestRetried(attempt=1, delay=0.1, reason="cut"))
    assert unsettled.deltas() == []
    for number in range(1000):
        unsettled.note(ToolOutputDelta(call_id="c", text=f"{number},"))
    (output,) = unsettled.deltas()
    assert isinstance(output, ToolOutputDelta)
    assert output.text.endswith("998,999,")
    assert len(output.text) < 1000
    unsettled.note(TurnInterrupted())
    assert unsettled.deltas() == []
