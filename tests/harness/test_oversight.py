"""Rules for people: overview, checks without consequences, what a rule would change, adding and taking back."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import PermissionQuery, Rule, Source
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import (
    GrantAdded,
    GrantRevoked,
    PermissionDecided,
    ToolCallFinished,
    ToolCallRequested,
    TurnStarted,
)
from rein_tui.harness.protocol.policy import RuleWish
from rein_tui.harness.protocol.ports import Permissions
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.providers.scripted import ScriptedProvider
from rein_tui.harness.session import Session
from rein_tui.harness.store.store import Store
from rein_tui.harness.turn.oversight import sketch
from rein_tui.harness.wiring.build import LocalWorkbench
from rein_tui.harness.wiring.model_desk import ModelDesk
from rein_tui.harness.wiring.wishes import Wishes
from tests.fakes.engines import ScriptedPerson

TOUCH = {"command": "touch made.txt"}


@pytest.fixture
async def bench(places: Places, tmp_path: Path) -> AsyncGenerator[LocalWorkbench]:
    """A workbench over a trusted project, with a deny rule of the person's own."""
    root = tmp_path / "shop"
    root.mkdir()
    places.user_settings.parent.mkdir(parents=True)
    places.user_settings.write_text(json.dumps({"permissions": {"deny": ["Bash(rm *)"]}}, indent=1))
    wishes = Wishes(root=root, trust=True)
    choice = ModelChoice(kind="local", model="m", url="http://127.0.0.1:9/v1")
    store = Store.open(places)
    desk = ModelDesk(places, {}, [], store.protect, choice, provider=ScriptedProvider([]))
    made = LocalWorkbench(places, {}, wishes, ScriptedPerson(), store, desk)
    yield made
    await made.close()


async def opened(bench: LocalWorkbench) -> tuple[Session, Permissions]:
    session = await bench.open()
    assert isinstance(session, Session)
    assert session.permissions is not None
    return session, session.permissions


def query(tool: str = "Bash", **tool_input: str) -> PermissionQuery:
    return PermissionQuery(tool=tool, input=tool_input, cwd="")


async def test_a_check_decides_and_previews_and_changes_nothing(bench: LocalWorkbench):
    session, permissions = await opened(bench)
    check = await permissions.check(query("Write", file_path="new.txt", content="x\n"))
    assert check.decision is not None
    assert check.decision.outcome == "ask"
    assert check.input["file_path"] == str(bench.wishes.root / "new.txt")
    assert check.preview is not None
    assert (await permissions.check(query(command="rm x"))).decision.outcome == "deny"  # pyright: ignore[reportOptionalMemberAccess]
    assert (await permissions.check(query("Write"))).problem
    assert (await permissions.check(query("Nope"))).problem
    assert not (bench.wishes.root / "new.txt").exists()
    assert not session.history()


@pytest.mark.parametrize(
    ("text", "tool", "field", "value"),
    [
        ("Bash(npm test)", "Bash", "command", "npm test"),
        ("npm test -- -x", "Bash", "command", "npm test -- -x"),
        ("Bash(echo (a) | cat)", "Bash", "command", "echo (a) | cat"),
        ("Bash(npm te", "Bash", "command", "npm te"),
        ("Read(~/.ssh/config)", "Read", "file_path", "~/.ssh/config"),
        ('Edit {"file_path": "x"}', "Edit", "file_path", "x"),
        ("WebFetch(https://a.example)", "WebFetch", "url", "https://a.example"),
    ],
)
def test_calls_as_people_write_them(text: str, tool: str, field: str, value: str):
    found = sketch(text)
    assert found is not None
    assert (found.tool, found.input) == (tool, {field: value})


@pytest.mark.parametrize("text", ["", "   ", "Edit {not json}"])
def test_nothing_to_decide_about(text: str):
    assert sketch(text) is None


async def test_texts_are_checked_also_when_a_field_is_missing(bench: LocalWorkbench):
    _, permissions = await opened(bench)
    assert (await permissions.check_text("Edit(src/a.py)")).decision is not None
    assert (await permissions.check_text("mcp__gh__list")).decision is not None
    assert (await permissions.check_text("")).problem


