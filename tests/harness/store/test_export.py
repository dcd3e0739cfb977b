"""Sessions leave whole, escaped and redacted, and come in from elsewhere."""

import contextlib
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as e
from rein_tui.harness.protocol.displays import CommandDisplay, DiffDisplay, Hunk
from rein_tui.harness.protocol.errors import StoreError
from rein_tui.harness.protocol.events import Fact
from rein_tui.harness.protocol.messages import ImageBlock, Message, TextBlock
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.store.bundle import make_bundle, read_bundle
from rein_tui.harness.store.claude_import import find_transcripts, read_transcript
from rein_tui.harness.store.export import export, to_html, to_markdown
from rein_tui.harness.store.redact import MARK, redact_text
from rein_tui.harness.store.store import Store
from rein_tui.harness.store.transcript import Transcript

from .stories import a_turn, facts, fill, user

INFO = SessionInfo(id="s", title="A <b>title</b>", cwd="/home/me/p", created=1000.0, turns=1)


class Tags(HTMLParser):
    """Collects tags and text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.seen = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.seen += data


ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h3", "p", "section", "pre", "details", "summary",
}  # fmt: skip


def test_html_escapes_everything() -> None:
    evil = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>"
    story = [*a_turn(1, evil, answer=evil, result=evil), e.Notice(text=evil, level="error")]
    page = Tags()
    text = to_html(INFO, story)
    page.feed(text)
    assert page.tags <= ALLOWED
    assert page.open == []
    assert page.seen.count(evil) == 4
    assert "default-src 'none'" in text


@settings(max_examples=40, deadline=None)
@given(st.lists(facts, max_size=15))
def test_any_story_is_a_sound_page(story: list[Fact]) -> None:
    page = Tags()
    page.feed(to_html(INFO, story))
    assert page.open == []
    assert page.tags <= ALLOWED
    for form in ("markdown", "jsonl", "transcript"):
        export(form, INFO, story)


def test_markdown_tells_calls_changes_and_failures() -> None:
    diff = DiffDisplay(
        path="/p/a",
        hunks=(Hunk(old_start=1, old_lines=1, new_start=1, new_lines=1, lines=("-a", "+b")),),
        added=1,
        removed=1,
    )
    story: list[Fact] = [
        *a_turn(1, "please", answer="sure", result="```\nfence\n````"),
        e.ToolCallRequested(call_id="c", name="Edit", summary="Edit /p/a"),
        e.ToolCallFinished(call_id="c", name="Edit", outcome="denied", content="no", display=diff, added=("because",)),
        e.Compacted(summary="short"),
        e.TurnInterrupted(),
    ]
    text = to_markdown(INFO, story)
    for part in (
        "# A <b>title</b>",
        "## Person\n\nplease",
        "sure",
        "### Edit /p/a (denied)",
        "-a\n+b",
        "because",
        "short",
    ):
        assert part in text
    assert "`````\n```\nfence\n````\n`````" in text


def test_facts_and_bundles_come_back(tmp_path: Path) -> None:
    story = a_turn(1, "hello")
    path = tmp_path / "facts.jsonl"
    path.write_bytes(export("jsonl", INFO, story))
    assert read_bundle(path) == story
    path.write_text("something else")
    with pytest.raises(StoreError):
        read_bundle(path)
    with pytest.raises(StoreError):
        read_bundle(tmp_path / "gone")


SECRETS = (
    "sk-ant-api03-abcdefghijklmnop1234",
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "ghp_abcdefghijklmnopqrstuvwxyz0123",
    "AKIAABCDEFGHIJKLMNOP",
    "password=correct-horse",
    'API_KEY: "abcdefghijk"',
    "https://me:secret@example.org/x",
    "Authorization: Bearer abcdefghijklmnop",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----",
    'DB_PASSWORD="abcdefgh secret@ correct-horse"',
    "curl -u me:correct-horse",
    "X-Api-Key: abcdefghijk",
    "sk_live_abcdefghijklmnop",
    "SG.abcdefghijklmnop.abcdefghijklmnop",
    "my own value",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_known_secrets_are_taken_out(secret: str) -> None:
    text = redact_text(f"before {secret} after", ["my own value"])
    assert MARK in text
    assert text.startswith("before ")
    assert text.endswith(" after")
    for word in ("abcdefgh", "correct-horse", "secret@", "MIIabc", "own value", "ABCDEFGH"):
        assert word not in text


@pytest.mark.parametrize(
    "text", ["the token count is 5", "def password(self):", "key = value", "sk-learn is a package"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact_text(text) == text


def test_a_bundle_holds_no_secret_and_replays(tmp_path: Path) -> None:
    image = Message(role="user", blocks=(ImageBlock(media_type="image/png", data="SECRETPIXELS"), TextBlock(text="x")))
    story = [*a_turn(1, f"use {SECRETS[0]} in /home/me/p", result=SECRETS[2]), e.PromptAdded(message=image, turn=2)]
    bundle = make_bundle(INFO, story, version="1.0", home="/home/me", secrets=["hunter2-hunter2"])
    path = tmp_path / "b.zip"
    bundle.write(path)
    again = read_bundle(path)
    assert [type(fact) for fact in again] == [type(fact) for fact in story]
    whole = b"".join(bundle.files.values())
    for secret in (b"abcdefgh", b"/home/me", b"SECRETPIXELS"):
        assert secret not in whole
    assert b"~/p" in whole
    assert bundle.redactions >= 3
    assert "facts.jsonl" in bundle.preview()
    assert "2 prompt added" in bundle.preview()
    assert '"rein-tui": "1.0"' in bundle.preview()
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(bundle.files["about.json"])["rein-tui"] == "1.0"


@settings(max_examples=30, deadline=None)
@given(st.lists(facts, min_size=1, max_size=10))
def test_any_story_can_be_bundled(story: list[Fact]) -> None:
    bundle = make_bundle(INFO, story, version="1", home="/nowhere")
    assert len(bundle.files["facts.jsonl"].splitlines()) == len(story)


# --- import -------------------------------------------------------------------------------------------------


def test_our_own_transcript_comes_back(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path / "projects" / "-p" / "s.jsonl", "s")
    story: list[Fact] = [
        e.SessionStarted(session_id="s", cwd="/p", branch="main"),
        *a_turn(1, "one"),
        *a_turn(2, "two", result="found it"),
        e.TitleChanged(title="Mine", by="person"),
    ]
    for fact in story:
        transcript.apply(fact)
    (path,) = find_transcripts(tmp_path / "projects")
    imported = read_transcript(path)
    assert imported.skipped == 0
    assert (imported.info.id, imported.info.title, imported.info.turns) == ("s", "Mine", 2)
    assert (imported.info.cwd, imported.info.branch, imported.info.state) == ("/p", "main", "done")
    kinds = (e.PromptAdded, e.MessageFinished, e.ToolCallFinished)
    mine = [fact for fact in story if isinstance(fact, kinds)]
    theirs = [fact for fact in imported.facts if isinstance(fact, kinds)]
    for one, other in zip(mine, theirs, strict=True):
        if isinstance(one, e.ToolCallFinished) and isinstance(other, e.ToolCallFinished):
            assert (one.content, one.response, one.name, one.turn) == (
                other.content,
                other.response,
                other.name,
                other.turn,
            )
        elif not isinstance(one, e.ToolCallFinished) and not isinstance(other, e.ToolCallFinished):
            assert (one.message.blocks, one.turn) == (other.message.blocks, other.turn)


def record(kind: str, uuid: str, parent: str | None, content: Any, **more: Any) -> str:
    message = {"role": kind, "content": content, "id": more.pop("id", uuid)}
    return json.dumps({"type": kind, "uuid": uuid, "parentUuid": parent, "message": message, "sessionId": "x"} | more)


def test_branches_side_chains_and_broken_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    lines = [
        '{"type":"summary","summary":"About tests","leafUuid":"4"}',
        record("user", "1", None, "first"),
        record("assistant", "2", "1", [{"type": "text", "text": "abandoned"}]),
        record(
            "assistant", "3", "1", [{"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}}], id="m"
        ),
        record("user", "side", "3", "inside", isSidechain=True),
        record(
            "user", "4", "3", [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "a"}]}]
        ),
        '{"type":"user","uuid":"torn',
        "[1]",
        json.dumps(
            {"type": "system", "uuid": "5", "parentUuid": None, "logicalParentUuid": "4", "subtype": "compact_boundary"}
        ),
        record("user", "6", "5", "so far …", isCompactSummary=True),
        record("user", "7", "6", "<x>", isMeta=True),
        record("user", "8", "7", "second", timestamp="2026-01-02T03:04:05.678Z"),
        record("assistant", "9", "8", "plain string", timestamp="garbage"),
    ]
    path.write_text("\n".join(lines))
    imported = read_transcript(path)
    assert imported.skipped == 2
    assert "2 lines of this recording could not be understood" in str(imported.facts[1])
    assert imported.info.title == "About tests"
    told = [type(fact).__name__ for fact in imported.facts]
    assert told == [
        "SessionStarted", "Notice", "TurnStarted", "PromptAdded", "MessageFinished", "ToolCallRequested",
        "ToolCallStarted", "ToolCallFinished", "Compacted", "PromptAdded", "TurnFinished", "TurnStarted", "PromptAdded",
        "MessageFinished", "TurnFinished", "TitleChanged",
    ]  # fmt: skip
    assert "abandoned" not in str(imported.facts)


def test_calls_made_at_once_fork_the_chain_and_are_all_told(tmp_path: Path) -> None:
    def use(uuid: str, parent: str) -> str:
        block = {"type": "tool_use", "id": f"t{uuid}", "name": "Bash", "input": {"command": uuid}}
        return record("assistant", uuid, parent, [block], id="m")

    def result(uuid: str, parent: str) -> str:
        block = {"type": "tool_result", "tool_use_id": f"t{parent}", "content": uuid}
        return record("user", uuid, parent, [block], toolUseResult={"stdout": f"out {uuid}"})

    lines = [
        record("user", "1", None, "go"),
        *(use("a", "1"), use("b", "a"), use("c", "b"), result("ra", "a"), result("rc", "c"), result("rb", "b")),
        record("assistant", "z", "rb", "done"),
    ]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(lines))
    facts = read_transcript(path).facts
    (message,) = [f.message for f in facts if isinstance(f, e.MessageFinished) and f.message.tool_uses]
    assert [call.id for call in message.tool_uses] == ["ta", "tb", "tc"]
    results = {f.call_id: f for f in facts if isinstance(f, e.ToolCallFinished)}
    assert {name: (f.content, f.outcome) for name, f in results.items()} == {
        "ta": ("ra", "ok"),
        "tb": ("rb", "ok"),
        "tc": ("rc", "ok"),
    }
    assert results["ta"].display == CommandDisplay(command="a", output="out ra", exit_code=0)


def test_what_people_typed_did_and_stopped(tmp_path: Path) -> None:
    command = (
        "<command-name>/model</command-name>\n<command-message>model</command-message><command-args>x</command-args>"
    )
    patch = {"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": ["-a", "+b", "\\ No newline"]}
    edit = {"type": "tool_use", "id": "e", "name": "Edit", "input": {"file_path": "/p/a"}}
    task = {"type": "tool_use", "id": "t", "name": "Task", "input": {"prompt": "look", "subagent_type": "Explore"}}
    open_call = {"type": "tool_use", "id": "o", "name": "Bash", "input": {"command": "sleep 9"}}
    inner = {"type": "tool_use", "id": "i", "name": "Grep", "input": {"pattern": "x"}}

    def answer(call: str, text: str) -> list[dict[str, str]]:
        return [{"type": "tool_result", "tool_use_id": call, "content": text}]

    side = {"isSidechain": True, "agentId": "a7"}
    lines = [
        record("user", "1", None, command),
        record("user", "2", "1", "<local-command-stdout>Set model</local-command-stdout>"),
        record("user", "3", "2", "change it"),
        record("assistant", "4", "3", [edit]),
        record("user", "5", "4", answer("e", "ok"), toolUseResult={"filePath": "/p/a", "structuredPatch": [patch]}),
        record("assistant", "6", "5", [task]),
        record("user", "s1", None, "look", **side),
        record("assistant", "s2", "s1", [inner], **side),
        record("user", "s3", "s2", answer("i", "found"), **side),
        record("user", "7", "6", answer("t", "all seen"), toolUseResult={"agentId": "a7"}),
        record("assistant", "8", "7", [open_call]),
        record("user", "9", "8", "[Request interrupted by user for tool use]"),
    ]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(lines))
    facts = read_transcript(path).facts
    assert [f.text for f in facts if isinstance(f, e.TurnStarted)] == ["/model x", "change it"]
    results = {f.call_id: f for f in facts if isinstance(f, e.ToolCallFinished)}
    diff = results["e"].display
    assert isinstance(diff, DiffDisplay)
    assert (diff.path, diff.added, diff.removed, diff.hunks[0].lines) == ("/p/a", 1, 1, ("-a", "+b"))
    inside = [type(f).__name__ for f in facts if f.parent == "t"]
    assert inside == [
        "AgentStarted",
        "MessageFinished",
        "ToolCallRequested",
        "ToolCallStarted",
        "ToolCallFinished",
        "AgentFinished",
    ]
    assert (results["i"].content, results["o"].outcome) == ("found", "interrupted")
    assert isinstance(facts[-1], e.TurnInterrupted)
    beside = tmp_path / "x" / "subagents" / "agent-a7.jsonl"
    beside.parent.mkdir(parents=True)
    beside.write_text("\n".join(line for line in lines if "isSidechain" in line))
    path.write_text("\n".join(line for line in lines if "isSidechain" not in line))
    assert read_transcript(path).facts == facts


def test_files_without_a_conversation(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"type":"summary","summary":"x"}\n')
    for missing in (path, tmp_path / "gone.jsonl"):
        with pytest.raises(StoreError):
            read_transcript(missing)
    assert find_transcripts(tmp_path / "nowhere") == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_record_breaks_the_reader(tmp_path: Path, data: st.DataObject) -> None:
    values = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.sampled_from(["user", "assistant", "1", "2", "text", "tool_use"]),
        lambda v: (
            st.lists(v, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "uuid", "parentUuid", "message", "content", "id", "usage"]), v)
        ),
        max_leaves=8,
    )
    keys = st.sampled_from(["type", "uuid", "parentUuid", "message", "timestamp", "sessionId", "isMeta", "cwd"])
    lines = data.draw(st.lists(st.dictionaries(keys, values, max_size=8), max_size=6))
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n{broken")
    with contextlib.suppress(StoreError):
        read_transcript(path)


def test_imported_sessions_are_listed_searched_and_unique(places: Places) -> None:
    store = Store.open(places)
    info = store.take_in(
        SessionInfo(id="old-one"), [*a_turn(1, "ancient words"), e.PromptAdded(message=user("x"), turn=1)]
    )
    assert (info.state, info.turns) == ("done", 1)
    assert [found.id for found in store.sessions(search="ancient")] == ["old-one"]
    with pytest.raises(StoreError, match="already"):
        store.take_in(SessionInfo(id="old-one"), [])
    fill(store, "x")
    store.close()
