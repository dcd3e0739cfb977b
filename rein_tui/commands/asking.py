"""Commands that are prompts: what many people ask a coding assistant, in words that work."""

from typing import TYPE_CHECKING

from rein_tui.harness.protocol.ports import Prompt

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

_INIT = """\
Look at this codebase and write a CLAUDE.md at its root: what a new colleague needs in the first hour and cannot see \
from the file list. How to build, lint and test (also a single test), how the parts fit together across files, rules \
and habits that the code or its documents state. If a CLAUDE.md is there, improve it instead. Leave out what is \
obvious, generic advice, and anything that you did not find in the files. At most 100 lines."""

_REVIEW = """\
Review the changes of this working tree (git status, git diff, and the commits since the default branch where that is \
what I mean). Read the files around each change. Report only what you would stop a merge for or gladly fix: bugs, \
lost cases, security, data loss, missing tests for risky behaviour, needless complexity. For each: file and line, what \
happens, how to fix it; the gravest first. Check every finding in the code before you report it. Change nothing."""

_SECURITY = """\
Review the changes of this working tree for security alone: injection, path traversal, missing authorisation, secrets \
in code or logs, unsafe deserialisation, weak cryptography, races, denial of service by input. Follow data from where \
it enters to where it is used. Report only what can be exploited, with the input that does it, file and line, and the \
fix. Change nothing."""


def _asks(name: str, text: str) -> "Run":
    async def run(app: "ReinApp", argument: str) -> None:
        """A command of that name in the person's or the project's files goes before ours."""
        turns = app.desk.current
        if turns is not None:
            theirs = any(info.name == name for info in app.workbench.commands())
            whole = f"/{name} {argument}".rstrip() if theirs else f"{text}\n\n{argument}".rstrip()
            turns.submit(Prompt(text=whole), whole)

    return run


if TYPE_CHECKING:
    from .registry import Run

COMMANDS = (
    Command("init", "Write a CLAUDE.md for this codebase", _asks("init", _INIT), family="prompt"),
    Command(
        "review",
        "Review the changes of this working tree",
        _asks("review", _REVIEW),
        argument="[what]",
        aliases=("code-review",),
        family="prompt",
    ),
    Command(
        "security-review",
        "Review the changes for security alone",
        _asks("security-review", _SECURITY),
        argument="[what]",
        family="prompt",
    ),
)
