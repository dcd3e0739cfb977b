"""The system prompt is short, tells where it runs, and never runs what a repository brings along."""

import shutil
import subprocess
from pathlib import Path

import pytest

from rein_tui.harness.context.git import branch_of, git_argv, repository_of, status_of
from rein_tui.harness.context.system_prompt import Surroundings, build_system_prompt, creed, look_around
from rein_tui.harness.protocol.tools import Workspace

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init")
    (folder / "a.py").write_text("x = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first commit")
    return folder


def test_it_is_short() -> None:
    assert len(creed("full").encode()) <= 1500
    assert len(creed("lean").encode()) <= 700


def test_parts_are_told_with_their_lengths() -> None:
    around = Surroundings(cwd="/p", is_repository=True, branch="main", system="Linux", shell="bash", date="today")
    prompt = build_system_prompt(around, appended=[("output style", "Speak like a pirate."), ("empty", " ")])
    assert prompt.text.endswith("Speak like a pirate.")
    assert "Working directory: /p" in prompt.text
    assert list(prompt.sources) == ["instructions", "environment", "output style"]
    assert sum(prompt.sources.values()) + 4 == len(prompt.text)


def test_an_override_takes_the_place_of_everything_but_what_is_appended() -> None:
    prompt = build_system_prompt(Surroundings(cwd="/p"), override="Be a cat.\n", appended=[("x", "Meow.")])
    assert prompt.text == "Be a cat.\n\nMeow."


def test_the_lean_profile_is_leaner() -> None:
    around = Surroundings(cwd="/p", is_repository=True, status="M a", model="m")
    assert len(build_system_prompt(around, profile="lean").text) < len(build_system_prompt(around).text) / 2


@needs_git
async def test_status_only_where_trusted(repository: Path, tmp_path: Path) -> None:
    (repository / "a.py").write_text("x = 2\n")
    workspace = Workspace(root=repository, cwd=repository, home=tmp_path)
    assert (await look_around(workspace)).status == ""
    workspace.trusted = True
    around = await look_around(workspace, today="Sunday, 2026-01-04")
    assert around.branch == "main"
    assert "M a.py" in around.status
    assert "first commit" in around.status
    assert around.text() in build_system_prompt(around).text


@needs_git
async def test_a_hostile_configuration_runs_nothing(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    sprung = tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand"):
        git(repository, "config", key, str(trap))
    hooks = repository / ".git" / "hooks"
    for name in ("post-index-change", "fsmonitor-watchman"):
        (hooks / name).write_text(trap.read_text())
        (hooks / name).chmod(0o755)
    sprung.unlink(missing_ok=True)
    (repository / "a.py").write_text("x = 3\n")
    assert "M a.py" in await status_of(repository)
    assert not sprung.exists()


@needs_git
def test_branches_come_from_files(repository: Path, tmp_path: Path) -> None:
    assert branch_of(repository) == "main"
    below = repository / "src" / "deep"
    below.mkdir(parents=True)
    git(repository, "checkout", "-b", "feature/x")
    assert branch_of(below) == "feature/x"
    assert repository_of(below) == repository
    git(repository, "worktree", "add", str(tmp_path / "tree"), "-b", "other")
    assert branch_of(tmp_path / "tree") == "other"
    git(repository, "checkout", "--detach")
    assert len(branch_of(repository)) == 8
    assert branch_of(tmp_path) == ""


def test_broken_git_folders(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert branch_of(tmp_path) == ""


async def test_no_git_here(tmp_path: Path) -> None:
    assert await status_of(tmp_path / "nowhere") == ""


def test_the_command_line_holds_the_overrides() -> None:
    assert git_argv("status")[:3] == ["git", "--no-pager", "--no-optional-locks"]
    assert "core.fsmonitor=false" in git_argv("status")
