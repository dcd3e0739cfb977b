"""Entries and where they are written: schema, variables, precedence, and what is told about bad ones."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.mcp.config import Entry, ServerConfig, read_entry
from rein_tui.harness.plugins.mcp.expand import Expansion
from rein_tui.harness.plugins.mcp.names import safe_server, tool_name
from rein_tui.harness.plugins.mcp.schema import flattened
from rein_tui.harness.plugins.mcp.sources import ServerScene, find_servers
from rein_tui.harness.plugins.words import ServerDefinition
from rein_tui.harness.protocol.decisions import Source
from rein_tui.harness.protocol.errors import ConfigError, StartError

HERE = Source(layer="user", path="file", line=3)


def read(value: Any, name: str = "s", **environment: str) -> tuple[ServerConfig | None, list[str]]:
    config, notices = read_entry(Entry(name, value, "user", HERE), environment)
    return config, [notice.text for notice in notices]


BAD: list[tuple[Any, str]] = [
    ("npx", "not an object"),
    ({}, "no command"),
    ({"command": 3}, "command is not a text"),
    ({"command": "x", "args": "y"}, "args is not a list"),
    ({"command": "x", "args": [{}]}, "args is not a list"),
    ({"command": "x", "env": ["a"]}, "env is not an object"),
    ({"command": "x\0y"}, "command is not a text"),
    ({"command": "x", "timeout": "soon"}, "timeout"),
    ({"url": "http://x"}, "no type"),
    ({"type": "http", "url": "ftp://x"}, "no http address"),
    ({"type": "http"}, "no url"),
    ({"type": "ws", "url": "ws://x"}, "WebSocket"),
    ({"type": "carrier pigeon"}, "is none of"),
    ({"type": "http", "url": "http://x", "oauth": 1}, "oauth"),
]


@pytest.mark.parametrize(("value", "reason"), BAD)
def test_bad_entries_are_left_out_with_a_reason(value: Any, reason: str) -> None:
    config, texts = read(value)
    assert config is None
    assert reason in texts[0]


def test_reserved_names() -> None:
    assert read({"command": "x"}, "workspace")[0] is None


def test_a_stdio_entry() -> None:
    entry = {
        "command": "${BIN:-npx}",
        "args": ["-y", "${PKG}", 7],
        "env": {"A": "${A:-1}", "B": True},
        "cwd": "/",
        "_docs": 1,
    }
    config, texts = read(entry, PKG="pkg", A="")
    assert config is not None
    assert (config.command, config.args) == ("npx", ("-y", "pkg", "7"))
    assert config.environment == {"A": "1", "B": "true"}
    assert config.summary == "npx -y pkg 7"
    assert not texts


def test_remote_entries() -> None:
    entry = {"type": "streamable-http", "url": "https://${HOST}/mcp", "headers": {"Authorization": "Bearer ${T}"}}
    config, texts = read(entry | {"timeout": 5, "oauth": {"scopes": ["a", "b"]}}, HOST="h", T="t")
    assert config is not None and not texts
    assert (config.transport, config.url, config.headers) == ("http", "https://h/mcp", {"Authorization": "Bearer t"})
    assert (config.call_timeout, config.oauth.scopes) == (1.0, "a b")
    assert "Bearer" not in repr(config)
    assert read({"type": "http", "url": ""}) == (None, [])


def test_missing_variables_stay_and_are_told() -> None:
    config, texts = read({"command": "x", "args": ["${NO}", "${NO}", "$PLAIN"]})
    assert config is not None and config.args == ("${NO}", "${NO}", "$PLAIN")
    assert len(texts) == 1 and "NO is not set" in texts[0]


@given(st.text(), st.dictionaries(st.sampled_from(["A", "B_1", "c"]), st.text()))
def test_expansion_is_one_pass(text: str, environment: dict[str, str]) -> None:
    expansion = Expansion(environment)
    assert expansion.text(text.replace("$", "")) == text.replace("$", "")
    for name, value in environment.items():
        assert expansion.text(f"<${{{name}}}>") == f"<{value}>"


@given(st.text(min_size=1), st.text(min_size=1))
def test_tool_names_are_safe_for_models(server: str, tool: str) -> None:
    name = tool_name(server, tool)
    assert len(name) <= 128
    assert re.fullmatch(r"[A-Za-z0-9_-]+", name)
    assert name.startswith(f"mcp__{safe_server(server)}__") or len(name) == 128
    assert "__" not in safe_server(server), "a rule for one server must not reach another"


def test_the_digest_follows_what_runs() -> None:
    def digest(**changes: Any) -> str:
        config, _ = read({"command": "npx", "args": ["-y", "a"], "env": {"K": "1"}} | changes)
        assert config is not None
        return config.digest

    assert digest() == digest(timeout=9000) == digest(description="words")
    changes: list[dict[str, Any]] = [{}, {"args": ["-y", "b"]}, {"command": "sh"}, {"env": {"K": "2"}}, {"env": {}}]
    assert len({digest(**change) for change in changes}) == 5


# --- where ----------------------------------------------------------------------------------------------------


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent=1))
    return path


def server(command: str) -> dict[str, Any]:
    return {"command": command}


def found(places: Places, root: Path, **more: Any) -> dict[str, str]:
    scene = ServerScene(places, root, {}, owners=(os.getuid(),), **more)
    return {name: f"{config.scope} {config.command}" for name, config in find_servers(scene).configs.items()}


def test_the_highest_scope_wins_whole(places: Places, tmp_path: Path) -> None:
    root = tmp_path / "p"
    write(root / ".mcp.json", {"mcpServers": {"a": server("project"), "b": server("project"), "c": server("project")}})
    mine = {"a": server("user"), "d": server("user")}
    write(places.global_state, {"mcpServers": mine, "projects": {str(root): {"mcpServers": {"a": server("local")}}}})
    given = json.dumps({"b": server("flag")})
    assert found(places, root, given=(given,)) == {
        "b": "command_line flag",
        "a": "local local",
        "c": "project project",
        "d": "user user",
    }
    assert found(places, root, given=(given,), strict=True) == {"b": "command_line flag"}
    assert found(places, root, sources=("user",)) == {"a": "user user", "d": "user user"}


def test_flat_files_and_bad_entries_with_their_lines(places: Places, tmp_path: Path) -> None:
    path = write(tmp_path / "p" / ".mcp.json", '{\n "good": {"command": "x"},\n "bad": {"url": "http://x"}\n}')
    scene = ServerScene(places, tmp_path / "p", {})
    result = find_servers(scene)
    assert list(result.configs) == ["good"]
    assert [notice.where for notice in result.notices] == [f"{path}:3"]
    assert str(result.configs["good"].source) == f"{path}:2"


def test_a_broken_file_takes_nothing_else_along(places: Places, tmp_path: Path) -> None:
    write(tmp_path / "p" / ".mcp.json", "{ broken")
    write(places.global_state, {"mcpServers": {"mine": server("x")}})
    result = find_servers(ServerScene(places, tmp_path / "p", {}))
    assert list(result.configs) == ["mine"]
    assert ".mcp.json:1" in result.notices[0].where


def test_what_the_command_line_names_must_be_there(places: Places, tmp_path: Path) -> None:
    for text in ("missing.json", "{broken"):
        with pytest.raises(ConfigError, match="--mcp-config"):
            find_servers(ServerScene(places, tmp_path, {}, given=(text,)))


def test_names_that_would_collide(places: Places, tmp_path: Path) -> None:
    write(tmp_path / ".mcp.json", {"a b": server("one"), "a_b": server("two")})
    result = find_servers(ServerScene(places, tmp_path, {}))
    assert list(result.configs) == ["a b"]
    assert "'a_b' is left out" in result.notices[0].text


def test_plugins_come_last_and_give_way(places: Places, tmp_path: Path) -> None:
    write(tmp_path / ".mcp.json", {"git": server("git-mcp")})
    plugins = [
        ServerDefinition(name=name, scoped=f"plugin:p:{name}", config=server(command), source=HERE, plugin_id="p@m")
        for name, command in (("git", "git-mcp"), ("other", "other-mcp"))
    ]
    assert found(places, tmp_path, plugins=plugins) == {
        "git": "project git-mcp",
        "plugin:p:other": "plugin other-mcp",
    }
    assert tool_name("plugin:p:google calendar", "x") == "mcp__plugin_p_google_calendar__x"


def test_the_administrator_is_alone(places: Places, tmp_path: Path) -> None:
    write(places.managed / "managed-mcp.json", {"mcpServers": {"corp": server("corp")}})
    places.managed.chmod(0o755)
    (places.managed / "managed-mcp.json").chmod(0o644)
    write(tmp_path / ".mcp.json", {"mine": server("x")})
    scene = ServerScene(places, tmp_path, {}, given=(json.dumps({"b": server("flag")}),), owners=(os.getuid(),))
    assert list(find_servers(scene).configs) == ["corp"]
    (places.managed / "managed-mcp.json").chmod(0o666)
    with pytest.raises(StartError, match="changed by other users"):
        find_servers(scene)


# --- schemas --------------------------------------------------------------------------------------------------


def test_combinations_at_the_root_are_flattened() -> None:
    schema = {
        "type": "object",
        "properties": {"id": {"type": "string"}},
        "required": ["id"],
        "oneOf": [
            {"properties": {"a": {"type": "string"}, "c": {"type": "string"}}, "required": ["a", "c"]},
            {"properties": {"b": {"type": "string"}, "c": {"type": "string"}}, "required": ["b", "c"]},
        ],
    }
    flat = flattened(schema)
    assert "oneOf" not in flat
    assert set(flat["properties"]) == {"id", "a", "b", "c"}
    assert flat["required"] == ["id", "c"]
    assert flattened({"allOf": [{"required": ["x"]}, {"required": ["y"]}]})["required"] == ["x", "y"]
    assert flattened({}) == {"type": "object", "properties": {}}
    assert len(json.dumps(flattened({"type": "object", "properties": {"x": {"description": "y" * 70_000}}}))) < 100