async def test_a_rule_is_tried_on_a_call_and_on_earlier_ones(bench: LocalWorkbench):
    session, permissions = await opened(bench)
    decided = (await permissions.check(query(command="touch old.txt"))).decision
    assert decided is not None
    session.tell_aside(ToolCallRequested(call_id="c", name="Bash", input={"command": "touch old.txt"}, step=1))
    session.tell_aside(PermissionDecided(call_id="c", decision=decided))
    asked_about = await permissions.try_rules(RuleWish(rules=("Bash(touch *)",)), query(command="touch old.txt"))
    assert not asked_about.would_change
    session.tell_aside(ToolCallFinished(call_id="c", name="Bash", outcome="ok", content=""))
    check = await permissions.try_rules(RuleWish(rules=("Bash(touch *)",)), query(**TOUCH))
    assert check.decision is not None
    assert check.decision.outcome == "allow"
    assert [call.summary for call in check.would_change] == ["Bash touch old.txt"]
    narrow = await permissions.try_rules(RuleWish(rules=("Bash(ls *)",)), query(**TOUCH))
    assert narrow.decision is not None
    assert narrow.decision.outcome == "ask"
    assert not narrow.would_change
    await permissions.add("Bash(touch old.txt)", "allow", "session")
    late = await permissions.try_rules(RuleWish(rules=("Bash(touch *)",)))
    assert not late.would_change, "another rule has come to decide that call"
    assert (await permissions.try_rules(RuleWish(rules=("Bash touch",)))).problem
    assert (await permissions.try_rules(RuleWish(rules=("Bash(node *)",)))).findings[0].fault == "broad"
    assert decided.outcome == "ask"


async def test_added_and_taken_back_in_session_and_file(bench: LocalWorkbench, places: Places):
    session, permissions = await opened(bench)
    for scope in ("session", "user", "project", "local"):
        rule = await permissions.add("Bash(touch *)", "allow", scope)
        assert (await permissions.check(query(**TOUCH))).decision.outcome == "allow"  # pyright: ignore[reportOptionalMemberAccess]
        overview = await permissions.overview()
        assert [past.is_held for past in overview.grants][-1]
        assert rule in overview.rules or any(r.text == rule.text for r in overview.rules)
        assert await permissions.revoke(rule)
        assert (await permissions.check(query(**TOUCH))).decision.outcome == "ask"  # pyright: ignore[reportOptionalMemberAccess]
        assert not await permissions.revoke(rule)
    kinds = [type(fact) for fact in session.history()]
    assert kinds.count(GrantAdded) == kinds.count(GrantRevoked) == 4
    assert json.loads(places.user_settings.read_text())["permissions"]["deny"] == ["Bash(rm *)"]


async def test_a_rule_of_a_file_is_taken_out_and_holds_no_more(bench: LocalWorkbench, places: Places):
    _, permissions = await opened(bench)
    (rule,) = (await permissions.overview()).rules
    assert str(rule.source).endswith("settings.json:4")
    assert await permissions.revoke(rule)
    assert not (await permissions.overview()).rules
    assert (await permissions.check(query(command="rm x"))).decision.outcome != "deny"  # pyright: ignore[reportOptionalMemberAccess]


async def test_what_is_not_ours_to_change_says_who_can(bench: LocalWorkbench):
    _, permissions = await opened(bench)
    rule = Rule(text="Bash", behavior="deny", source=Source(layer="managed", path="/etc/x.json", line=2))
    with pytest.raises(ConfigError) as caught:
        await permissions.revoke(rule)
    assert "administrator" in caught.value.hint.lower()


async def test_earlier_sessions_are_audited(bench: LocalWorkbench):
    first, permissions = await opened(bench)
    first.tell_aside(TurnStarted(text="make a file"))
    await permissions.add("Bash(touch *)", "allow", "user")
    allowed = (await permissions.check(query(**TOUCH))).decision
    assert allowed is not None
    for call in ("c1", "c2"):
        first.tell_aside(PermissionDecided(call_id=call, decision=allowed))
        first.tell_aside(PermissionDecided(call_id=call, decision=allowed))
    await first.close()
    _, later = await opened(bench)
    (past,) = (await later.overview()).grants
    assert past.session_id == first.info.id
    assert past.is_held
    assert past.grant.matched == 2


async def test_the_overview_knows_files_that_changed_meanwhile(bench: LocalWorkbench, places: Places):
    _, permissions = await opened(bench)
    places.user_settings.write_text(json.dumps({"permissions": {"deny": ["Bash(zap *)"]}}))
    assert [rule.text for rule in (await permissions.overview()).rules] == ["Bash(zap *)"]
