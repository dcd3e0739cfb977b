"""Command handlers: a program or a shell line that reads JSON and answers with its exit code and output."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

from rein_tui.harness.hooks.context import HookContext
from rein_tui.harness.hooks.placeholders import PlaceholderError, fill_plain, fill_powershell, fill_shell, folders
from rein_tui.harness.hooks.points import POINTS
from rein_tui.harness.hooks.runners.first_line import FirstLine
from rein_tui.harness.hooks.runners.job import Fault, Job, Raw, failed
from rein_tui.harness.processes.process import Finished, OutputLimits, exit_reason, run_process

MAX_STDOUT = 1024 * 1024
"""Bytes of output that are read as an answer; a gate that prints more is broken."""

_LIMITS = OutputLimits(head=MAX_STDOUT, tail=1024, spool=64 * 1024 * 1024)
_HIDDEN_PREFIX = "CLAUDE_PLUGIN_OPTION_"


async def run_command(job: Job) -> Raw:
    """Run the command to its end, or until its time is up."""
    added = added_environment(job)
    try:
        argv = build_argv(job)
    except PlaceholderError as error:
        return failed(str(error))
    # The entry's timeout ends the process tree; a background hook may ask for a shorter one on its first line.
    try:
        async with asyncio.timeout(None) as clock:
            finished = await run_process(
                argv,
                cwd=working_directory(job.context),
                env={**job.environment, **added},
                stdin=job.stdin,
                timeout=job.timeout,
                limits=_LIMITS,
                on_output=FirstLine(job.on_async, clock).watch if job.on_async else None,
            )
    except TimeoutError:
        return Raw(fault=Fault(kind="timeout", reason="not done within its own asyncTimeout; killed"))
    except (OSError, ValueError) as error:
        return failed(f"cannot start {argv[0]}: {getattr(error, 'strerror', None) or error}")
    return Raw(
        exit_code=finished.exit_code,
        stdout=finished.stdout.decode(errors="replace"),
        stderr=finished.stderr.decode(errors="replace"),
        fault=_fault(job, finished),
        # Option values may be secrets: the log names them and keeps them to itself.
        environment={k: "…" if k.startswith(_HIDDEN_PREFIX) else v for k, v in added.items()},
    )


def _fault(job: Job, finished: Finished) -> Fault | None:
    if finished.timed_out:
        return Fault(kind="timeout", reason=f"no answer within {job.timeout:g} s; killed with all that it started")
    if finished.overflowed:
        return Fault(kind="bad_output", reason="killed for printing more than 64 MiB")
    if finished.exit_code is None:
        return Fault(kind="killed", reason=exit_reason(finished))
    if finished.exit_code != 2 and len(finished.stdout) > MAX_STDOUT:
        return Fault(kind="bad_output", reason="printed more than 1 MiB, which is not read as an answer")
    return None


def build_argv(job: Job) -> list[str]:
    """The program and its arguments: exec form with `args`, else a shell. Raises PlaceholderError."""
    spec = job.spec
    command: str = spec.config["command"]
    values = folders(spec, job.context.project_dir)
    if "args" in spec.config:
        return [fill_plain(text, values, spec.options) for text in (command, *spec.config["args"])]
    if spec.config.get("shell") == "powershell":
        program = shutil.which("pwsh") or ("powershell" if sys.platform == "win32" else "pwsh")
        return [program, "-NoProfile", "-NonInteractive", "-Command", fill_powershell(command)]
    line = fill_shell(command, values)
    wants_bash = spec.config.get("shell") == "bash" or sys.platform == "win32"
    return ["bash" if wants_bash and shutil.which("bash") else "sh", "-c", line]


def inherited_environment(context: HookContext) -> dict[str, str]:
    """What commands inherit: the session's environment without the settings of our own telemetry."""
    return {name: value for name, value in context.environment().items() if not name.startswith("OTEL_")}


def added_environment(job: Job) -> dict[str, str]:
    """What a hook gets beside the inherited environment."""
    spec, context = job.spec, job.context
    added = folders(spec, context.project_dir) | {
        "CLAUDECODE": "1",
        "CLAUDE_CODE_CHILD_SESSION": "1",
        "CLAUDE_CODE_SESSION_ID": context.session_id,
        "CLAUDE_PID": str(os.getpid()),
    }
    if effort := context.effort():
        added["CLAUDE_EFFORT"] = effort
    if context.env_file is not None and POINTS[spec.point].has_env_file:
        added["CLAUDE_ENV_FILE"] = str(context.env_file)
    for key, value in spec.options.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        added |= {f"{_HIDDEN_PREFIX}{key}": text, f"{_HIDDEN_PREFIX}{key.upper()}": text}
    return added


def working_directory(context: HookContext) -> str:
    """The session's folder, or the nearest sensible one while that does not exist."""
    for folder in (context.cwd(), context.project_dir, str(context.places.home)):
        if Path(folder).is_dir():
            return folder
    return os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - only where to stand, nothing is written
