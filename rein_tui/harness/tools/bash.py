"""Bash: one command line in a fresh shell; only the working directory lives on."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

import msgspec

from ..processes.process import Finished, OutputLimits, child_environment, exit_reason, run_process
from ..protocol.base import JsonObject
from ..protocol.displays import CommandDisplay
from ..protocol.events import CwdChanged
from ..protocol.tools import InvalidInput, ToolContext, ToolResult, Workspace
from .background import Background, Write
from .base import BaseTool, ToolInput, failed, one_line
from .exits import interpret
from .live import LiveOutput

DEFAULT_TIMEOUT = 120_000
LONGEST_TIMEOUT = 600_000
FAILURE = 10_000
"""Characters of a failed command's output: its head and its tail."""

_QUIET = {
    "CLAUDECODE": "1",
    "GIT_EDITOR": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "PAGER": "cat",
}
"""Nobody sits at this terminal: nothing may wait for an editor, a pager or a password."""


class BashInput(ToolInput, frozen=True, kw_only=True):
    """The command, and how to run it."""

    command: str
    timeout: Annotated[float, msgspec.Meta(description="Milliseconds, at most 600000", gt=0)] | None = None
    description: Annotated[str, msgspec.Meta(description="What it does, in 5 to 10 words")] = ""
    run_in_background: bool = False


class Wrap(Protocol):
    """Puts an argv into a sandbox, where it may write into `temporary` and read the files `readable`."""

    def __call__(self, argv: list[str], temporary: str = "", readable: Sequence[str] = (), /) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Shell:
    """How commands are started in this session.

    `ambient` is where harmless variables come from (ours by default), `environment` is added to them; `env_file` is
    sourced before every command (hooks write it); `is_read_only` judges a command line. `wrap` puts the argv into a
    sandbox, but not that of a line that `runs_outside`; `guard` is called before a command, and what it gives after
    it: that has words about what the command may not have done.
    """

    spool_folder: Path
    environment: Callable[[], Mapping[str, str]] = dict
    ambient: Mapping[str, str] | None = None
    env_file: Path | None = None
    wrap: Wrap | None = None
    is_read_only: Callable[[str], bool] | None = None
    runs_outside: Callable[[str], bool] = lambda _: False
    guard: Callable[[str], Callable[[], str] | None] = lambda _: None
    program: str = field(default_factory=lambda: shutil.which("bash") or "bash")

    def argv(self, command: str, cwd_file: str) -> list[str]:
        """The argv that runs `command` and leaves its last working directory in `cwd_file`."""
        lines = ["ulimit -c 0"]
        if self.env_file is not None:
            file = shlex.quote(str(self.env_file))
            lines.append(f"[ -f {file} ] && . {file} </dev/null >/dev/null 2>&1")
        if cwd_file:
            lines.append(f"trap {shlex.quote(f'pwd -P >| {shlex.quote(cwd_file)}')} EXIT")
        argv = [self.program, "--noprofile", "--norc", "-c", "\n".join([*lines, f"eval {shlex.quote(command)}"])]
        if self.wrap is None or self.runs_outside(command):
            return argv
        readable = (str(self.env_file),) if self.env_file is not None else ()
        return self.wrap(argv, str(Path(cwd_file).parent) if cwd_file else "", readable)

    def variables(self) -> dict[str, str]:
        """The whole environment of a command."""
        variables = child_environment({**_QUIET, **self.environment()}, self.ambient)
        for name in ("BASH_ENV", "ENV", "PROMPT_COMMAND", "SHELLOPTS", "BASHOPTS", "CDPATH", "GLOBIGNORE"):
            variables.pop(name, None)
        return variables


