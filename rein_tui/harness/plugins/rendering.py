"""From a body to what the model reads: arguments, then folders, then `!` commands, then `@` files; nothing twice.

What a command printed is never looked at again, neither for placeholders nor for further commands.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from ..protocol.errors import ReinError
from .arguments import fill_arguments
from .definitions import read_file
from .substitute import fill, folder_values, option_values
from .words import Definition

RunShell = Callable[[Definition, str], Awaitable[str]]
"""Runs one `!` command and gives its output. Raises Aborted."""

_SHELL = re.compile(
    r"^[ \t]*```![^\n]*\n(?P<script>.*?)^[ \t]*```[ \t]*$|(?<!\S)!`(?P<line>[^`\n]+)`", re.MULTILINE | re.DOTALL
)
DISABLED = "[shell command execution disabled by policy]"


class Aborted(ReinError):
    """A command or skill that cannot be used now: the model never sees it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What rendering may use. `shell` None: `!` commands are replaced by a fixed text."""

    project: str
    session_id: str
    effort: str = ""
    shell: RunShell | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """`text` goes to the model; `words` is the same without what commands printed: the place to look for `@` files."""

    text: str
    words: str
    commands: tuple[str, ...] = field(default=())


async def render(defined: Definition, raw: str, scene: Scene) -> Rendered:
    """The body of a definition with everything filled in. Raises Aborted, ConfigError."""
    text = _prepared(defined, raw, scene)
    options = option_values(defined.owner)
    said: list[str] = []
    words: list[str] = []
    commands: list[str] = []
    at = 0
    for match in _SHELL.finditer(text):
        plain = fill(text[at : match.start()], options)
        command = (match["script"] if match["script"] is not None else match["line"]).strip()
        commands.append(command)
        said += [plain, DISABLED if scene.shell is None else await scene.shell(defined, command)]
        words.append(plain)
        at = match.end()
    rest = fill(text[at:], options)
    return Rendered("".join([*said, rest]).strip(), "\n".join([*words, rest]), tuple(commands))


def render_words(defined: Definition, scene: Scene) -> str:
    """The body without arguments and without running anything: for a skill that an agent begins with."""
    return fill(_SHELL.sub(DISABLED, _prepared(defined, "", scene)), option_values(defined.owner)).strip()


def _prepared(defined: Definition, raw: str, scene: Scene) -> str:
    """Arguments and folders filled in."""
    body = read_file_body(defined)
    return fill(fill_arguments(body, raw, defined.arguments, defined.base), _values(defined, scene))


def read_file_body(defined: Definition) -> str:
    """The body as it stands in the file now. Raises ConfigError."""
    from pathlib import Path

    return read_file(Path(defined.path), defined.owner).body.strip()


def _values(defined: Definition, scene: Scene) -> Mapping[str, str]:
    return folder_values(defined.owner, scene.project) | {
        "CLAUDE_SKILL_DIR": defined.folder,
        "CLAUDE_SESSION_ID": scene.session_id,
        "CLAUDE_EFFORT": scene.effort,
    }
