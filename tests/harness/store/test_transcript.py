"""The transcript is what the ecosystem's hooks expect, and the same live or later."""

import json
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as e
from rein_tui.harness.protocol.events import Fact
from rein_tui.harness.protocol.messages import Message, TextBlock, ThinkingBlock
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.store.records import TranscriptFold
from rein_tui.harness.store.store import Store
from rein_tui.harness.store.transcript import Transcript, transcript_path

from .stories import a_turn, facts, user

START = e.SessionStarted(session_id="s", cwd="/p", branch="main")


def records(story: list[Fact], agent: str = "") -> list[dict[str, Any]]:
    fold = TranscriptFold("s", "1.0")
    return [line.record for fact in story for line in fold.apply(fact) if line.agent_id == agent]


def test_one_block_a_record_and_one_chain() -> None:
    lines = records([START, *a_turn(1, "hi", answer="hello")])
    assert [line["type"] for line in lines] == ["user", "assistant", "assistant", "user"]
    assert lines[0]["message"] == {"role": "user", "content": "hi"}
    assert lines[0]["parentUuid"] is None
    assert [line["parentUuid"] for line in lines[1:]] == [line["uuid"] for line in lines[:-1]]
    text, use = lines[1]["message"], lines[2]["message"]
    assert text["id"] == use["id"] == "msg_1"
    assert (text["content"], use["content"]) == (
        [{"type": "text", "text": "hello"}],
        [{"type": "tool_use", "id": "call_1", "name": "Bash", "input": {"command": "ls"}}],
    )
    assert text["usage"]["output_tokens"] == 5
    result = lines[3]
    assert result["message"]["content"] == [{"tool_use_id": "call_1", "type": "tool_result", "content": "ok"}]
    assert result["toolUseResult"] == {"stdout": "ok"}
    assert result["sourceToolAssistantUUID"] == lines[2]["uuid"]
    common = {"sessionId": "s", "cwd": "/p", "gitBranch": "main", "version": "1.0", "userType": "external"}
    assert all(line.items() >= common.items() for line in lines)
    assert lines[0]["timestamp"] == "1970-01-01T00:16:41.000Z"
    assert not lines[0]["isSidechain"]


def test_errors_hook_context_and_steering() -> None:
    lines = records(
        [
            e.PromptAdded(message=user("ctx"), origin="hook"),
            e.PromptAdded(message=user("more"), origin="steer"),
            e.ToolCallFinished(call_id="c", name="X", outcome="error", content="no", added=("hint",)),
        ]
    )
    assert lines[0]["isMeta"] is True
    assert "isMeta" not in lines[1]
    assert lines[2]["message"]["content"][0] == {
        "tool_use_id": "c",
        "type": "tool_result",
        "content": "no\n\nhint",
        "is_error": True,
    }
    assert lines[2]["toolUseResult"] == "Error: no"


def test_compaction_begins_a_new_chain() -> None:
    kept = (user("last"), Message(role="assistant", blocks=(TextBlock(text="yes"), ThinkingBlock(thinking="hm"))))
    story: list[Fact] = [*a_turn(1, "hi"), e.Compacted(summary="so far", trigger="auto", tokens_before=99, kept=kept)]
    lines = records(story)
    before, boundary, summary, *rest = lines[3:]
    assert (boundary["subtype"], boundary["parentUuid"]) == ("compact_boundary", None)
    assert boundary["logicalParentUuid"] == before["uuid"]
    assert boundary["compactMetadata"] == {"trigger": "auto", "preTokens": 99}
    assert summary["isCompactSummary"] is True
    assert summary["message"]["content"] == "so far"
    assert [line["type"] for line in rest] == ["user", "assistant", "assistant"]


def test_a_rewind_goes_on_from_the_turn_it_went_back_to() -> None:
    lines = records([*a_turn(1, "a"), *a_turn(2, "b"), e.Rewound(to_turn=1), *a_turn(3, "c")])
    assert lines[8]["message"]["content"] == "c"
    assert lines[8]["parentUuid"] == lines[3]["uuid"]
    lines = records([*a_turn(1, "a"), e.Rewound(to_turn=0), *a_turn(2, "b")])
    assert lines[4]["parentUuid"] is None


