"""The small parts: forms, results, logs, floods, silence, and the SDK that is not there."""

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.types import AudioContent, BlobResourceContents, EmbeddedResource, ImageContent, ResourceLink, TextContent

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.mcp.config import Entry, read_entry
from rein_tui.harness.plugins.mcp.connection import Connection
from rein_tui.harness.plugins.mcp.dial import Dial
from rein_tui.harness.plugins.mcp.failures import McpFailure
from rein_tui.harness.plugins.mcp.flood import BURST, Flood
from rein_tui.harness.plugins.mcp.form import TRIES, fields_of, put
from rein_tui.harness.plugins.mcp.host import Desk, Host
from rein_tui.harness.plugins.mcp.log import RING, ServerLog
from rein_tui.harness.plugins.mcp.reach import Reach
from rein_tui.harness.plugins.mcp.results import Keeping, blocks_of
from rein_tui.harness.protocol.decisions import Question, QuestionReply, Source
from rein_tui.harness.protocol.messages import ImageBlock, TextBlock

from .house import Person, nasty

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "mail": {"type": "string", "format": "email", "title": "E-mail"},
        "sure": {"type": "boolean", "default": True},
        "size": {"type": "string", "enum": ["s", "l"], "enumNames": ["small", "large"]},
        "likes": {"type": "array", "items": {"anyOf": [{"const": "t", "title": "tea"}, {"const": "c"}]}},
    },
    "required": ["name", "age"],
}


class Respondent:
    """Answers by the field's header, round after round."""

    def __init__(self, *rounds: dict[str, str]) -> None:
        self._rounds = list(rounds)
        self.asked: list[list[str]] = []

    async def ask(self, questions: tuple[Question, ...]) -> QuestionReply:
        """The answers of this round; a round that is not there is a refusal."""
        self.asked.append([question.question for question in questions])
        if not self._rounds:
            return QuestionReply(cancelled=True)
        said = self._rounds.pop(0)
        return QuestionReply(answers={q.question: said.get(q.header, q.given) for q in questions})


async def test_a_form_and_its_answers() -> None:
    person = Respondent(
        {"name": "Ada", "age": "36", "mail": "ada@x.org", "sure": "No", "size": "large", "likes": "tea, c"}
    )
    content = {"name": "Ada", "age": 36, "mail": "ada@x.org", "sure": False, "size": "l", "likes": ["t", "c"]}
    assert await put(fields_of(SCHEMA), person.ask, "Who?") == ("accept", content)


async def test_bad_answers_are_asked_again() -> None:
    person = Respondent(
        {"name": "A", "age": "old", "mail": "x", "size": "xl"},
        {"name": "Ada", "age": "200", "mail": "", "size": "(leave it empty)"},
        {"age": "36"},
    )
    content = {"name": "Ada", "age": 36, "sure": True}
    assert await put(fields_of(SCHEMA), person.ask, "Who?") == ("accept", content)
    assert [len(round_) for round_ in person.asked] == [6, 4, 1]
    assert "This must be a whole number." in " ".join(person.asked[1])
    assert await put(fields_of(SCHEMA), Respondent(*[{"age": "x"}] * TRIES).ask, "Who?") == ("cancel", {})
    assert await put(fields_of(SCHEMA), Respondent().ask, "Who?") == ("cancel", {})


async def test_a_form_without_fields_is_a_yes_or_no() -> None:
    assert await put(fields_of({}), Respondent({"Confirm": "Accept"}).ask, "Go on?") == ("accept", {})
    assert await put(fields_of({}), Respondent({"Confirm": "Decline"}).ask, "Go on?") == ("decline", {})
    assert await put(fields_of({}), Respondent().ask, "Go on?") == ("cancel", {})


ODD = {
    "properties": {
        "a": {"type": "string", "title": "Value"},
        "b": {"type": "string", "title": "Value", "default": "was here"},
        "when": {"type": "string", "format": "date"},
        "where": {"type": "string", "format": "uri"},
        "at": {"type": "string", "format": "date-time"},
        "level": {"type": "integer", "enum": [1, 2], "enumNames": ["One", "Two"]},
        "towns": {
            "type": "array",
            "minItems": 2,
            "items": {"anyOf": [{"const": "p", "title": "Paris, Texas"}, {"const": "r", "title": "Rome"}]},
            "default": ["p"],
        },
    },
    "required": ["a", "b", "towns"],
}


