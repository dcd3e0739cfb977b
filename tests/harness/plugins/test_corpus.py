"""The corpus rows about plugin.json, hooks.json and frontmatter, each by its id."""

import json
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.plugins.loader import PluginPlace, load_plugin
from rein_tui.harness.protocol.events import Notice

from .files import write
from .sessions import DONE, bash, staged

PLUGIN_ROWS = ("sp-hooks-05", "sp-plugin-01", "sp-plugin-02", "sp-plugin-03")
FRONTMATTER_ROWS = tuple(f"sp-frontmatter-0{number}" for number in range(1, 6))


def row(folder: Path, name: str) -> dict[str, Any]:
    lines = (folder / "settings_bad.jsonl").read_text(encoding="utf-8").splitlines()
    return next(found for line in lines if (found := json.loads(line))["id"] == name)


def told(notices: list[Notice] | tuple[Notice, ...]) -> bool:
    return any(notice.level != "info" for notice in notices)


@pytest.mark.corpus
@pytest.mark.parametrize("name", PLUGIN_ROWS)
def test_plugins_that_do_not_load(corpus_folder: Path, places: Places, tmp_path: Path, name: str) -> None:
    case = row(corpus_folder, name)
    place = "hooks/hooks.json" if case["file"] == "hooks.json" else ".claude-plugin/plugin.json"
    folder = write(tmp_path / "p", {place: case["content"], "agents/keep.md": "x"})
    plugin = load_plugin(PluginPlace(folder, "inline"), places)
    outcome = "plugin_not_loaded" if not plugin.loaded else "entry_skipped" if not plugin.commands else "accepted"
    assert outcome in case["expect"]["accept_outcomes"]
    assert told(plugin.problems) is case["expect"]["user_notice"]


@pytest.mark.corpus
@pytest.mark.parametrize("name", FRONTMATTER_ROWS)
async def test_heads_that_grant_nothing(corpus_folder: Path, places: Places, tmp_path: Path, name: str) -> None:
    case = row(corpus_folder, name)
    place = "agents/x.md" if case["scope"] == "agent" else "commands/x.md"
    project = write(tmp_path / "w", {".claude/" + place: case["content"]})
    write(places.managed, {"managed-settings.json": case.get("other_layers", {}).get("managed", {})})
    probes = case["expect"]["probes"]
    wish = "go" if case["scope"] == "agent" else "/x"
    steps = [step for probe in probes for step in (bash(probe["input"]["command"]), DONE)]
    async with staged(places, project, [*steps, DONE], interactive=False) as stage:
        for _ in probes:
            await stage.say(wish)
        if not probes:
            await stage.say(wish)
        notices = list(stage.opening.notices)
    assert told(notices) is case["expect"]["user_notice"], notices
    # What would ask is denied where nobody can answer; nothing of it ran.
    assert [outcome for tool, outcome, _ in stage.finished() if tool == "Bash"] == ["denied"] * len(probes)
    assert not Path("/tmp/pwned").exists()
