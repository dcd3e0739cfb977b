"""Settings that change while a session runs."""

import json
from pathlib import Path
from typing import Any

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