async def test_odd_fields_of_a_form() -> None:
    questions = {question.header: question for question in (field.question() for field in fields_of(ODD))}
    assert (questions["b"].given, questions["b"].optional, questions["when"].optional) == ("was here", False, True)
    assert [option.label for option in questions["level"].options] == ["One", "Two", "(leave it empty)"]
    assert questions["towns"].given == "Paris, Texas"
    person = Respondent(
        {"a": "x", "b": "y", "when": "31.12.", "where": "here", "at": "noon", "level": "Two", "towns": "Rome"},
        {"when": "2026-02-28", "where": "https://x.org", "at": "2026-02-28T12:00Z", "towns": "Paris, Texas, Rome"},
    )
    values = {"when": "2026-02-28", "where": "https://x.org", "at": "2026-02-28T12:00Z", "towns": ["p", "r"]}
    assert await put(fields_of(ODD), person.ask, "?") == ("accept", {"a": "x", "b": "y", "level": 2, **values})
    assert len(set(person.asked[0])) == 7, "two fields of one title are two questions"
    assert len(person.asked[1]) == 4


async def test_what_is_emptied_is_empty_and_what_nobody_was_asked_has_its_default() -> None:
    async def person(questions: tuple[Question, ...]) -> QuestionReply:
        return QuestionReply(answers={question.question: "" for question in questions if question.header == "a"})

    schema = {"properties": {"a": {"type": "string", "default": "x"}, "yes": {"type": "boolean", "default": True}}}
    assert await put(fields_of(schema), person, "?") == ("accept", {"yes": True})


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)
    )
)
def test_any_schema_is_some_form(schema: Any) -> None:
    for field in fields_of({"properties": schema}):
        assert field.question().question


PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).decode()


async def test_content_of_every_kind(tmp_path: Path) -> None:
    content: Sequence[Any] = [
        TextContent(type="text", text="one"),
        ResourceLink(type="resource_link", name="r", uri="x://r"),
        ImageContent(type="image", data=PIXEL, mime_type="image/jpeg"),
        ImageContent(type="image", data="no base64!", mime_type="image/png"),
        AudioContent(type="audio", data=base64.b64encode(b"sound").decode(), mime_type="audio/wav"),
        EmbeddedResource(type="resource", resource=BlobResourceContents(uri="x://b", blob=PIXEL)),
    ]
    first, image, notes, blob = await blocks_of(content, Keeping(tmp_path), "t", 10_000)
    assert first == TextBlock(text="one\n[resource r at x://r]")
    assert isinstance(image, ImageBlock) and image.media_type == "image/png"
    assert isinstance(notes, TextBlock) and "no base64" in notes.text
    assert isinstance(blob, ImageBlock) and blob.name == "x://b"
    kept = list(tmp_path.iterdir())
    assert [file.read_bytes() for file in kept] == [b"sound"]
    assert kept[0].name == "t-1.wav" and str(kept[0]) in notes.text


@given(st.lists(st.text(max_size=4000), max_size=60))
def test_the_log_is_a_bounded_tail(pieces: list[str]) -> None:
    log = ServerLog()
    for piece in pieces:
        log.feed(piece)
        log.add("mark")
    assert len(log.text) <= RING + 3000
    assert not pieces or "mark" in log.text


def test_answers_pass_a_flood() -> None:
    flood = Flood()
    admitted = [flood.admit(True) for _ in range(int(BURST) * 3)]
    assert admitted.count(None) < BURST * 2
    assert flood.admit(False) is None


async def test_silence_ends_a_call(places: Places, tmp_path: Path) -> None:
    config, _ = read_entry(Entry("s", nasty("good"), "user", Source(layer="user")), os.environ)
    assert config is not None
    host = Host(Person(), lambda: [tmp_path])
    reached = Reach(places, str(tmp_path), "id", os.environ, {}).dial(config)
    ready = asyncio.Event()

    async def changed(connection: Connection) -> None:
        if connection.is_connected:
            ready.set()

    connection = Connection(config, Dial(reached.transport, idle_timeout=0.2), Desk("s", host), changed)
    connection.start()
    await ready.wait()
    with pytest.raises(McpFailure, match="nothing was heard"):
        await connection.call("hang", {})
    assert connection.is_connected
    await connection.stop()
    with pytest.raises(McpFailure, match="not connected"):
        await connection.call("echo", {})


def test_without_the_sdk_the_way_to_it_is_told() -> None:
    code = (
        "import asyncio, sys; sys.modules['mcp'] = None\n"
        "from rein_tui.harness.plugins.mcp.failures import load_sdk\n"
        "from rein_tui.harness.protocol.errors import StartError\n"
        "try: asyncio.run(load_sdk())\n"
        "except StartError as problem: print(problem)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'rein-tui[mcp]'" in done.stdout


def test_nothing_of_the_sdk_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, rein_tui.harness.wiring.assembly\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('mcp', 'anyio')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
