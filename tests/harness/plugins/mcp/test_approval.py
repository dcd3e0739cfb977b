"""Which servers may run: approval by digest, the settings' lists, the administrator's lists."""

import json
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.mcp.approval import Approvals, forbidden
from rein_tui.harness.plugins.mcp.config import Entry, ServerConfig, read_entry
from rein_tui.harness.protocol.decisions import Layer, QuestionReply, QuestionRequest, Source
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.settings.layers import Settings, SettingsLayer

from .house import nasty, open_house


def config(value: Any = None, name: str = "s", scope: Any = "project") -> ServerConfig:
    found, _ = read_entry(Entry(name, value or {"command": "npx", "args": ["a"]}, scope, Source(layer="project")), {})
    assert found is not None
    return found


def settings(trusted: bool = True, **layers: dict[str, Any]) -> Settings:
    names: dict[str, Layer] = {"managed": "managed", "user": "user", "project": "project"}
    made = tuple(SettingsLayer(names[name], name, data, "/") for name, data in layers.items())
    return Settings(layers=made, trusted=trusted)


def state(places: Places, root: Path, found: ServerConfig, using: Settings, interactive: bool = True) -> str:
    return Approvals(places, root, using, interactive).judge(found).state


def test_an_approval_lasts_until_the_server_changes(places: Places, tmp_path: Path) -> None:
    trusted = settings()
    assert state(places, tmp_path, config(), trusted) == "unapproved"
    Approvals(places, tmp_path, trusted).approve(config())
    assert state(places, tmp_path, config(), trusted) == ""
    assert state(places, tmp_path, config({"command": "npx", "args": ["b"]}), trusted) == "unapproved"
    assert state(places, tmp_path / "elsewhere", config(), trusted) == "unapproved"
    assert (places.data / "mcp.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"command": "npx", "args": ["b", "c d"]}, "arguments: `a` → `b 'c d'`"),
        ({"command": "sh", "args": ["a"]}, "command: `npx` → `sh`"),
        ({"command": "npx", "args": ["a"], "env": {"NODE_OPTIONS": "-r evil"}}, "variables: NODE_OPTIONS"),
        ({"type": "http", "url": "https://x.org"}, "command: `npx` → not there"),
        ({"type": "http", "url": "https://x.org", "headers": {"A": "b"}}, "headers: not there → `A`"),
    ],
)
def test_what_changed_is_said(places: Places, tmp_path: Path, now: Any, told: str) -> None:
    Approvals(places, tmp_path, settings()).approve(config())
    verdict = Approvals(places, tmp_path, settings()).judge(config(now))
    assert verdict.state == "unapproved" and told in verdict.reason
    kept = (places.data / "mcp.json").read_text()
    assert "evil" not in kept


def test_a_no_holds_for_all_that_it_becomes(places: Places, tmp_path: Path) -> None:
    approvals = Approvals(places, tmp_path, settings())
    approvals.deny(config())
    assert state(places, tmp_path, config({"command": "other"}), settings()) == "denied"
    approvals.forget()
    assert state(places, tmp_path, config(), settings()) == "unapproved"


def test_trust_comes_first(places: Places, tmp_path: Path) -> None:
    everything = settings(trusted=False, user={"enableAllProjectMcpServers": True})
    assert state(places, tmp_path, config(), everything) == "unapproved"
    assert state(places, tmp_path, config(), everything, interactive=False) == "unapproved"
    with pytest.raises(ConfigError, match="not trusted"):
        Approvals(places, tmp_path, everything).approve(config())
    assert state(places, tmp_path, config(scope="user"), everything) == ""


@pytest.mark.parametrize("said", [{"enabledMcpjsonServers": ["s"]}, {"enableAllProjectMcpServers": True}])
def test_approvals_of_the_ecosystem_count_for_what_was_there(places: Places, tmp_path: Path, said: Any) -> None:
    approving = settings(user=said)
    assert state(places, tmp_path, config(), approving) == ""
    assert state(places, tmp_path, config({"command": "swapped"}), approving) == "unapproved"
    assert state(places, tmp_path, config(), settings(user=said, project={"disabledMcpjsonServers": ["s"]})) == "denied"


