"""The path corpus, on real trees of files and links."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.permissions.cases import read_case

from .tally import Tally, lines


def build(fs: dict[str, Any]) -> None:
    for folder in fs.get("dirs", []):
        Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in fs.get("files", {}).items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    for name, target in fs.get("symlinks", {}).items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(name):
            Path(name).symlink_to(target)
    for name in fs.get("fifos", []):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(name)


@pytest.mark.corpus
def test_path_corpus(corpus_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally("path_permission")
    for number, line in enumerate(lines(corpus_folder / "path_permission.jsonl")):
        root = tmp_path / str(number)
        root.mkdir()
        case = json.loads(line.replace("{ROOT}", str(root)))
        build(case["fs"])
        for name in ("cwd", "home"):
            Path(case[name]).mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        read = read_case(case)
        decision = read.decide()
        assert time.monotonic() - started < 10 * case.get("must_return_within_s", 10)  # catches only what hangs
        tally.score(case, decision.outcome, decision.reason)
        shown = " ".join((decision.reason, *decision.warnings))
        assert case.get("prompt_must_show", "") in shown
        for path in case.get("must_exclude", []):
            assert read.policy.hides(path), f"{case['id']}: {path} is not hidden"
        for path in case.get("must_include", []):
            assert not read.policy.hides(path), f"{case['id']}: {path} is hidden"
    tally.must_hold(capsys)
