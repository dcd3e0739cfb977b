"""The Bash corpus through the whole permission engine: nothing unsafe, next to no friction."""

import json
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.permissions.cases import read_case

MOST_FRICTION = 0.02


@pytest.mark.corpus
def test_bash_corpus(corpus_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = corpus_folder / "bash_permission.jsonl"
    cases: list[dict[str, Any]] = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    unsafe: list[str] = []
    friction: list[str] = []
    misses: list[str] = []
    for case in cases:
        decision = read_case({"input": {}, **case, "tool": "Bash"}).decide()
        told = f"{case['id']}: wanted {case['expect']}, got {decision.outcome}: {decision.reason}"
        if decision.outcome in case["never"]:
            unsafe.append(told)
        elif case["accept"] == ["allow"] and decision.outcome != "allow":
            friction.append(told)
        elif decision.outcome != case["expect"]:
            misses.append(told)
    with capsys.disabled():
        print(
            f"\n{path.name}: {len(cases)} cases, unsafe {len(unsafe)}, friction {len(friction)}, misses {len(misses)}"
        )
        for line in (*unsafe, *friction, *misses):
            print(f"  {line}")
    assert not unsafe
    assert len(friction) <= MOST_FRICTION * len(cases)
