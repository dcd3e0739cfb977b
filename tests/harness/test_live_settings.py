"""Settings that change while a session runs."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.permissions.sandbox import bubblewrap_problem
from rein_tui.harness.places import Places
from rein_tui.harness.providers.scripted import ScriptedCall, Step
from tests.harness.plugins.sessions import staged


async def test_variables_and_rules_of_changed_settings_hold_from_the_next_turn(places: Places, tmp_path: Path) -> None:
    def write(colour: str, **permissions: Any) -> None:
        places.config.mkdir(parents=True, exist_ok=True)
        places.user_settings.write_text(json.dumps({"env": {"COLOUR": colour}, "permissions": permissions}))

    look = Step(calls=(ScriptedCall(name="Bash", input={"command": "printenv COLOUR"}),))
    done = Step(text="done")
    write("red", allow=["Bash(printenv COLOUR)"])
    async with staged(places, tmp_path, [look, done, look, done, look, done]) as stage:
        await stage.say("one")
        write("indigo", allow=["Bash(printenv COLOUR)"])
        await stage.say("two")
        write("indigo", deny=["Bash(printenv *)"])
        await stage.say("three")
        first, second, third = stage.finished()
        assert "red" in first[2] and "indigo" in second[2]
        assert third[1] == "denied" and "indigo" not in third[2]


@pytest.mark.skipif(bool(bubblewrap_problem(shutil.which("bwrap") or "bwrap")), reason="bubblewrap cannot run here")
async def test_a_sandbox_switched_on_holds_from_the_next_turn(places: Places, tmp_path: Path) -> None:
    project, outside = tmp_path / "w", tmp_path / "outside"
    project.mkdir()

    def write(enabled: bool) -> None:
        places.config.mkdir(parents=True, exist_ok=True)
        settings = {"sandbox": {"enabled": enabled}, "permissions": {"allow": [f"Bash(mkdir {outside}*)"]}}
        places.user_settings.write_text(json.dumps(settings))

    make, done = Step(calls=(ScriptedCall(name="Bash", input={"command": f"mkdir {outside}/x"}),)), Step(text="done")
    outside.mkdir()
    write(enabled=False)
    steps = [make, done, make, done]
    async with staged(places, project, steps) as stage:
        await stage.say("one")
        (outside / "x").rmdir()
        write(enabled=True)
        await stage.say("two")
        first, second = stage.finished()
        assert first[1] == "ok" and second[1] == "error"
        assert any("Commands run in a sandbox (bubblewrap)" in text for text in stage.notices())
