"""How much the model thinks: from settings and the person to the request, and shown as it was sent."""

from contextlib import aclosing
from pathlib import Path

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.workbench import Thinks
from rein_tui.harness.providers.scripted import ScriptedProvider, Step
from rein_tui.harness.settings.load import load_settings
from rein_tui.harness.wiring.switches import effort_of, thinks
from tests.fakes.engines import rig


@pytest.mark.parametrize(
    ("settings", "environment", "expected"),
    [
        ("{}", {}, (True, "")),
        ('{"alwaysThinkingEnabled": false, "effortLevel": "high"}', {}, (False, "high")),
        ("{}", {"MAX_THINKING_TOKENS": "0"}, (False, "")),
        ('{"env": {"MAX_THINKING_TOKENS": "0"}, "effortLevel": "heroic"}', {}, (False, "")),
    ],
)
def test_settings_say_how_much_is_thought(
    places: Places, tmp_path: Path, settings: str, environment: dict[str, str], expected: tuple[bool, str]
) -> None:
    read = load_settings(places, tmp_path, extra=settings, trusted=True)
    assert (thinks(read, environment), effort_of(read)) == expected


async def test_a_person_changes_it_and_the_request_is_shown_as_it_was_sent() -> None:
    provider = ScriptedProvider([Step(text="a"), Step(text="b")])
    session = rig(provider).session
    assert isinstance(session, Thinks)
    for effort in ("", "high"):
        session.set_thinking(effort=effort, thinking=bool(effort))
        async with aclosing(session.run(Prompt(text="go"))) as events:
            _ = [event async for event in events]
    assert [(sent.effort, sent.thinking) for sent in provider.requests] == [("", False), ("high", True)]
    assert session.request_of(2, 1) == provider.wire(provider.requests[1])
