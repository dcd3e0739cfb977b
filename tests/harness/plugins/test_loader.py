"""A plugin's folder becomes a plugin: every place where its parts may be, and everything that may be wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.loader import PluginPlace, data_folder, load_plugin
from rein_tui.harness.plugins.words import Plugin

from .files import markdown, write

MANIFEST = ".claude-plugin/plugin.json"
HOOKS = {"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "${CLAUDE_PLUGIN_ROOT}/x.sh"}]}]}}


def load(folder: Path, places: Places, entry: dict[str, Any] | None = None, **more: Any) -> Plugin:
    return load_plugin(PluginPlace(folder, more.pop("origin", "inline"), entry=entry or {}, **more), places, "/w")


def codes(plugin: Plugin) -> list[str]:
    return [notice.code for notice in plugin.problems]


def test_a_folder_without_manifest_is_a_plugin_called_like_it(tmp_path: Path, places: Places) -> None:
    files = {
        "commands/go.md": markdown(description="Go"),
        "commands/git/push.md": "Just push.",
        "agents/deep/er.md": "---\nname: er\ndescription: reads\n---\nYou read.",
        "skills/writing/SKILL.md": markdown(name="Writing Rules", description="how"),
        "skills/testing/SKILL.md": markdown(name="tests"),
        "hooks/hooks.json": HOOKS,
        ".mcp.json": {"time": {"command": "${CLAUDE_PLUGIN_ROOT}/serve", "env": {"A": "${B:-c}"}}},
        "output-styles/loud.md": markdown(name="Loud"),
        "bin/tool": "#!/bin/sh\n",
        "CLAUDE.md": "not read",
    }
    plugin = load(write(tmp_path / "my-plugin", files), places)
    assert (plugin.id, plugin.loaded, plugin.problems) == ("my-plugin@inline", True, ())
    assert [c.name for c in plugin.commands] == ["my-plugin:go", "my-plugin:git:push"]
    assert plugin.commands[1].description == "Just push."
    assert [a.name for a in plugin.agents] == ["my-plugin:deep:er"]
    assert [s.name for s in plugin.skills] == ["my-plugin:tests", "my-plugin:writing"]
    assert "Writing Rules" in plugin.skills[1].aliases
    assert [(h.plugin_id, h.plugin_root) for h in plugin.hooks] == [(plugin.id, plugin.root)]
    assert plugin.mcp[0].scoped == "plugin:my-plugin:time"
    assert plugin.mcp[0].config == {"command": f"{plugin.root}/serve", "env": {"A": "${B:-c}"}}
    assert [s.name for s in plugin.styles] == ["my-plugin:Loud"]
    assert plugin.bin == f"{plugin.root}/bin"


def test_keys_replace_add_and_merge(tmp_path: Path, places: Places) -> None:
    files = {
        MANIFEST: {
            "name": "p",
            "commands": ["./more/one.md"],
            "agents": "./people",
            "skills": ["./extra", "./alone"],
            "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "b"}]}]},
            "mcpServers": {"b": {"type": "http", "url": "https://x"}},
        },
        "commands/hidden.md": "x",
        "more/one.md": "x",
        "people/a.md": "no head at all",
        "skills/base/SKILL.md": "x",
        "extra/e/SKILL.md": "x",
        "alone/SKILL.md": "x",
        "hooks/hooks.json": HOOKS,
        ".mcp.json": {"mcpServers": {"a": {"command": "x"}}},
    }
    plugin = load(write(tmp_path / "dir", files), places)
    assert [c.name for c in plugin.commands] == ["p:one"]
    assert [a.name for a in plugin.agents] == ["p:a"]
    assert [s.name for s in plugin.skills] == ["p:base", "p:e", "p:alone"]
    assert [h.point for h in plugin.hooks] == ["SessionStart", "Stop"]
    assert [s.name for s in plugin.mcp] == ["a", "b"]
    assert codes(plugin) == ["folder_ignored"]


def test_a_skill_at_the_root(tmp_path: Path, places: Places) -> None:
    plugin = load(write(tmp_path / "solo", {"SKILL.md": markdown(description="one skill")}), places)
    assert [s.name for s in plugin.skills] == ["solo:solo"]


def test_entries_that_define_everything(tmp_path: Path, places: Places) -> None:
    tree = write(tmp_path / "t", {f"skills/{name}/SKILL.md": "x" for name in ("a", "b", "c")})
    entry = {"name": "few", "source": "./", "strict": False, "skills": ["./skills/a", "./skills/c"]}
    plugin = load(tree, places, entry, origin="m", name="few")
    assert (plugin.id, [s.name for s in plugin.skills]) == ("few@m", ["few:a", "few:c"])
    lsp = load(write(tmp_path / "l", {"README.md": "x"}), places, {"strict": False, "lspServers": {"x": {}}}, name="l")
    assert (lsp.loaded, lsp.unused) == (True, ("lspServers",))
    write(tree, {MANIFEST: {"name": "t", "commands": "./skills"}})
    assert load(tree, places, entry, name="few").loaded is False


def test_an_entry_adds_to_a_manifest_and_the_manifest_wins(tmp_path: Path, places: Places) -> None:
    folder = write(tmp_path / "x", {MANIFEST: {"name": "real", "version": "2"}, "c/go.md": "x"})
    plugin = load(folder, places, {"name": "called", "version": "1", "commands": "./c"}, origin="m", name="called")
    assert (plugin.id, plugin.version, [c.name for c in plugin.commands]) == ("called@m", "2", ["called:go"])


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ({"name": "../../evil", "version": "1.0.0"}, "cannot be used in paths"),
        ({"version": "1.0.0"}, "`name` is missing"),
        ({"name": "p", "commands": 7}, "`commands` must be"),
        ({"name": "p", "userConfig": []}, "`userConfig` must be"),
        (["p"], "must be an object"),
        ('{"name": "p",}', "not valid JSON"),
    ],
)
def test_what_keeps_a_plugin_from_loading(tmp_path: Path, places: Places, manifest: Any, why: str) -> None:
    plugin = load(write(tmp_path / "p", {MANIFEST: manifest, "commands/x.md": "x"}), places)
    assert (plugin.loaded, plugin.commands) == (False, ())
    assert why in plugin.problems[0].text
    assert plugin.problems[0].where.startswith(str(tmp_path / "p" / MANIFEST))


def test_servers_that_cannot_be_read_are_not_there_and_the_rest_is(tmp_path: Path, places: Places) -> None:
    for content in ("not json", "[1]"):
        plugin = load(write(tmp_path / "p", {".mcp.json": content, "commands/x.md": "x"}), places)
        assert (plugin.loaded, len(plugin.commands), codes(plugin)) == (True, 1, ["servers_unreadable"])


def test_a_plugin_that_stays_off_tells_everything_that_is_wrong(tmp_path: Path, places: Places) -> None:
    manifest = {"name": "p", "commands": ["./a.md", "../out.md", "./gone.md"]}
    files = {MANIFEST: manifest, "a.md": "---\ndescription: never closed", "hooks/hooks.json": "{"}
    plugin = load(write(tmp_path / "p", files), places)
    assert not plugin.loaded
    assert set(codes(plugin)) == {"plugin_not_loaded", "path_outside", "path_missing", "frontmatter_open"}


def test_a_file_that_is_not_utf_8_says_so(tmp_path: Path, places: Places) -> None:
    folder = write(tmp_path / "p", {"commands/x.md": ""})
    (folder / "commands/x.md").write_bytes(b"---\ndescription: caf\xe9\n---\nbody")
    plugin = load(folder, places)
    assert codes(plugin) == ["not_utf8"]
    assert plugin.problems[0].where.endswith("x.md:2")
    assert plugin.commands[0].description.startswith("caf")


def test_hooks_that_cannot_be_read_keep_the_plugin_off(tmp_path: Path, places: Places) -> None:
    plugin = load(write(tmp_path / "p", {"hooks/hooks.json": "not json", "commands/x.md": "x"}), places)
    assert (plugin.loaded, plugin.commands, codes(plugin)) == (False, (), ["plugin_not_loaded"])


@pytest.mark.parametrize("path", ["./gone.json", "../hooks.json", "/etc/hooks.json"])
def test_hooks_that_are_not_there_keep_the_plugin_off(tmp_path: Path, places: Places, path: str) -> None:
    folder = write(tmp_path / "p", {MANIFEST: {"name": "p", "hooks": path}, "commands/c.md": "Do it."})
    plugin = load_plugin(PluginPlace(folder, "inline"), places)
    assert (plugin.loaded, plugin.commands) == (False, ())
    assert path in plugin.problems[0].text and plugin.problems[0].where.endswith("plugin.json:3")


def test_paths_stay_inside(tmp_path: Path, places: Places) -> None:
    outside = write(tmp_path / "outside", {"secret.md": "x", "SKILL.md": "x"})
    folder = write(
        tmp_path / "p",
        {MANIFEST: {"name": "p", "commands": ["../outside", "/etc", "./gone", "in"]}, "in/a.md": "x", "skills/s/x": ""},
    )
    (folder / "in" / "link.md").symlink_to(outside / "secret.md")
    (folder / "skills" / "l").symlink_to(outside)
    plugin = load(folder, places)
    assert [c.name for c in plugin.commands] == ["p:a"]
    assert plugin.skills == ()
    assert codes(plugin).count("path_outside") == 4
    assert "path_missing" in codes(plugin)


def test_odd_fields_are_told_and_do_no_harm(tmp_path: Path, places: Places) -> None:
    folder = write(tmp_path / "p", {MANIFEST: {"name": "My_Plugin", "comands": "./x", "keywords": []}})
    plugin = load(folder, places)
    assert (plugin.loaded, codes(plugin)) == (True, ["unknown_field", "not_kebab_case"])
    assert plugin.problems[0].hint == "Did you mean commands?"


def test_bad_rules_grant_nothing(tmp_path: Path, places: Places) -> None:
    files = {
        "commands/a.md": "---\ndescription: x\nallowed-tools: Bash(git:*\n---\nDo it.",
        "commands/b.md": "---\nallowed-tools: '*'\n---\nDo it.",
        "commands/c.md": "---\nallowed-tools: Bash(${CLAUDE_PLUGIN_ROOT}/run.sh:*), Read\n---\nDo it.",
    }
    plugin = load(write(tmp_path / "p", files), places)
    assert [c.allowed for c in plugin.commands] == [(), (), (f"Bash({plugin.root}/run.sh:*)", "Read")]
    assert codes(plugin) == ["entry_skipped", "inert_rule"]
    assert plugin.problems[0].where.endswith("a.md:3")


def test_a_plugins_agents_lose_what_they_may_not_have(tmp_path: Path, places: Places) -> None:
    head = "name: a\npermissionMode: bypassPermissions\nhooks: {}\nmcpServers: {}\ntools: LS, Read, NotebookRead"
    plugin = load(write(tmp_path / "p", {"agents/a.md": f"---\n{head}\n---\nx"}), places)
    assert (plugin.agents[0].mode, plugin.agents[0].hooks) == (None, ())
    assert plugin.agents[0].tools == ("LS", "Read", "NotebookRead")
    assert codes(plugin) == ["plugin_agent"] * 3


def test_options_have_defaults_and_reach_servers(tmp_path: Path, places: Places) -> None:
    manifest = {
        "name": "p",
        "userConfig": {"url": {"type": "string", "default": "http://d"}, "key": {"type": "string", "required": True}},
        "mcpServers": {"s": {"type": "http", "url": "${user_config.url}/x"}},
    }
    folder = write(tmp_path / "p", {MANIFEST: manifest})
    plugin = load(folder, places)
    assert (plugin.mcp[0].config["url"], codes(plugin)) == ("http://d/x", ["option_missing"])
    given = load(folder, places, options={"url": "http://g", "key": "k"})
    assert (given.mcp[0].config["url"], codes(given)) == ("http://g/x", [])


def test_manifest_hooks_may_name_the_default_file_again(tmp_path: Path, places: Places) -> None:
    folder = write(tmp_path / "p", {MANIFEST: {"name": "p", "hooks": "./hooks/hooks.json"}, "hooks/hooks.json": HOOKS})
    assert len(load(folder, places).hooks) == 1


def test_a_data_folder_has_a_plain_name(places: Places) -> None:
    assert data_folder(places, "my.plugin@market").name == "my-plugin-market"


def test_loading_runs_nothing(tmp_path: Path, places: Places) -> None:
    command = f"touch {tmp_path}/ran"
    files = {
        "commands/a.md": f"!`{command}`",
        "hooks/hooks.json": json.loads(json.dumps(HOOKS).replace("${CLAUDE_PLUGIN_ROOT}/x.sh", command)),
        ".mcp.json": {"s": {"command": command}},
    }
    assert load(write(tmp_path / "p", files), places).loaded
    assert not (tmp_path / "ran").exists()