class Bash(BaseTool[BashInput]):
    """Runs a command line."""

    name = "Bash"
    input_type = BashInput

    def __init__(self, shell: Shell, background: Background | None = None) -> None:
        self._shell = shell
        self._background = background or Background()

    def check(self, value: BashInput) -> None:
        """A command is needed, and no NUL can be in it."""
        if not value.command.strip():
            raise InvalidInput('Bash: field "command" is empty')
        if "\0" in value.command:
            raise InvalidInput('Bash: field "command" holds a NUL character')

    def is_read_only(self, value: BashInput) -> bool:
        """Whether the shell analysis knows it as harmless."""
        judge = self._shell.is_read_only
        return judge is not None and not value.run_in_background and judge(value.command)

    def summarize(self, value: BashInput) -> str:
        """The command line."""
        return one_line(f"Bash {value.command}")

    async def preview(self, value: BashInput, context: ToolContext) -> CommandDisplay:
        """The command, whole, and where it would run."""
        return CommandDisplay(command=value.command, description=value.description, cwd=str(context.workspace.cwd))

    async def run(self, value: BashInput, context: ToolContext) -> ToolResult:
        """Run it to its end, or start it in the background."""
        notices = [await _return_home(context)]
        cwd = str(context.workspace.cwd)
        if value.run_in_background:
            return await self._start(value, cwd, context)
        look_after = self._shell.guard(value.command)
        with tempfile.TemporaryDirectory(prefix="rein-tui-", ignore_cleanup_errors=True) as folder:
            cwd_file = Path(folder, "cwd")
            async with LiveOutput(context) as live:
                try:
                    done = await run_process(
                        self._shell.argv(value.command, str(cwd_file)),
                        cwd=cwd,
                        env=self._shell.variables(),
                        timeout=min(value.timeout or DEFAULT_TIMEOUT, LONGEST_TIMEOUT) / 1000,
                        on_output=live.add,
                        merge_stderr=True,
                        spool_folder=self._shell.spool_folder,
                    )
                except OSError as error:
                    return failed(f"The shell could not be started: {error.strerror or error}")
                finally:
                    notices += [look_after()] if look_after is not None else []
            notices.append(await _move(cwd_file, context))
        return _result(value, done, cwd, [notice for notice in notices if notice])

    async def _start(self, value: BashInput, cwd: str, context: ToolContext) -> ToolResult:
        shell = self._shell

        async def work(write: Write) -> int | None:
            # A server may print for days: only what is asked for is kept, so nothing ends it for printing.
            limits = OutputLimits(head=0, tail=0, spool=1 << 62)
            look_after = shell.guard(value.command)
            try:
                done = await run_process(
                    shell.argv(value.command, ""),
                    cwd=cwd,
                    env=shell.variables(),
                    limits=limits,
                    on_output=write,
                    merge_stderr=True,
                )
            finally:
                if look_after is not None and (told := look_after()):
                    await write(f"\n{told}\n".encode())
            return done.exit_code

        task = await self._background.start(one_line(value.command), work, context.emit, call_id=context.call_id)
        return ToolResult(
            content=f"Runs in the background as {task.id}. TaskOutput reads its output, TaskStop ends it.",
            display=CommandDisplay(
                command=value.command, description=value.description, cwd=cwd, background_id=task.id
            ),
            response=_response("", [], interrupted=False) | {"backgroundTaskId": task.id},
        )


async def _return_home(context: ToolContext) -> str:
    """Go back to the root when the working directory is gone; the words for it."""
    workspace, old = context.workspace, context.workspace.cwd
    if old.is_dir():
        return ""
    workspace.cwd = workspace.root
    if old != workspace.root:
        await context.emit(CwdChanged(old=str(old), new=str(workspace.root)))
    return f"Shell cwd was reset to {workspace.root}"


async def _move(cwd_file: Path, context: ToolContext) -> str:
    """Take over the folder where the command ended; the words for it when that is not where the person works."""
    workspace = context.workspace
    old = workspace.cwd
    new = _ended_in(cwd_file, workspace)
    if new is None or context.agent_id:
        return ""
    inside = _is_inside(new, workspace)
    workspace.cwd = new if inside else workspace.root
    if workspace.cwd != old:
        await context.emit(CwdChanged(old=str(old), new=str(workspace.cwd)))
    return "" if inside else f"Shell cwd was reset to {workspace.root}"


def _ended_in(cwd_file: Path, workspace: Workspace) -> Path | None:
    """The folder that the shell left behind, if it is another one than before."""
    try:
        text = cwd_file.read_text(encoding="utf-8", errors="surrogateescape").removesuffix("\n")
    except OSError:
        return None
    return None if not text or text == os.path.realpath(workspace.cwd) else Path(text)


def _is_inside(folder: Path, workspace: Workspace) -> bool:
    return any(folder.is_relative_to(os.path.realpath(root)) for root in (workspace.root, *workspace.additional))


def _result(value: BashInput, done: Finished, cwd: str, notices: list[str]) -> ToolResult:
    output = done.stdout.decode("utf-8", "replace").strip("\n")
    meaning = interpret(value.command, done.exit_code) if done.exit_code else ""
    is_error = done.exit_code != 0 and not meaning
    if done.timed_out:
        notices.append("Its processes were ended. Give a longer timeout, or use run_in_background.")
    if done.spool is not None:
        notices.append(f"The whole output is in {done.spool}")
    text = _shortened(output) if is_error else output
    reason = exit_reason(done)
    parts = [reason[0].upper() + reason[1:] if is_error else "", text, meaning, *notices]
    response = _response(output, notices, interrupted=done.timed_out)
    if meaning:
        response["returnCodeInterpretation"] = meaning
    if done.spool is not None:
        response["persistedOutputPath"] = str(done.spool)
    return ToolResult(
        content="\n".join(part for part in parts if part) or "(no output)",
        is_error=is_error,
        display=CommandDisplay(
            command=value.command,
            description=value.description,
            cwd=cwd,
            output=output,
            exit_code=done.exit_code,
            timed_out=done.timed_out,
            dropped_bytes=done.dropped,
        ),
        response=response,
    )


def _response(stdout: str, notices: list[str], *, interrupted: bool) -> JsonObject:
    return {"stdout": stdout, "stderr": "\n".join(notices), "interrupted": interrupted, "isImage": False}


def _shortened(text: str) -> str:
    if len(text) <= FAILURE:
        return text
    half = FAILURE // 2
    return f"{text[:half]}\n[... {len(text) - FAILURE:,} characters left out ...]\n{text[-half:]}"
