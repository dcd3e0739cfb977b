"""Trust: for what a folder holds, kept for its repository, taken back by change."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.policy import TrustReply, TrustRequest
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.settings.edit import add_rule
from rein_tui.harness.settings.repository import main_checkout, repository_root, trust_root
from rein_tui.harness.settings.trust import (
    forget_trust,
    keep_trust,
    may_speak,
    read_trust,
    record_trust,
    trusted_folders,
)
from rein_tui.harness.wiring.build import open_workbench
from rein_tui.harness.wiring.wishes import Wishes
from tests.fakes.engines import ScriptedPerson

HOOKS = {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "./gate.sh"}]}]}


def put(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent=1), encoding="utf-8")


def git(*args: str, cwd: Path) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *args], cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "proj"
    folder.mkdir()
    return folder


def test_a_yes_holds_until_something_executable_changes(places: Places, root: Path) -> None:
    report = read_trust(places, root)
    assert not report.trusted and report.items == () and not report.changed
    record_trust(places, report)
    assert read_trust(places, root).trusted
    put(root / "README.md", "text")
    put(root / ".claude/settings.json", {"permissions": {"deny": ["Bash"]}, "$schema": "x"})
    assert read_trust(places, root).trusted
    put(root / ".claude/settings.json", {"hooks": HOOKS})
    changed = read_trust(places, root)
    assert not changed.trusted and changed.changed
    assert [item.kind for item in changed.items] == ["hook"]
    record_trust(places, changed)
    assert read_trust(places, root).trusted
    assert places.trust_file.stat().st_mode & 0o777 == 0o600
    assert [folder for folder, _ in trusted_folders(places)] == [str(root)]
    assert forget_trust(places, root) and not forget_trust(places, root)
    assert not read_trust(places, root).trusted


def test_the_dialog_lists_everything_that_a_yes_enables(places: Places, root: Path) -> None:
    put(
        root / ".claude/settings.json",
        {
            "hooks": HOOKS,
            "env": {"LD_PRELOAD": "./x.so"},
            "statusLine": {"type": "command", "command": "./line.sh"},
            "permissions": {"allow": ["Bash(npm *)"], "additionalDirectories": ["/srv"], "defaultMode": "acceptEdits"},
            "enabledPlugins": {"p@m": True},
            "model": "x",
        },
    )
    put(root / ".mcp.json", {"mcpServers": {"db": {"command": "node", "args": ["db.js", "--all"]}}})
    put(root / ".claude/agents/a.md", "---\nname: a\nhooks:\n  Stop: []\n---\nbody")
    put(root / ".claude/commands/c.md", "---\ndescription: harmless\n---\nhooks: no")
    items = read_trust(places, root).items
    kinds = {(item.kind, item.title) for item in items}
    assert kinds == {
        ("hook", "./gate.sh"),
        ("environment", "LD_PRELOAD=./x.so"),
        ("helper", "./line.sh"),
        ("allow", "Bash(npm *)"),
        ("directory", "/srv"),
        ("mode", "acceptEdits"),
        ("plugin", "enabledPlugins: p@m"),
        ("setting", 'model: "x"'),
        ("mcp", "node db.js --all"),
        ("frontmatter", ".claude/agents/a.md (hooks)"),
    }
    assert all(item.where for item in items)


def test_what_lies_above_in_the_repository_and_plugins_among_skills_are_listed(places: Places, root: Path) -> None:
    put(root / ".git/HEAD", "ref: refs/heads/main\n")
    sub = root / "sub"
    put(root / ".claude/skills/s/SKILL.md", "---\nallowed-tools: Bash\n---\nbody")
    put(sub / ".claude/skills/p/.claude-plugin/plugin.json", {"name": "p"})
    put(sub / ".claude/skills/p/hooks/hooks.json", {"hooks": HOOKS})
    report = read_trust(places, sub)
    assert [item.title for item in report.items] == [
        ".claude/skills/p: a plugin, with all that it runs",
        "../.claude/skills/s/SKILL.md (allowed-tools)",
    ]
    record_trust(places, report)
    assert read_trust(places, sub).trusted
    put(sub / ".claude/skills/p/run.sh", "curl evil")
    assert read_trust(places, sub).changed


def test_what_a_folder_says_counts_unless_something_in_it_asks_for_trust(places: Places, root: Path) -> None:
    put(root / "CLAUDE.md", "Be brief.")
    assert may_speak(places, root, trusted=False)
    put(root / ".claude/settings.json", {"hooks": HOOKS})
    assert not may_speak(places, root, trusted=False) and may_speak(places, root, trusted=True)
    assert not may_speak(places, places.home, trusted=False)


def test_each_kind_of_content_counts(places: Places, root: Path) -> None:
    put(root / ".mcp.json", {"mcpServers": {"x": {"command": "node", "args": ["old.js"]}}})
    record_trust(places, read_trust(places, root))
    put(root / ".mcp.json", {"mcpServers": {"x": {"command": "node", "args": ["new.js"]}}})
    assert read_trust(places, root).changed
    put(root / ".mcp.json", {"mcpServers": {"x": {"args": ["old.js"], "command": "node"}}})
    assert read_trust(places, root).trusted
    put(root / ".mcp.json", "{")
    assert [item.kind for item in read_trust(places, root).items] == ["broken"]


def test_records_of_the_ecosystem_count(places: Places, root: Path) -> None:
    put(places.global_state, {"projects": {str(root): {"hasTrustDialogAccepted": True}}})
    assert read_trust(places, root).trusted
    put(places.global_state, {"projects": {str(root): {"hasTrustDialogAccepted": "yes"}}})
    assert not read_trust(places, root).trusted
    put(places.global_state, "nonsense")
    assert not read_trust(places, root).trusted


def test_the_home_folder_is_never_remembered(places: Places) -> None:
    report = read_trust(places, places.home)
    record_trust(places, report)
    assert not report.can_remember and not read_trust(places, places.home).trusted
    assert not places.trust_file.exists()


def test_what_the_person_changes_through_us_stays_trusted(places: Places, root: Path) -> None:
    record_trust(places, read_trust(places, root))
    with keep_trust(places, root):
        add_rule(root / ".claude/settings.local.json", "allow", "Bash(npm test)")
    assert read_trust(places, root).trusted
    add_rule(root / ".claude/settings.local.json", "allow", "Bash")
    assert not read_trust(places, root).trusted
    with keep_trust(places, root):
        add_rule(root / ".claude/settings.local.json", "allow", "Edit")
    assert not read_trust(places, root).trusted


def test_trust_belongs_to_the_repository(places: Places, root: Path) -> None:
    git("init", "-q", ".", cwd=root)
    inner = root / "a" / "b"
    inner.mkdir(parents=True)
    assert repository_root(inner) == root == trust_root(inner)
    record_trust(places, read_trust(places, root))
    assert read_trust(places, inner).trusted
    put(inner / ".claude/settings.json", {"hooks": HOOKS})
    assert read_trust(places, inner).changed


def test_a_worktree_shares_the_trust_of_its_main_checkout(places: Places, root: Path, tmp_path: Path) -> None:
    git("init", "-q", ".", cwd=root)
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=root)
    tree = tmp_path / "tree"
    git("worktree", "add", "-q", str(tree), cwd=root)
    assert main_checkout(tree) == root == trust_root(tree)
    record_trust(places, read_trust(places, root))
    assert read_trust(places, tree).trusted


@pytest.mark.parametrize("answer", ["none", "other", "commondir"])
def test_a_pointer_that_is_not_answered_gains_nothing(places: Places, root: Path, tmp_path: Path, answer: str) -> None:
    git("init", "-q", ".", cwd=root)
    record_trust(places, read_trust(places, root))
    evil = tmp_path / "evil"
    private = root / ".git" / "worktrees" / "evil"
    if answer == "commondir":
        private = evil / "fake" / ".git" / "worktrees" / "evil"
        put(private / "gitdir", f"{evil}/.git\n")
        put(private / "commondir", f"{root}/.git\n")
    if answer == "other":
        put(private / "gitdir", f"{tmp_path}/elsewhere/.git\n")
    put(evil / ".git", f"gitdir: {private}\n")
    assert trust_root(evil) == evil
    assert not read_trust(places, evil).trusted


class Suspicious(ScriptedPerson):
    """Trusts what they are asked first, and nothing after it."""

    def __init__(self) -> None:
        super().__init__()
        self.roots: list[str] = []

    async def trust(self, request: TrustRequest) -> TrustReply:
        self.roots.append(request.root)
        return TrustReply(trusted=len(self.roots) == 1)


async def test_a_yes_to_one_folder_says_nothing_of_another(places: Places, tmp_path: Path) -> None:
    roots = [tmp_path / "mine", tmp_path / "theirs"]
    for root in roots:
        put(root / ".claude" / "settings.json", {"hooks": HOOKS, "permissions": {"allow": ["Bash(rm *)"]}})
    person, environment = Suspicious(), {"HOME": str(places.home), "PATH": "/usr/bin:/bin"}
    script = tmp_path / "script.json"
    script.write_text('{"steps": [{"text": "hi"}]}')
    choice = ModelChoice(kind="demo", model="scripted", path=str(script))
    wishes = Wishes(root=roots[0])
    bench = open_workbench(places, environment, wishes, person, choice)
    try:
        outcomes: list[str] = []
        for root in (*roots, *roots):
            harness = await bench.open("", replace(wishes, root=root))
            assert harness.permissions is not None
            decision = (await harness.permissions.check_text("Bash(rm x)")).decision
            outcomes.append(decision.outcome if decision is not None else "")
    finally:
        await bench.close()
    assert person.roots == [str(root) for root in roots]
    assert outcomes == ["allow", "ask", "allow", "ask"]
