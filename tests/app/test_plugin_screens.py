"""/plugin, /skills, /agents and /reload-plugins on the real screen over the real harness."""

import json
from pathlib import Path

import pytest

from rein_tui.harness.places import Places
from rein_tui.widgets.picker import Picker
from rein_tui.widgets.plugin_screen import PluginScreen
from rein_tui.widgets.sheet import Sheet
from tests.app.driving import screen_text
from tests.app.test_whole_story import theatre
from tests.harness.plugins.files import markdown, write

INDEX = ".claude-plugin/marketplace.json"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write(tmp_path / "w", {})
    monkeypatch.chdir(folder)
    return folder


async def test_a_plugin_is_installed_used_and_turned_off(places: Places, project: Path, tmp_path: Path) -> None:
    market = {
        INDEX: {"name": "our-market", "owner": {"name": "us"}, "plugins": [{"name": "tools", "source": "./tools"}]},
        "tools/commands/go.md": markdown("Go to $0.", description="goes [somewhere]"),
    }
    folder = write(tmp_path / "market", market)
    async with theatre(places, project, [{"text": "gone"}]) as stage:
        await stage.say(f"/plugin marketplace add {folder}")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet) and "1 plugin" in screen_text(stage.app))
        await stage.pilot.press("escape")
        await stage.say("/plugin install tools")
        await stage.until(lambda: isinstance(stage.app.screen, Picker) and "/tools:go" in screen_text(stage.app))
        await stage.pilot.press("down", "enter")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet) and "is installed" in screen_text(stage.app))
        lines = [line.strip(" │") for line in screen_text(stage.app).splitlines()]
        assert any(line.startswith("tools@our-market") and line.endswith("is installed and on") for line in lines)
        await stage.pilot.press("escape")
        await stage.say("/tools:go home")
        await stage.rest(1)
        assert "gone" in screen_text(stage.app)
        await stage.say("/plugin")
        await stage.until(lambda: isinstance(stage.app.screen, PluginScreen))
        await stage.pilot.press("space")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet) and "is off" in screen_text(stage.app))
        await stage.pilot.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, PluginScreen) and "○ tools" in screen_text(stage.app))
        await stage.pilot.press("escape")
        await stage.say("/skills")
        await stage.until(lambda: "Skills and commands · 0" in screen_text(stage.app))


async def test_what_marketplaces_offer_is_installed_from_the_list(
    places: Places, project: Path, tmp_path: Path
) -> None:
    market = {
        INDEX: {"name": "m", "owner": {"name": "us"}, "plugins": [{"name": "tools", "source": "./tools"}]},
        "tools/commands/go.md": markdown("Go."),
    }
    folder = write(tmp_path / "market", market)
    known = {"m": {"source": {"source": "directory", "path": str(folder)}, "installLocation": str(folder)}}
    known["gone"] = {"source": {"source": "directory", "path": "/gone"}, "installLocation": "/gone"}
    write(places.config, {"plugins/known_marketplaces.json": json.dumps(known)})
    async with theatre(places, project, []) as stage:
        await stage.until(lambda: stage.app.desk.current is not None)
        await stage.say("/plugin")
        await stage.until(lambda: isinstance(stage.app.screen, PluginScreen))
        shown = screen_text(stage.app)
        assert "Plugins · 0 · 1 more to install" in shown and "+ tools@m" in shown and "Not read: " in shown
        await stage.pilot.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, Picker) and "/tools:go" in screen_text(stage.app))
        await stage.pilot.press("down", "enter")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet) and "is installed" in screen_text(stage.app))
        await stage.pilot.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, PluginScreen) and "● tools@m" in screen_text(stage.app))


async def test_an_update_that_would_do_more_asks_first(places: Places, project: Path, tmp_path: Path) -> None:
    market = {
        INDEX: {"name": "m", "owner": {"name": "us"}, "plugins": [{"name": "tools", "source": "./tools"}]},
        "tools/commands/go.md": markdown("Go."),
    }
    folder = write(tmp_path / "market", market)
    async with theatre(places, project, []) as stage:
        await stage.until(lambda: stage.app.desk.current is not None)
        for words, said in ((f"marketplace add {folder}", "1 plugin"), ("install tools --yes", "is installed")):
            await stage.say(f"/plugin {words}")
            await stage.until(lambda said=said: isinstance(stage.app.screen, Sheet) and said in screen_text(stage.app))
            await stage.pilot.press("escape")
        hooks = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "echo more"}]}]}}
        write(folder, {"tools/hooks/hooks.json": hooks})
        await stage.say("/plugin update tools")
        await stage.until(lambda: isinstance(stage.app.screen, Picker) and "echo more" in screen_text(stage.app))
        await stage.pilot.press("escape")
        await stage.until(lambda: not isinstance(stage.app.screen, Picker))
        assert not list(places.config.rglob("cache/**/hooks.json"))
        await stage.say("/plugin update tools")
        await stage.until(lambda: isinstance(stage.app.screen, Picker))
        await stage.pilot.press("down", "enter")
        await stage.until(lambda: isinstance(stage.app.screen, Sheet))
        assert list(places.config.rglob("cache/**/hooks.json"))


async def test_lists_of_skills_and_agents_and_looking_again(places: Places, project: Path) -> None:
    write(places.config, {"skills/docs/SKILL.md": markdown(description="writes docs", allowed_tools="Read")})
    async with theatre(places, project, []) as stage:
        await stage.until(lambda: stage.app.desk.current is not None)
        await stage.say("/agents")
        await stage.until(lambda: isinstance(stage.app.screen, PluginScreen) and "Explore" in screen_text(stage.app))
        await stage.pilot.press("escape")
        write(places.config, {"skills/fresh/SKILL.md": markdown(description="just written")})
        await stage.say("/reload-plugins")
        await stage.until(lambda: stage.app.registry.get("fresh") is not None)
        await stage.say("/skills")
        await stage.until(lambda: isinstance(stage.app.screen, PluginScreen))
        shown = screen_text(stage.app)
        assert "just written" in shown and "may call without asking: Read" in shown
        await stage.pilot.press("enter")
        await stage.until(lambda: stage.app.main.composer.text == "/docs ")


async def test_a_command_that_does_not_parse_is_an_error_and_no_exit(places: Places, project: Path) -> None:
    async with theatre(places, project, []) as stage:
        await stage.until(lambda: stage.app.desk.current is not None)
        await stage.say("/plugin frobnicate")
        await stage.until(lambda: "invalid choice" in screen_text(stage.app))
