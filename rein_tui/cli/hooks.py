"""`rein-tui hooks`: which hooks are configured and where, and what they would do."""

import argparse
import difflib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

import msgspec

from rein_tui.harness.hooks.dryrun import DryRun, call_from, dry_run, recorded_call, sample_payload
from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.hooks.points import NEVER_FIRING, POINTS
from rein_tui.harness.hooks.shapes import is_object
from rein_tui.harness.hooks.spill import clean
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import Event, Notice
from rein_tui.harness.protocol.hooks import HookCall, HookPoint, HookRun, HookSpec

_PATHS = ("file_path", "notebook_path")


class _Subparsers(Protocol):
    """What `ArgumentParser.add_subparsers` gives back."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser: ...


def add_hooks_parser(subparsers: _Subparsers) -> None:
    """Add `hooks list` and `hooks test` to the command line."""
    hooks = subparsers.add_parser("hooks", help="list the hooks that are configured, or try them out")
    actions = hooks.add_subparsers(dest="hooks_action", required=True, metavar="list|test")
    listing = actions.add_parser("list", help="every hook with its file and line")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.add_argument(
        "--plugin-dir", action="append", type=Path, metavar="DIR", help="a plugin that is not installed"
    )
    test = actions.add_parser("test", help="run the hooks that match, and show what they say and decide")
    test.add_argument("event", type=_event, metavar="EVENT", help="the moment, such as PreToolUse")
    test.add_argument("--tool", default="", metavar="NAME", help="the tool that is called")
    test.add_argument("--input", default="", metavar="JSON", help="the tool's input")
    source = test.add_mutually_exclusive_group()
    source.add_argument("--payload", default="", metavar="FILE", help="read the payload from a file (- for stdin)")
    source.add_argument("--from-session", default="", metavar="ID:CALL", help="take a recorded tool call")
    test.add_argument("--json", action="store_true", help="print JSON")
    test.add_argument("--plugin-dir", action="append", type=Path, metavar="DIR", help="a plugin that is not installed")


def _event(name: str) -> str:
    """An event that fires here. Raises ArgumentTypeError."""
    if name in POINTS:
        return name
    if name in NEVER_FIRING:
        raise argparse.ArgumentTypeError(f"{name} never fires here")
    known = {point.lower(): point for point in POINTS}
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {known[near[0]]}?" if near else f"there are {', '.join(POINTS)}"
    raise argparse.ArgumentTypeError(f"unknown event {name!r}: {hint}")


async def run_hooks(
    args: argparse.Namespace,
    hooks: Hooks,
    problems: Sequence[Notice],
    facts_of: Callable[[str], Iterable[Event]],
    out: TextIO | None = None,
    dormant: Sequence[HookSpec] = (),
) -> int:
    """Carry `rein-tui hooks …` out; the exit code is 1 when a hook is broken. Raises ConfigError, StoreError.

    `problems` are those found while reading the hooks; `facts_of` gives the facts of a stored session; `dormant`
    hooks, those of skills and agents, are listed only.
    """
    write = _Writer(out or sys.stdout)
    if args.hooks_action == "list":
        return _list([*hooks.specs, *dormant], problems, write, args.json)
    rehearsal = await dry_run(hooks, _call(args, hooks, facts_of))
    if args.json:
        write.json(msgspec.to_builtins(rehearsal))
    else:
        _write_rehearsal(rehearsal, write)
    broken = any(run.result in ("timeout", "failed", "bad_output", "killed") for run in rehearsal.outcome.runs)
    return 1 if broken else 0


class _Writer:
    """Prints lines without any control character that a hook may have put into them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def line(self, text: str = "") -> None:
        print(clean(text).encode("utf-8", "replace").decode(), file=self._out)

    def json(self, value: Any) -> None:
        print(json.dumps(value, indent=2), file=self._out)

    def block(self, label: str, text: str) -> None:
        """A label and one or more lines, or nothing for an empty text."""
        for index, line in enumerate(text.rstrip("\n").splitlines()):
            self.line(f"    {label if index == 0 else '':<8} {line}")


def _list(specs: Sequence[HookSpec], problems: Sequence[Notice], write: _Writer, as_json: bool) -> int:
    if as_json:
        rows = [_row(spec) for spec in specs]
        notes = [{"text": n.text, "level": n.level, "where": n.where, "hint": n.hint} for n in problems]
        write.json({"hooks": rows, "problems": notes})
        return 0
    if not specs:
        write.line("No hooks are configured.")
    for spec in specs:
        matcher = f" {spec.matcher}" if spec.matcher else ""
        extra = "".join(f" · {word}" for word in _features(spec))
        write.line(f"{spec.point}{matcher} · {spec.handler}{extra} · {spec.source.layer} · {spec.source}")
        for line in spec.title.rstrip().splitlines():
            write.line(f"    {line}")
    for notice in problems:
        write.line(f"{notice.level}: {notice.where}: {notice.text}" + (f" ({notice.hint})" if notice.hint else ""))
    return 0


