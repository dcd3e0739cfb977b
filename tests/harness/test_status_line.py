"""The person's own status line: what it reads, when it counts, and that it harms nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.messages import Usage
from rein_tui.harness.providers.scripted import Step
from rein_tui.harness.settings.load import load_settings
from rein_tui.harness.wiring.status_line import StatusCommand, status_line_wish
from tests.harness.plugins.sessions import staged


def wants(folder: Path, command: str, **more: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"type": "command", "command": command, **more}
    (folder / "settings.json").write_text(json.dumps({"statusLine": entry}))


def state_of(pid: str) -> str:
    """`gone` also for one that only waits for its parent to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"
    return "gone" if state in "ZX" else state


async def test_the_command_reads_the_session(places: Places, tmp_path: Path) -> None:
    wants(places.config, 'cat; echo "$COLUMNS"')
    steps = [Step(text="yes", usage=Usage(input_tokens=300, cache_read_tokens=700, output_tokens=40, cost_usd=0.25))]
    async with staged(places, tmp_path, steps) as stage:
        line = stage.session.status_line
        assert line is not None
        assert line.payload()["context_window"]["current_usage"] is None
        await stage.say("go")
        text, columns = (await line.read(77, 20)).strip().split("\n")
    told = json.loads(text)
    assert columns == "77"
    assert told["model"] == {"id": "scripted", "display_name": "scripted"}
    assert told["workspace"] == {"current_dir": str(tmp_path), "project_dir": str(tmp_path), "added_dirs": []}
    assert (told["cost"]["total_cost_usd"], told["output_style"]["name"]) == (0.25, "default")
    window = told["context_window"]
    assert (window["total_input_tokens"], window["total_output_tokens"]) == (1000, 40)
    assert window["current_usage"]["cache_read_input_tokens"] == 700
    assert told["exceeds_200k_tokens"] is False
    assert told.keys() >= {"session_id", "transcript_path", "version", "cwd", "thinking"}


async def test_a_command_that_fails_says_how(places: Places, tmp_path: Path) -> None:
    wants(places.config, "echo oh no >&2; exit 3")
    async with staged(places, tmp_path, []) as stage:
        line = stage.session.status_line
        assert line is not None
        with pytest.raises(ConfigError, match="exit code 3: oh no") as caught:
            await line.read(80, 24)
    assert caught.value.where.startswith(str(places.config / "settings.json"))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked at in /proc")
async def test_a_command_that_hangs_ends_with_all_that_it_started(places: Places, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    wants(places.config, f"setsid sleep 600 & echo $$ $! > {pids}; sleep 600")
    async with staged(places, tmp_path, []) as stage:
        line = stage.session.status_line
        assert isinstance(line, StatusCommand)
        line.timeout = 0.5
        with pytest.raises(ConfigError, match="timed out"):
            await line.read(80, 24)
    assert [state_of(pid) for pid in pids.read_text().split()] == ["gone", "gone"]


@pytest.mark.parametrize("trusted", [True, False])
def test_a_projects_wish_waits_for_trust(places: Places, tmp_path: Path, trusted: bool) -> None:
    wants(tmp_path / ".claude", "true", padding=2, refreshInterval=0.2)
    wish = status_line_wish(load_settings(places, tmp_path, trusted=trusted))
    assert (wish is not None) == trusted
    if wish is not None:
        assert (wish.padding, wish.every) == (2, 1.0)


@pytest.mark.parametrize(
    ("managed", "is_left"),
    [({"disableAllHooks": True}, False), ({"allowManagedHooksOnly": True}, False), ({}, True)],
)
def test_the_administrator_may_forbid_it(places: Places, tmp_path: Path, managed: Any, is_left: bool) -> None:
    wants(places.config, "true")
    places.managed.mkdir(parents=True)
    (places.managed / "managed-settings.json").write_text(json.dumps(managed))
    assert (status_line_wish(load_settings(places, tmp_path, trusted=True)) is not None) == is_left


@pytest.mark.parametrize("value", [{"type": "static"}, {"command": 7}, {"command": " "}, {}])
def test_what_is_no_command_is_none(places: Places, tmp_path: Path, value: Any) -> None:
    places.config.mkdir(parents=True, exist_ok=True)
    (places.config / "settings.json").write_text(json.dumps({"statusLine": value}))
    assert status_line_wish(load_settings(places, tmp_path, trusted=True)) is None