def test_nobody_there_connects_trusted_servers_that_did_not_change(places: Places, tmp_path: Path) -> None:
    assert state(places, tmp_path, config(), settings(), interactive=False) == ""
    Approvals(places, tmp_path, settings()).approve(config())
    assert state(places, tmp_path, config({"command": "swapped"}), settings(), interactive=False) == "unapproved"


def test_switched_off(places: Places, tmp_path: Path) -> None:
    mine = config(scope="user")
    places.global_state.write_text(json.dumps({"projects": {str(tmp_path): {"disabledMcpServers": ["s"]}}}))
    assert state(places, tmp_path, mine, settings()) == "disabled"
    Approvals(places, tmp_path, settings()).switch("s", on=True)
    assert state(places, tmp_path, mine, settings()) == ""
    Approvals(places, tmp_path, settings()).switch("s", on=False)
    assert state(places, tmp_path, mine, settings()) == "disabled"


def test_a_broken_file_of_ours_approves_nothing(places: Places, tmp_path: Path) -> None:
    Approvals(places, tmp_path, settings()).approve(config())
    (places.data / "mcp.json").write_text("{")
    assert state(places, tmp_path, config(), settings()) == "unapproved"


def remote(url: str) -> ServerConfig:
    return config({"type": "http", "url": url}, scope="user")


def test_the_administrators_lists() -> None:
    def allowed(found: ServerConfig, *entries: Any) -> bool:
        return not forbidden(found, settings(managed={"allowedMcpServers": list(entries)}))

    assert not allowed(config())
    assert allowed(config(), {"serverName": "s"})
    assert allowed(config(), {"serverCommand": ["npx", "a"]})
    assert not allowed(config(), {"serverCommand": ["npx", "b"]}, {"serverName": "s"})
    assert allowed(config(), {"serverUrl": "https://corp/*"}, {"serverName": "s"})
    assert allowed(remote("https://mcp.corp.com/x"), {"serverUrl": "https://*.corp.com/*"})
    for url in (
        "https://evil.com/.corp.com/",
        "https://x.corp.com.evil.com/a",
        "http://mcp.corp.com/x",
        "https://mcp.corp.com@evil.com/x",
        "https://evil.com?.corp.com/x",
        "https://evil.com#.corp.com/x",
    ):
        assert not allowed(remote(url), {"serverUrl": "https://*.corp.com/*"}), url
    both = settings(managed={"allowedMcpServers": [{"serverName": "s"}], "deniedMcpServers": [{"serverName": "s"}]})
    assert forbidden(config(), both)
    lists: dict[str, Any] = {"allowManagedMcpServersOnly": True, "allowedMcpServers": []}
    own = settings(managed=lists, user={"allowedMcpServers": [{"serverName": "s"}]})
    assert forbidden(config(), own)


async def test_nobody_there_hears_of_a_server_that_changed(places: Places, tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    (root / ".mcp.json").write_text(json.dumps({"one": nasty("good")}))
    Approvals(places, root, settings()).approve(config(name="one"))
    async with open_house(places, root, {}, interactive=False) as house:
        await house.servers.settle(house.emit)
        assert [event.code for event in house.told if isinstance(event, Notice)] == ["mcp.unapproved"]
        assert not house.person.asked


async def test_a_person_is_asked_at_the_first_turn(places: Places, tmp_path: Path) -> None:
    def answers(request: QuestionRequest) -> QuestionReply:
        one, two = request.questions
        assert "nasty.py" in one.question
        return QuestionReply(answers={one.question: "Run it", two.question: "Never run it"})

    root = tmp_path / "p"
    root.mkdir()
    (root / ".mcp.json").write_text(json.dumps({"one": nasty("good"), "two": nasty("good")}))
    async with open_house(places, root, {}, answers=answers) as house:
        assert {s.state for s in house.people.states()} == {"unapproved"}
        await house.servers.settle(house.emit)
        await house.settled()
        assert [s.state for s in house.people.states()] == ["connected", "denied"]
        assert len(house.person.asked) == 1
        await house.people.switch("one", on=False)
        assert house.toolbox.get("mcp__one__echo") is None
        await house.people.switch("one", on=True)
        await house.people.approve("two")
        assert [s.state for s in house.people.states()] == ["connected", "connected"]
        await house.people.deny("two")
        assert house.state("two").state == "denied"
        with pytest.raises(ConfigError):
            await house.people.reconnect("two")
