"""The corpus of bad settings files, loaded from a real tree."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.permissions.policy import Policy
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import PermissionQuery
from rein_tui.harness.protocol.errors import StartError
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings.layers import Settings
from rein_tui.harness.settings.load import load_settings
from rein_tui.harness.settings.watch import SettingsWatch
from tests.harness.permissions.tally import Tally, cases

OURS = ("settings.json", "managed-settings.json")
MARKER = "\n---changed while running---\n"


def content_of(case: dict[str, Any]) -> bytes:
    if "content_b64" in case:
        return base64.b64decode(case["content_b64"])
    if "content_gen" in case:
        return eval(case["content_gen"]).encode()
    return (case["content"] or "").encode()


class World:
    """A machine for one case."""

    def __init__(self, base: Path, case: dict[str, Any]) -> None:
        self.case = case
        home = base / "home"
        self.root = base / "w" / "proj"
        self.root.mkdir(parents=True)
        home.mkdir()
        self.places = Places(
            home=home, config=home / ".claude", managed=base / "etc", data=base / "data", cache=base / "cache"
        )
        self.files = {
            "user": home / ".claude" / "settings.json",
            "project": self.root / ".claude" / "settings.json",
            "local": self.root / ".claude" / "settings.local.json",
            "managed": base / "etc" / "managed-settings.json",
        }
        for layer, data in case.get("other_layers", {}).items():
            if layer in self.files and layer != case["scope"]:
                self.write(layer, json.dumps(data).encode())
        self.write(case["scope"], content_of(case).split(MARKER.encode())[0])
        self.arrange(case.get("fs", {}))

    def write(self, layer: str, content: bytes) -> None:
        path = self.files[layer]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def arrange(self, fs: dict[str, Any]) -> None:
        path = self.files[self.case["scope"]]
        if "symlink_to" in fs:
            path.unlink()
            path.symlink_to(fs["symlink_to"])
        if "mode" in fs:
            path.chmod(int(fs["mode"], 8))
        if "dir_mode" in fs:
            path.parent.chmod(int(fs["dir_mode"], 8))

    def load(self) -> Settings:
        return load_settings(
            self.places, self.root, trusted=self.case["trusted_folder"], owners=frozenset({os.getuid()})
        )

    def change(self, settings: Settings) -> Settings:
        """Let the file change as the case says, and watch."""
        watch = SettingsWatch(settings, self.load)
        self.write(self.case["scope"], content_of(self.case).split(MARKER.encode())[1])
        assert watch.poll() is None
        fresh = watch.poll()
        assert fresh is not None
        return fresh


def outcomes(settings: Settings, policy: Policy) -> set[str]:
    """What became of the file, in the words of the corpus."""
    codes = {notice.code for notice in policy.problems}
    found: set[str] = set()
    words = {
        "entry_hardened": "entry_hardened",
        "entry_skipped": "entry_skipped",
        "unknown_tool": "entry_skipped",
        "inert_rule": "entry_skipped",
        "alias": "entry_hardened",
        "clamped": "clamped",
        "held_until_trust": "held_until_trust",
        "settings_suspended": "keep_last_good",
    }
    found |= {words[code] for code in codes if code in words}
    if settings.locked:
        found.add("file_rejected_locked")
    if not settings.trusted and not any(key in settings.data for key in ("env", "hooks", "enableAllProjectMcpServers")):
        found.add("held_until_trust")
    return found or {"accepted"}


@pytest.mark.corpus
def test_settings_corpus(corpus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally("settings_bad (probes)")
    wrong: list[str] = []
    for number, case in enumerate(cases(corpus_folder / "settings_bad.jsonl")):
        if case["file"] not in OURS or (case.get("fs", {}).get("mode") == "000" and os.getuid() == 0):
            continue
        world = World(tmp_path / str(number), case)
        expect = case["expect"]
        try:
            settings = world.load()
        except StartError:
            if "start_refused" not in expect["accept_outcomes"]:
                wrong.append(f"{case['id']}: start refused")
            continue
        if MARKER.encode() in content_of(case):
            settings = world.change(settings)
        workspace = Workspace(root=world.root, cwd=world.root, home=world.places.home)
        policy = Policy(settings, workspace, world.places)
        if case["category"] != "hooks" and not outcomes(settings, policy) & set(expect["accept_outcomes"]):
            wrong.append(f"{case['id']}: {outcomes(settings, policy)} not in {expect['accept_outcomes']}")
        if expect["user_notice"] and case["category"] != "hooks" and not policy.problems:
            wrong.append(f"{case['id']}: nothing was said")
        if not any(key in case["id"] for key in ("sp-hooks-02", "sp-hooks-06")):  # these need the hook engine
            probe(world, policy, expect["probes"], tally)
    tally.must_hold(capsys)
    assert not tally.misses
    assert not wrong


def probe(world: World, policy: Policy, probes: list[dict[str, Any]], tally: Tally) -> None:
    for index, asked in enumerate(probes):
        tool_input = dict(asked["input"])
        if "file_path" in tool_input:
            tool_input["file_path"] = str(world.root / tool_input["file_path"])
        query = PermissionQuery(tool=asked["tool"], input=tool_input, cwd=str(world.root))
        decision = policy.decide(query)
        never = [word for word in ("allow",) if word not in asked["accept"]]
        case = {**asked, "id": f"{world.case['id']}/{index}", "never": never}
        tally.score(case, decision.outcome, decision.reason)


@pytest.mark.corpus
def test_bypass_is_refused_where_a_lock_has_the_wrong_kind(corpus_folder: Path, tmp_path: Path) -> None:
    found = [case for case in cases(corpus_folder / "settings_bad.jsonl") if case["id"] == "sp-rules-10"]
    for case in found:
        world = World(tmp_path / "w", case)
        workspace = Workspace(root=world.root, cwd=world.root, home=world.places.home)
        policy = Policy(world.load(), workspace, world.places)
        with pytest.raises(Exception, match="forbidden"):
            policy.set_mode("bypassPermissions")
