"""The system prompt: a short creed, and a block on where and when the session runs.

It is built once a session and then stays, so that the provider's cache holds.
"""

import os
import platform
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from ..protocol.base import Word
from ..protocol.tools import Workspace
from .git import branch_of, repository_of, status_of

Profile: TypeAlias = Literal["full", "lean"]
"""`lean` is for small models: a third of the words, one instruction a line."""


class Surroundings(Word, frozen=True, kw_only=True):
    """Where and when a session runs, as the model is told."""

    cwd: str
    additional: tuple[str, ...] = ()
    is_repository: bool = False
    branch: str = ""
    status: str = ""
    system: str = ""
    shell: str = ""
    date: str = ""
    model: str = ""

    def text(self, profile: Profile = "full") -> str:
        """The block of the system prompt."""
        lines = [f"Working directory: {self.cwd}"]
        lines += [f"Also in reach: {folder}" for folder in self.additional]
        if profile == "full":
            repository = f"yes, on branch {self.branch or '?'}" if self.is_repository else "no"
            lines += [f"Git repository: {repository}", f"Shell: {self.shell}"]
        lines += [f"System: {self.system}", f"Today: {self.date}"]
        if self.model and profile == "full":
            lines.append(f"Model: {self.model}")
        block = "\n".join(lines)
        if self.status and profile == "full":
            block += f"\n\nGit status when the session began (it does not update):\n{self.status}"
        return f"<environment>\n{block}\n</environment>"


class SystemPrompt(Word, frozen=True, kw_only=True):
    """The text, and the length in characters of each of its parts."""

    text: str
    sources: dict[str, int]


async def look_around(workspace: Workspace, *, model: str = "", today: str = "", with_git: bool = True) -> Surroundings:
    """What there is to tell. Git is asked only in a trusted workspace, and where its state is wanted."""
    is_repository = repository_of(workspace.cwd) is not None
    return Surroundings(
        cwd=str(workspace.cwd),
        additional=tuple(str(folder) for folder in workspace.additional),
        is_repository=is_repository,
        branch=branch_of(workspace.cwd),
        status=await status_of(workspace.cwd) if with_git and is_repository and workspace.trusted else "",
        system=f"{platform.system()} {platform.release()} ({platform.machine()})",
        shell=os.path.basename(os.environ.get("SHELL", "")) or "sh",  # noqa: PTH119
        date=today or time.strftime("%A, %Y-%m-%d"),
        model=model,
    )


def build_system_prompt(
    surroundings: Surroundings,
    *,
    profile: Profile = "full",
    override: str | None = None,
    appended: Sequence[tuple[str, str]] = (),
) -> SystemPrompt:
    """Creed and surroundings, then what was appended, as (source, text) pairs: output style, skills, `--append-…`.

    `override` (`--system-prompt`) takes the place of the creed and the surroundings.
    """
    if override is not None:
        parts = [("--system-prompt", override.strip())]
    else:
        parts = [("instructions", creed(profile)), ("environment", surroundings.text(profile))]
    parts += [(source, text.strip()) for source, text in appended]
    sources: dict[str, int] = {}
    for source, text in parts:
        if text:
            sources[source] = sources.get(source, 0) + len(text)
    return SystemPrompt(text="\n\n".join(text for _, text in parts if text), sources=sources)


@cache
def creed(profile: Profile) -> str:
    """The fixed part, at most 1.5 kB."""
    name = "system.md" if profile == "full" else "system_lean.md"
    return (Path(__file__).parent / name).read_text(encoding="utf-8").strip()
