"""Layers from real files: order, places, trust, administrators."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ConfigError, StartError
from rein_tui.harness.settings import Settings, load_settings
from rein_tui.harness.settings.locations import local_file

ME = frozenset({os.getuid()})


def put(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent=2), encoding="utf-8")
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "w" / "proj"
    folder.mkdir(parents=True)
    return folder


def load(places: Places, root: Path, **more: Any) -> Settings:
    options: dict[str, Any] = {"trusted": True, "owners": ME, **more}
    return load_settings(places, root, **options)


def test_order_and_provenance(places: Places, root: Path) -> None:
    put(places.user_settings, {"model": "user", "permissions": {"allow": ["Read"], "deny": ["A", "B"]}})
    project = put(root / ".claude/settings.json", {"model": "project", "permissions": {"deny": ["C"]}})
    put(root / ".claude/settings.local.json", {"model": "local"})
    managed = put(places.managed / "managed-settings.json", {"env": {"A": "1"}})
    found = load(places, root, extra='{"model": "flag"}')
    assert [layer.layer for layer in found.layers] == ["managed", "command_line", "local", "project", "user"]
    assert found.get("model") == "flag"
    assert found.merged("permissions", "deny") == ["C", "A", "B"]
    origin = found.origin("env", "A")
    assert origin is not None and (origin.layer, origin.path, origin.line) == ("managed", str(managed), 3)
    layer = found.layers_of("project")[0]
    assert str(layer.source("permissions", "deny", 0)) == f"{project}:5"
    assert found.origin("nothing") is None
    assert not found.problems


def test_drop_ins_of_the_administrator(places: Places, root: Path) -> None:
    put(places.managed / "managed-settings.json", {"model": "base", "permissions": {"deny": ["A"]}})
    put(places.managed / "managed-settings.d/10-x.json", {"model": "ten", "permissions": {"deny": ["B"]}})
    put(places.managed / "managed-settings.d/20-y.json", {"model": "twenty"})
    put(places.managed / "managed-settings.d/.hidden.json", {"model": "hidden"})
    put(places.managed / "managed-settings.d/readme.txt", "no json")
    found = load(places, root)
    assert found.get("model") == "twenty"
    assert set(found.managed("permissions", "deny")) == {"A", "B"}


@pytest.mark.parametrize("what", ["group", "folder", "owner", "broken", "link"])
def test_doubtful_administrators_refuse_the_start(places: Places, root: Path, tmp_path: Path, what: str) -> None:
    path = put(places.managed / "managed-settings.json", "{" if what == "broken" else {})
    owners = ME
    if what == "group":
        path.chmod(0o664)
    if what == "folder":
        places.managed.chmod(0o777)
    if what == "owner":
        owners = frozenset({os.getuid() + 1})
    if what == "link":
        path.unlink()
        path.symlink_to(put(tmp_path / "elsewhere.json", {}))
    with pytest.raises(StartError):
        load(places, root, owners=owners)


def test_an_untrusted_folder_only_restricts(places: Places, root: Path) -> None:
    everything: dict[str, Any] = {
        "permissions": {"allow": ["Bash"], "deny": ["Read(x)"], "ask": ["WebSearch"], "additionalDirectories": ["/o"]},
        "env": {"A": "1"},
        "hooks": {"Stop": []},
        "statusLine": {"type": "command", "command": "x"},
        "enabledPlugins": {"a@b": True},
    }
    for name in ("settings.json", "settings.local.json"):
        put(root / ".claude" / name, everything)
    found = load(places, root, trusted=False)
    assert found.data == {"permissions": {"deny": ["Read(x)"], "ask": ["WebSearch"]}}
    assert len(found.held) == 2
    assert "hooks" in found.held[0].held
    trusted = load(places, root)
    assert trusted.data["env"] == {"A": "1"} and not trusted.held


def test_what_a_folder_may_never_say(places: Places, root: Path) -> None:
    put(
        root / ".claude/settings.json",
        {
            "apiKeyHelper": "x",
            "pluginConfigs": {},
            "enableAllProjectMcpServers": True,
            "allowManagedHooksOnly": True,
            "permissions": {"defaultMode": "bypassPermissions"},
            "env": {
                "ANTHROPIC_BASE_URL": "http://x",
                "anthropic_api_key": "k",
                "OK": "1",
                "https_proxy": "p",
                "HOME": "/etc",
                "CDPATH": "/",
            },
        },
    )
    found = load(places, root)
    assert found.data == {"permissions": {}, "env": {"OK": "1"}}
    assert len(found.problems) == 10
    assert all(notice.where for notice in found.problems)


def test_broken_files_lock_until_left_out(places: Places, root: Path) -> None:
    path = put(root / ".claude/settings.json", '{\n "permissions": {"deny": ["A"],}}')
    found = load(places, root)
    assert found.locked and list(found.broken) == [str(path)]
    assert found.problems[0].where == f"{path}:2"
    assert not load(places, root, ignore=[str(path)]).locked


def test_local_settings_live_at_the_root_of_the_repository(places: Places, root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    inner = root / "pkg"
    put(root / ".claude/settings.local.json", {"model": "root", "permissions": {"deny": ["A"]}})
    put(inner / ".claude/settings.local.json", {"model": "inner", "permissions": {"deny": ["B"]}})
    put(root / ".claude/settings.json", {"theme": "dark"})
    found = load(places, inner)
    assert found.get("model") == "root"
    assert found.merged("permissions", "deny") == ["A", "B"]
    assert found.get("theme") is None
    assert local_file(places, inner) == root / ".claude/settings.local.json"
    outside = places.home / "plain"
    outside.mkdir(parents=True)
    assert local_file(places, outside) == outside / ".claude/settings.local.json"


def test_sources_can_be_chosen(places: Places, root: Path) -> None:
    put(places.user_settings, {"model": "user"})
    put(root / ".claude/settings.json", {"model": "project"})
    assert load(places, root, sources=["user"]).get("model") == "user"
    assert load(places, root, sources=[]).layers == ()


def test_the_home_folder_is_not_also_a_project(places: Places) -> None:
    put(places.user_settings, {"permissions": {"deny": ["A"]}})
    assert [layer.layer for layer in load(places, places.home).layers] == ["user"]


def test_settings_of_the_command_line(places: Places, root: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "conf" / "s.json", {"model": "file"})
    found = load(places, root, cwd=tmp_path, extra="conf/s.json")
    assert found.get("model") == "file" and found.layers[0].base == str(path.parent)
    for bad in ("{", "nowhere.json", "[1]"):
        with pytest.raises(ConfigError):
            load(places, root, extra=bad)


def test_keys_of_the_older_harness(places: Places, root: Path) -> None:
    put(
        places.user_settings,
        {
            "permissionMode": "dangerously_skip",
            "bashSandbox": True,
            "blockedPlugins": ["evil@x"],
            "disableDangerouslySkipPermissions": True,
            "maxTokens": 100,
        },
    )
    found = load(places, root)
    assert found.get("permissions", "defaultMode") == "bypassPermissions"
    assert found.get("permissions", "disableBypassPermissionsMode") == "disable"
    assert found.get("sandbox", "enabled") is True
    assert found.merged("enabledPlugins") == {"evil@x": False}
    assert found.get("maxTokens") == 100
    assert {notice.code for notice in found.problems} == {"alias"}
    put(places.user_settings, {"permissions": [{"tool": "Bash", "decision": "ask"}, {"tool": "Read"}, {"x": 1}]})
    found = load(places, root)
    assert found.data["permissions"] == {"ask": ["Bash", "Read"]}
    assert found.locked  # the entry without a tool may have been a denial
    assert found.layers[0].source("permissions", "ask", 1).line == 7


def test_strictness_wins_where_it_must(places: Places, root: Path) -> None:
    put(places.user_settings, {"permissions": {"disableBypassPermissionsMode": "disable"}})
    put(root / ".claude/settings.json", {"sandbox": True, "disabledMcpjsonServers": "x", "deniedMcpServers": "y"})
    found = load(places, root)
    assert found.get("permissions", "disableBypassPermissionsMode") == "disable"
    assert found.get("sandbox", "failIfUnavailable") is True
    assert found.merged("disabledMcpjsonServers") == ["x"]
    assert found.locked  # whom deniedMcpServers denies is unknown


def test_a_project_cannot_loosen_the_sandbox(places: Places, root: Path) -> None:
    put(
        places.user_settings,
        {"sandbox": {"enabled": True, "failIfUnavailable": True, "autoAllowBashIfSandboxed": False}},
    )
    loose = {"enabled": False, "failIfUnavailable": False, "autoAllowBashIfSandboxed": True}
    put(root / ".claude/settings.json", {"sandbox": loose})
    found = load(places, root)
    assert found.get("sandbox", "enabled") is True and found.get("sandbox", "failIfUnavailable") is True
    assert found.get("sandbox", "autoAllowBashIfSandboxed") is False
    origin = found.origin("sandbox", "enabled")
    assert origin is not None and origin.path == str(places.user_settings)


def test_misspelt_restrictions_hold(places: Places, root: Path) -> None:
    put(
        places.user_settings,
        {"permissions": {"Deny": ["A"], "asks": "B"}, "permision": {"deny": ["C"], "allow": ["D"]}},
    )
    found = load(places, root)
    assert set(found.merged("permissions", "deny")) == {"A", "C"}
    assert found.merged("permissions", "ask") == ["B"]
    assert found.merged("permissions", "allow") is None
