"""Rows of the precedence corpus that have hooks: the real engine, then the real permission engine."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.hooks.config import parse_hooks
from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.permissions.policy import Policy
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import PermissionQuery, Source
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings.load import load_settings

from .conftest import Bench, call, command


def line(fake: JsonObject) -> str:
    """A shell line that behaves as a row describes."""
    steps: list[str] = []
    if "sleep_s" in fake:
        steps.append(f"sleep {fake['sleep_s']} & sleep {fake['sleep_s']}")
    if "stdout" in fake:
        steps.append(f"printf %s {shlex.quote(json.dumps(fake['stdout']))}")
    if "stdout_raw" in fake:
        steps.append(f"printf %s {shlex.quote(fake['stdout_raw'])}")
    if repeat := fake.get("stdout_repeat"):
        steps.append(f"head -c {repeat['times']} /dev/zero | tr '\\0' {shlex.quote(repeat['data'])}")
    if "stderr" in fake:
        steps.append(f"echo {shlex.quote(fake['stderr'])} >&2")
    return "; ".join([*steps, f"exit {fake.get('exit', 0)}"])


async def judge(row: JsonObject, bench: Bench) -> str:
    """The outcome of a row's call."""
    places = bench.context.places
    places.config.mkdir(parents=True)
    places.user_settings.write_text(json.dumps(row["layers"].get("user", {})))
    settings = load_settings(places, bench.folder, bench.folder, trusted=True)
    workspace = Workspace(root=bench.folder, cwd=bench.folder, home=places.home, trusted=True)
    policy = Policy(settings, workspace, places)

    groups: list[Any] = []
    for fake in row["hooks"]:
        extra = {"timeout": fake["timeout_s"]} if "timeout_s" in fake else {}
        groups.append({"matcher": fake["matcher"], "hooks": [command(line(fake), **extra)]})
    specs, _ = parse_hooks({"PreToolUse": groups}, lambda _: Source(layer="user", path=str(places.user_settings)))
    moment = call("PreToolUse", tool_name=row["tool"], tool_input=row["input"])
    outcome = await Hooks(specs, bench.context).fire(moment, bench.emit)
    query = PermissionQuery(
        tool=row["tool"],
        input=outcome.updated_input or row["input"],
        cwd=str(bench.folder),
        mode=row["mode"],
        hook_verdicts=outcome.verdicts,
        interactive=row["interactive"],
    )
    return policy.decide(query).outcome


@pytest.mark.corpus
async def test_rows_with_hooks(corpus_folder: Path, bench: Bench, tmp_path: Path) -> None:
    rows = [json.loads(text) for text in (corpus_folder / "layer_precedence.jsonl").read_text().splitlines()]
    found: dict[str, tuple[str, list[str]]] = {}
    for row in (row for row in rows if row["hooks"]):
        own = tmp_path / row["id"]
        own.mkdir()
        bench.context.places = type(bench.context.places)(
            home=own, config=own / ".claude", managed=own / "etc", data=own / "data", cache=own / "cache"
        )
        outcome = await judge(row, bench)
        if outcome not in row["accept"] or outcome in row["never"]:
            found[row["id"]] = (outcome, row["accept"])
    assert found == {}
