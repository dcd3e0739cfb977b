"""The layer corpus: managed, user, project, frontmatter, hooks, trust, unattended sessions."""

from pathlib import Path

import pytest

from rein_tui.harness.permissions.cases import read_case

from .tally import Tally, cases


@pytest.mark.corpus
def test_layer_corpus(corpus_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally("layer_precedence")
    for case in cases(corpus_folder / "layer_precedence.jsonl"):
        decision = read_case(case).decide()
        tally.score(case, decision.outcome, decision.reason)
    tally.must_hold(capsys)