def test_subagents_have_their_own_file(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path / "s.jsonl", "s")
    story: list[Fact] = [
        e.AgentStarted(agent_id="a1", agent_type="Explore", prompt="look", parent="call_9"),
        e.PromptAdded(message=user("look"), parent="call_9"),
        e.PromptAdded(message=user("mine")),
    ]
    for fact in story:
        transcript.apply(fact)
    (line,) = [json.loads(x) for x in transcript.agent_path("a1").read_text().splitlines()]
    assert (line["isSidechain"], line["agentId"], line["message"]["content"]) == (True, "a1", "look")
    assert len(transcript.path.read_text().splitlines()) == 1
    assert transcript.agent_path("../../x").parent == transcript.agent_path("a1").parent
    transcript.remove()
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_titles() -> None:
    lines = records([e.TitleChanged(title="A", by="model"), e.TitleChanged(title="B", by="person")])
    assert lines == [
        {"type": "ai-title", "aiTitle": "A", "sessionId": "s"},
        {"type": "custom-title", "customTitle": "B", "sessionId": "s"},
    ]


def test_paths() -> None:
    assert transcript_path(Path("/d"), "/home/me/my.app", "id") == Path("/d/-home-me-my-app/id.jsonl")
    long = transcript_path(Path("/d"), "/x" * 200, "id").parent.name
    assert len(long) == 213
    assert long[:201] == "-x" * 100 + "-"


@pytest.mark.skipif(shutil.which("jq") is None or shutil.which("grep") is None, reason="jq is not installed")
def test_a_stop_hook_of_the_wild_can_read_it(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path / "t.jsonl", "s")
    for fact in [START, *a_turn(1, "hi", answer="first"), *a_turn(2, "again", answer="second\nline")]:
        transcript.apply(fact)
    command = (
        f'grep \'"role":"assistant"\' {transcript.path} | tail -n 2 | head -n 1 '
        '| jq -r \'.message.content | map(select(.type == "text")) | map(.text) | join("\\n")\''
    )
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "second\nline\n"


def test_resuming_goes_on_where_the_facts_end(places: Places) -> None:
    store = Store.open(places, secrets=["hunter2-hunter2"])
    journal = store.create(SessionInfo(id="", cwd="/p"))
    session = journal.session_id
    live = store.transcript(session, "/p")
    story: list[Fact] = [START, *a_turn(1, "my key is hunter2-hunter2")]
    for fact in story:
        live.apply(fact)
        journal.append(fact)
    whole = live.path.read_bytes()
    assert b"hunter2" not in whole
    assert stat.S_IMODE(live.path.stat().st_mode) == 0o600
    for damage in (whole, whole[:-10], b"", None):
        if damage is None:
            live.path.unlink()
        else:
            live.path.write_bytes(damage)
        again = store.transcript(session, "/p")
        again.apply(e.StepFinished(step=1))
        assert live.path.read_bytes() == whole
        again.apply(e.PromptAdded(message=user("next")))
        lines = [json.loads(line) for line in live.path.read_text().splitlines()]
        assert lines[-1]["parentUuid"] == lines[-2]["uuid"]
    store.close()
    store.delete(session)
    store.purge(before=9e12)
    assert not live.path.exists()
    store.close()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "projects").write_text("in the way")
    transcript = Transcript(tmp_path / "projects" / "p" / "s.jsonl", "s")
    transcript.apply(e.PromptAdded(message=user("x")))
    assert "cannot be written" in transcript.problem


@settings(max_examples=60, deadline=None)
@given(st.lists(facts, max_size=25))
def test_any_story_makes_a_valid_chain(story: list[Fact]) -> None:
    fold, again = TranscriptFold("s"), TranscriptFold("s")
    lines = [line for fact in story for line in fold.apply(fact)]
    assert lines == [line for fact in story for line in again.apply(fact)]
    seen: set[str] = set()
    for record in (line.record for line in lines if "uuid" in line.record):
        assert record["uuid"] not in seen
        assert record["parentUuid"] is None or record["parentUuid"] in seen
        seen.add(record["uuid"])
