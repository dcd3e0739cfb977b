"""A checkout of its own for an agent: a git worktree below the project, gone again when nothing was changed in it."""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..context.git import git_argv
from ..processes.environment import child_environment
from ..processes.process import exit_reason, run_process, uninterrupted
from ..protocol.errors import ConfigError
from ..protocol.tools import Workspace

FOLDER = ".claude/worktrees"

_SECONDS = 120.0


@dataclass(slots=True)
class Worktree:
    """A worktree: its folder, its branch, the commit that it began with. `left` says what became of it."""

    path: Path
    branch: str
    base: str
    workspace: Workspace
    left: str = ""


@asynccontextmanager
async def worktree(workspace: Workspace, agent: str) -> AsyncGenerator[Worktree]:
    """A new worktree of the repository that the session works in. Raises ConfigError."""
    adding = asyncio.ensure_future(_add(workspace, agent))
    try:
        tree = await uninterrupted(adding)
    except asyncio.CancelledError:
        if adding.done() and not adding.cancelled() and adding.exception() is None:
            await uninterrupted(_leave(adding.result()))
        raise
    try:
        yield tree
    finally:
        tree.left = await uninterrupted(_leave(tree))


async def _add(workspace: Workspace, agent: str) -> Worktree:
    root = workspace.root
    if not workspace.trusted and await _runs_filters(root):
        hint = "Trust the folder first."
        text = "a checkout would run this repository's own filters, and it is not trusted"
        raise ConfigError(text, where=str(root), hint=hint)
    base = await _git(root, "rev-parse", "--verify", "HEAD^{commit}")
    inside = await _git(root, "rev-parse", "--show-prefix")
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in agent) + f"-{secrets.token_hex(4)}"
    folder = _folder(root)
    path, branch = folder / name, f"worktree-{name}"
    await _git(root, "worktree", "add", "--quiet", "-b", branch, str(path), base)
    cwd = path / inside
    cwd = cwd if cwd.is_dir() else path
    return Worktree(path, branch, base, replace(workspace, root=cwd, cwd=cwd, additional=list(workspace.additional)))


async def _runs_filters(root: Path) -> bool:
    """Whether the repository's own configuration names programs that a checkout runs. Raises ConfigError."""
    told = await _git(root, "config", "--list", "--show-scope", "--name-only")
    scopes = (line.split("\t", 1) for line in told.splitlines())
    return any(scope in ("local", "worktree") and key.lower().startswith("filter.") for scope, key in scopes)


def _folder(root: Path) -> Path:
    """The folder of all worktrees, which no commit takes along. Raises ConfigError."""
    folder = root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root)):
            raise ConfigError("leads out of the project", where=str(folder))
        ignored = folder / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")
    except OSError as problem:
        raise ConfigError(f"cannot be made: {problem.strerror or problem}", where=str(folder)) from problem
    return folder


async def _leave(tree: Worktree) -> str:
    """Remove it where nothing was changed; else say where the changes are. Never raises ConfigError."""
    where = f"Its changes are in {tree.path}, on the branch {tree.branch}."
    try:
        changed = await _git(tree.path, "status", "--porcelain", "--untracked-files=normal")
        if changed or await _git(tree.path, "rev-parse", "HEAD") != tree.base:
            return where
        repository = await _git(tree.path, "rev-parse", "--path-format=absolute", "--git-common-dir")
        await _git(Path(repository), "worktree", "remove", "--force", str(tree.path))
        await _git(Path(repository), "branch", "--quiet", "-D", tree.branch)
    except ConfigError as problem:
        return f"{where} ({problem.message})"
    return ""


async def _git(folder: Path, *arguments: str) -> str:
    """What git says there. Raises ConfigError."""
    env = child_environment({"GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"})
    try:
        done = await run_process(git_argv(*arguments), cwd=folder, env=env, timeout=_SECONDS)
    except OSError as problem:
        raise ConfigError(f"git cannot run: {problem.strerror or problem}", where=str(folder)) from problem
    if done.exit_code != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        text = f"git {arguments[0]} failed ({said[0] if said else exit_reason(done)})"
        raise ConfigError(text, where=str(folder))
    return done.stdout.decode("utf-8", "surrogateescape").strip("\n")
