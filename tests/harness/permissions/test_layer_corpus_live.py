"""The hook cases of the layer corpus with real processes: engine of hooks, then engine of permissions."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.hooks.config import parse_hooks
from rein_tui.harness.hooks.context import HookContext
from rein_tui.harness.hooks.engine import Hooks
from rein_tui.harness.permissions.cases import read_case
from rein_tui.harness.places import Places
from rein_tui.harness.processes.process import child_environment
from rein_tui.harness.protocol.decisions import PermissionQuery, Source
from rein_tui.harness.protocol.events import Event
from rein_tui.harness.protocol.hooks import HookCall

from .tally import Tally, cases


def command(described: dict[str, Any], folder: Path, number: int) -> str:
    """A shell line that does what a hook is described to do."""
    lines = ["cat >/dev/null"]
    if "sleep_s" in described:
        lines.append(f"sleep {described['sleep_s']}")
    if "stdout_repeat" in described:
        repeat = described["stdout_repeat"]
        lines.append(f"head -c {repeat['times']} /dev/zero | tr '\\0' {shlex.quote(repeat['data'])}")
    text = described.get("stdout_raw") or (json.dumps(described["stdout"]) if "stdout" in described else "")
    if text:
        path = folder / f"out{number}"
        path.write_text(text)
        lines.append(f"cat {shlex.quote(str(path))}")
    if "stderr" in described:
        lines.append(f"printf %s {shlex.quote(described['stderr'])} >&2")
    if "signal" in described:
        lines.append(f"kill -{str(described['signal']).removeprefix('SIG')} $$")
    return "; ".join([*lines, f"exit {described.get('exit', 0)}"])


def build(case: dict[str, Any], places: Places, folder: Path) -> Hooks:
    groups: list[dict[str, Any]] = []
    for number, described in enumerate(case["hooks"]):
        handler: dict[str, Any] = {"type": "command", "command": command(described, folder, number)}
        handler |= {"timeout": described["timeout_s"]} if "timeout_s" in described else {}
        groups.append({"matcher": described.get("matcher", ""), "hooks": [handler]})
    specs, _ = parse_hooks({"PreToolUse": groups}, lambda _: Source(layer="user", path="s.json"))
    context = HookContext(
        session_id="s",
        transcript_path=str(folder / "t.jsonl"),
        project_dir=str(folder),
        places=places,
        cwd=lambda: str(folder),
        mode=lambda: "default",
        environment=child_environment,
        spill_folder=folder,
    )
    return Hooks(specs, context)


async def ignore(event: Event) -> None:
    del event


@pytest.mark.corpus
async def test_hooks_of_the_layer_corpus(
    corpus_folder: Path, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = Tally("layer_precedence (real hooks)")
    for number, case in enumerate(cases(corpus_folder / "layer_precedence.jsonl")):
        if not case["hooks"]:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        hooks = build(case, places, folder)
        payload = {"tool_name": case["tool"], "tool_input": case["input"], "tool_use_id": "t"}
        outcome = await hooks.fire(HookCall(point="PreToolUse", subject=case["tool"], payload=payload), ignore)
        await hooks.close()
        plain = read_case({**case, "hooks": []})
        query = PermissionQuery(
            tool=case["tool"],
            input=outcome.updated_input or case["input"],
            cwd=plain.query.cwd,
            frontmatter=plain.query.frontmatter,
            hook_verdicts=outcome.verdicts,
            interactive=plain.query.interactive,
        )
        decision = plain.policy.decide(query)
        tally.score(case, decision.outcome, decision.reason)
    tally.must_hold(capsys)
    assert tally.total > 0