def _features(spec: HookSpec) -> list[str]:
    words = [f"if {spec.condition}"] if spec.condition else []
    words += ["async"] if spec.is_async else []
    words += [f"timeout {spec.timeout:g} s"] if spec.timeout is not None else []
    words += [f"onError {spec.on_error}"] if spec.on_error else []
    words += [f"plugin {spec.plugin_id}"] if spec.plugin_id else []
    return words + ([_owned(spec.owner)] if spec.owner else [])


def _owned(owner: str) -> str:
    kind, _, name = owner.partition(":")
    return f"skill {name}, from its first use on" if kind == "skill" else f"agent {name}, while it runs"


def _row(spec: HookSpec) -> JsonObject:
    return {
        "id": spec.id,
        "event": spec.point,
        "matcher": spec.matcher,
        "if": spec.condition,
        "type": spec.handler,
        "title": spec.title,
        "layer": spec.source.layer,
        "file": spec.source.path,
        "line": spec.source.line,
        "plugin": spec.plugin_id,
        "owner": spec.owner,
        "timeout": spec.timeout,
        "async": spec.is_async,
        "onError": spec.on_error,
    }


def _call(args: argparse.Namespace, hooks: Hooks, facts_of: Callable[[str], Iterable[Event]]) -> HookCall:
    point: HookPoint = args.event
    _refuse_what_does_not_fit(args, point)
    if args.from_session:
        session_id, _, call_id = args.from_session.rpartition(":")
        if not session_id:
            raise ConfigError("--from-session needs SESSION:CALL", where="--from-session")
        found = recorded_call(facts_of(session_id), call_id, point)
        if found is None:
            raise ConfigError(f"session {session_id} has no call {call_id}", where="--from-session")
        return found
    payload = sample_payload(point) | (_read_object(_read_file(args.payload), "--payload") if args.payload else {})
    if args.tool:
        payload["tool_name"] = args.tool
        if not args.input:
            payload["tool_input"] = {}
    if args.input:
        payload["tool_input"] = _absolute(_read_object(args.input, "--input"), Path(hooks.context.cwd()))
    return call_from(point, payload)


def _refuse_what_does_not_fit(args: argparse.Namespace, point: HookPoint) -> None:
    """Raises ConfigError for an option that this event could only ignore."""
    for name, value in (("--tool", args.tool), ("--input", args.input), ("--from-session", args.from_session)):
        if value and not POINTS[point].is_tool:
            raise ConfigError(f"{point} is no tool event", where=name, hint="Give its fields with --payload FILE.")
        if value and args.from_session and name != "--from-session":
            raise ConfigError("a recorded call has its own tool and input", where=name)


def _absolute(tool_input: JsonObject, cwd: Path) -> JsonObject:
    """Paths as hooks see them: absolute."""
    paths = {key: tool_input[key] for key in _PATHS if isinstance(tool_input.get(key), str)}
    return tool_input | {key: str(cwd / Path(path).expanduser()) for key, path in paths.items()}


def _read_file(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {name}: {error}", where="--payload") from error


def _read_object(text: str, where: str) -> JsonObject:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"not JSON: {error}", where=where) from error
    if not is_object(value):
        raise ConfigError("must be a JSON object", where=where)
    return value


def _write_rehearsal(rehearsal: DryRun, write: _Writer) -> None:
    call, outcome = rehearsal.call, rehearsal.outcome
    write.line(f"{call.point}{' · ' + call.subject if call.subject else ''}")
    if not outcome.runs:
        write.line("No hook matches.")
    for run in outcome.runs:
        _write_run(run, write)
    for skip in rehearsal.skipped:
        write.line(f"- not run: {' '.join(skip.hook.title.split())} · {skip.hook.source} · {skip.reason}")
    if rehearsal.exports:
        write.block("exports", rehearsal.exports)
    write.line(f"= {_outcome_text(rehearsal)}")


def _write_run(run: HookRun, write: _Writer) -> None:
    exit_code = "no exit code" if run.exit_code is None else f"exit {run.exit_code}"
    write.line(f"* {run.result} · {exit_code} · {run.duration * 1000:.0f} ms · {run.hook.source}")
    write.block("hook", run.hook.title)
    write.block("stdin", run.stdin)
    write.block("stdout", run.stdout)
    write.block("stderr", run.stderr)
    if run.parsed is not None:
        write.block("parsed", json.dumps(run.parsed, indent=2, ensure_ascii=False))
    write.block("reason", run.reason)
    write.block("message", run.message)
    write.block("context", run.context)


def _outcome_text(rehearsal: DryRun) -> str:
    outcome = rehearsal.outcome
    words = [outcome.verdict] if outcome.verdict else []
    words += ["blocked"] if outcome.blocked else []
    words += ["stops the turn"] if outcome.stop else []
    if outcome.updated_input is not None:
        words.append(f"input becomes {json.dumps(outcome.updated_input, ensure_ascii=False)}")
    words += ["output replaced"] if outcome.updated_output is not None else []
    words += ["feedback to the model"] if outcome.feedback else []
    words += ["context added"] if outcome.context else []
    words += ["permission request answered"] if outcome.permission else []
    reason = outcome.reason or outcome.stop_reason
    return ("; ".join(words) or "nothing changes") + (f": {reason}" if reason else "")
