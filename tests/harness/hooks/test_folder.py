"""The hooks of a folder without a session: settings, plugins, and what skills and agents would bring."""

import json
from pathlib import Path

from rein_tui.harness.places import Places
from rein_tui.harness.wiring.rehearsal import folder_hooks

ENTRY = [{"hooks": [{"type": "command", "command": "true"}]}]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_every_source_of_hooks_is_listed(places: Places, tmp_path: Path) -> None:
    project, plugin = tmp_path / "project", tmp_path / "guard"
    project.mkdir()
    write(places.user_settings, json.dumps({"hooks": {"Stop": ENTRY}}))
    write(plugin / "hooks" / "hooks.json", json.dumps({"hooks": {"PreToolUse": ENTRY, "NoSuchEvent": ENTRY}}))
    hooks = "hooks:\n  PostToolUse:\n    - hooks:\n        - type: command\n          command: 'true'\n"
    write(places.config / "skills" / "tidy" / "SKILL.md", f"---\nname: tidy\ndescription: d\n{hooks}---\nTidy up.\n")
    write(places.config / "agents" / "judge.md", f"---\nname: judge\ndescription: d\n{hooks}---\nJudge.\n")
    found = folder_hooks(places, {"PATH": "/usr/bin:/bin"}, project, [plugin])
    assert [(spec.point, spec.plugin_id) for spec in found.hooks.specs] == [
        ("Stop", ""),
        ("PreToolUse", "guard@inline"),
    ]
    assert [(spec.point, spec.owner) for spec in found.dormant] == [
        ("PostToolUse", "skill:tidy"),
        ("PostToolUse", "agent:judge"),
    ]
    assert any("NoSuchEvent" in notice.text for notice in found.problems)


def test_a_folder_without_trust_brings_nothing(places: Places, tmp_path: Path) -> None:
    project = tmp_path / "project"
    write(project / ".claude" / "settings.json", json.dumps({"hooks": {"Stop": ENTRY}}))
    found = folder_hooks(places, {"PATH": "/usr/bin:/bin"}, project)
    assert (found.hooks.specs, found.dormant) == ((), ())
