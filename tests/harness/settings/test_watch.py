"""Live reload: changes are taken over when they are still; broken files lose their permissions only."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.settings import Settings, load_settings
from rein_tui.harness.settings.trust import read_trust, record_trust
from rein_tui.harness.settings.watch import SettingsWatch

GOOD: dict[str, Any] = {"permissions": {"allow": ["Bash"], "deny": ["Read(x)"]}, "hooks": {"Stop": []}, "model": "m"}


class Scene:
    def __init__(self, places: Places, root: Path) -> None:
        self.places = places
        self.root = root
        self.watch = SettingsWatch(self.load(), self.load)

    def load(self) -> Settings:
        return load_settings(self.places, self.root, trusted=True, owners=frozenset({os.getuid()}))

    def write(self, content: Any, path: Path | None = None) -> None:
        target = path or self.places.user_settings
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else json.dumps(content))

    def settle(self) -> Settings | None:
        assert self.watch.poll() is None
        return self.watch.poll()


@pytest.fixture
def scene(places: Places, tmp_path: Path) -> Scene:
    places.user_settings.parent.mkdir(parents=True)
    places.user_settings.write_text(json.dumps(GOOD))
    root = tmp_path / "proj"
    root.mkdir()
    return Scene(places, root)


def test_nothing_changed(scene: Scene) -> None:
    assert scene.settle() is None


def test_a_change_is_taken_over_once_it_is_still(scene: Scene) -> None:
    scene.write({"model": "one"})
    assert scene.watch.poll() is None
    scene.write({"model": "second"})
    assert scene.watch.poll() is None
    fresh = scene.watch.poll()
    assert fresh is not None and fresh.get("model") == "second"
    assert scene.settle() is None


def test_new_files_and_drop_ins_are_noticed(scene: Scene) -> None:
    scene.write({"theme": "dark"}, scene.root / ".claude/settings.json")
    fresh = scene.settle()
    assert fresh is not None and fresh.get("theme") == "dark"
    scene.write({"language": "x"}, scene.places.managed / "managed-settings.d/1.json")
    fresh = scene.settle()
    assert fresh is not None and fresh.get("language") == "x"


def test_a_file_that_breaks_keeps_its_restrictions(scene: Scene) -> None:
    scene.write('{"permissions": {')
    fresh = scene.settle()
    assert fresh is not None and not fresh.locked
    assert fresh.merged("permissions", "deny") == ["Read(x)"]
    assert fresh.merged("permissions", "allow") is None
    assert fresh.data["hooks"] == {"Stop": []}
    assert "settings_suspended" in {notice.code for notice in fresh.problems}
    scene.write('{"permissions": {"deny": 5')
    fresh = scene.settle()
    assert fresh is not None and fresh.merged("permissions", "deny") == ["Read(x)"]
    scene.write(GOOD)
    fresh = scene.settle()
    assert fresh is not None and fresh.merged("permissions", "allow") == ["Bash"]


def test_a_new_broken_file_locks(scene: Scene) -> None:
    scene.write("{", scene.root / ".claude/settings.json")
    fresh = scene.settle()
    assert fresh is not None and fresh.locked


def test_broken_administrators_suspend_everything(scene: Scene) -> None:
    scene.write("{", scene.places.managed / "managed-settings.json")
    fresh = scene.settle()
    assert fresh is not None
    assert fresh.merged("permissions", "allow") is None
    assert fresh.merged("permissions", "deny") == ["Read(x)"]


async def test_the_loop_tells_every_change(scene: Scene) -> None:
    told: list[Settings] = []
    ticks = 0

    async def tick(seconds: float) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 2:
            scene.write({"model": "new"})
        if ticks > 5:
            raise asyncio.CancelledError

    async def changed(fresh: Settings) -> None:
        told.append(fresh)

    with pytest.raises(asyncio.CancelledError):
        await scene.watch.run(changed, tick)
    assert [fresh.get("model") for fresh in told] == ["new"]


def test_what_a_folder_adds_after_trust_waits(scene: Scene) -> None:
    path = scene.root / ".claude/settings.json"
    gate = {"PreToolUse": [{"hooks": [{"type": "command", "command": "./gate"}]}]}
    scene.write({"hooks": gate, "permissions": {"allow": ["Skill"], "deny": ["A"]}}, path)
    record_trust(scene.places, read_trust(scene.places, scene.root))

    def load() -> Settings:
        trusted = read_trust(scene.places, scene.root).trusted
        return load_settings(scene.places, scene.root, trusted=trusted, owners=frozenset({os.getuid()}))

    watch = scene.watch = SettingsWatch(load(), load)
    assert watch.current.trusted
    evil = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "./evil"}]}]}, "env": {"A": "1"}}
    scene.write("{", path)
    fresh = scene.settle()
    assert fresh is not None and fresh.trusted and not fresh.locked
    assert fresh.layers_of("project")[0].data == {"hooks": gate, "permissions": {"deny": ["A"]}}
    scene.write({"hooks": gate, "permissions": {"allow": ["Skill"], "deny": ["A"]}}, path)
    assert scene.settle() is not None
    scene.write({**evil, "permissions": {"allow": ["Bash"], "deny": ["B"]}}, path)
    fresh = scene.settle()
    assert fresh is not None and fresh.trusted
    layer = fresh.layers_of("project")[0]
    assert layer.data == {"hooks": gate, "permissions": {"allow": ["Skill"], "deny": ["B"]}}
    assert layer.held["env"] == {"A": "1"}
    assert [notice.where for notice in fresh.problems if notice.code == "held_until_trust"] == [str(path)]
    record_trust(scene.places, read_trust(scene.places, scene.root))
    scene.write({**evil, "permissions": {"allow": ["Bash"]}, "$schema": "x"}, path)
    fresh = scene.settle()
    assert fresh is not None and fresh.data["hooks"].keys() == {"Stop"}
