"""The codec, the story with its numbers, and masking, under random input."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.events import (
    DELTAS,
    Event,
    MessageFinished,
    TextDelta,
    ToolCallFinished,
    ToolOutputDelta,
    TurnFinished,
    TurnStarted,
)
from rein_tui.harness.protocol.messages import Message, TextBlock
from rein_tui.harness.store.redact import MARK
from rein_tui.remote.masking import masked
from rein_tui.remote.story import MOST_OPEN_TEXT, Story
from rein_tui.remote.wire import Call, Envelope, Told, WireError, decode_client, decode_server, encode
from rein_tui.remote.wire.requests import Open, Steer

EVENTS = st.one_of(
    st.text(max_size=5).map(lambda text: TextDelta(text=text)),
    st.text(max_size=5).map(lambda text: ToolOutputDelta(call_id="c", text=text)),
    st.text(max_size=5).map(lambda text: TurnStarted(text=text)),
    st.text(max_size=5).map(
        lambda text: MessageFinished(
            step=1, message=Message(role="assistant", blocks=(TextBlock(text=text),)), stop_reason="end_turn"
        )
    ),
    st.just(ToolCallFinished(call_id="c", name="Read", outcome="ok")),
    st.just(TurnFinished()),
)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    for decode in (decode_client, decode_server):
        try:
            decode(data)
        except WireError as error:
            assert str(error)


@given(st.lists(EVENTS, max_size=8), st.text(max_size=10))
def test_what_is_sent_arrives(events: list[Event], text: str) -> None:
    frame = Told(session=text, events=tuple(Envelope(seq=n, event=e) for n, e in enumerate(events, 1)))
    if text.isprintable():
        assert decode_server(encode(frame)) == frame
        call = Call(id=1, request=Steer(session=text, text=text))
        assert decode_client(encode(call)) == call
    assert decode_client(encode(Call(id=2, request=Open()))) == Call(id=2, request=Open())


@given(st.lists(st.tuples(EVENTS, st.booleans()), max_size=60), st.integers(1, 5))
def test_whoever_follows_at_any_pace_gets_every_fact_once(told: Sequence[tuple[Event, bool]], limit: int) -> None:
    story, place = Story(), 0
    got: list[Event] = []
    for event, reads in told:
        story.tell(event)
        if reads:
            for envelope in story.after(place, limit):
                assert envelope.seq > place
                place = envelope.seq
                got.append(envelope.event)
    while part := story.after(place, limit):
        place = part[-1].seq
        got += [envelope.event for envelope in part]
    facts = [event for event, _ in told if not isinstance(event, DELTAS)]
    assert [event for event in got if not isinstance(event, DELTAS)] == facts
    assert story.facts() == facts


def test_text_that_is_read_at_once_is_whole_and_old_deltas_go() -> None:
    story = Story()
    for number in range(1000):
        story.tell(TextDelta(text=f"{number} "))
    first = story.after(0)[0]
    assert isinstance(first.event, TextDelta)
    assert first.event.text.startswith("0 1 2 ")
    big = "x" * (MOST_OPEN_TEXT // 4)
    for _ in range(40):
        story.tell(ToolOutputDelta(call_id="c", text=big))
    assert len(encode(story.after(0))) < 3 * MOST_OPEN_TEXT
    story.tell(TurnFinished())
    assert [type(e.event) for e in story.after(0)] == [TurnFinished]


def test_secrets_are_masked() -> None:
    shown = masked(
        {
            "model": "sonnet",
            "env": {"HARMLESS": "x"},
            "apiKeyHelper": "cat key",
            "hooks": {"Stop": [{"hooks": [{"type": "http", "headers": {"Authorization": "Bearer abc"}}]}]},
            "mcpServers": {"s": {"args": ["--token=abcdefghijkl"], "authToken": "t"}},
            "note": "sk-ant-abcdefghijklmnopqrstuvwx",
        }
    )
    assert shown["model"] == "sonnet"
    assert shown["env"] == {"HARMLESS": MARK}
    text = str(shown)
    assert all(secret not in text for secret in ("cat key", "Bearer abc", "abcdefghijkl", "'t'"))


@pytest.mark.parametrize(
    "settings",
    [
        {"mcpServers": {"s": {"args": ["--token", "hush"]}}},
        {"mcpServers": {"s": {"args": ["--api-key=hush", "--port", "80"]}}},
        {"mcpServers": {"s": {"args": ["-e", "GITHUB_TOKEN=hush"]}}},
        {"mcpServers": {"s": {"args": ["--header", "Authorization: Bearer hush"]}}},
        {"mcpServers": {"s": {"url": "https://user:hush@host/?token=hush123&a=1"}}},
        {"hooks": {"Stop": [{"hooks": [{"command": "curl -H 'Authorization: Bearer hush' https://x/"}]}]}},
        {"hooks": {"Stop": [{"hooks": [{"command": "API_KEY=hush run --password hush"}]}]}},
        {"otelHeadersHelper": "/bin/print hush"},
    ],
)
def test_secrets_in_command_lines_are_masked(settings: JsonObject) -> None:
    assert "hush" not in str(masked(settings))


def test_what_is_no_secret_stays() -> None:
    settings: JsonObject = {
        "permissions": {"allow": ["Bash(npm test)", "Read(src/**)"]},
        "hooks": {"Stop": [{"hooks": [{"command": "lint --fix  'a b' && echo done"}]}]},
        "mcpServers": {"s": {"command": "npx", "args": ["-y", "server", "--port", "80"]}},
    }
    assert masked(settings) == settings
