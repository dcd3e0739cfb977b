"""`rein-tui trust`: the list, what trust enables, and taking it back."""

import argparse
import io
import json
from pathlib import Path

from rein_tui.cli.trust import add_trust_parser, run_trust
from rein_tui.harness.places import Places
from rein_tui.harness.settings.trust import read_trust, record_trust


def run(places: Places, *words: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    add_trust_parser(parser.add_subparsers())
    out = io.StringIO()
    return run_trust(parser.parse_args(["trust", *words]), places, out), out.getvalue()


def test_trust_is_shown_and_taken_back(places: Places, tmp_path: Path) -> None:
    root = tmp_path / "proj"
    (root / ".claude").mkdir(parents=True)
    hooks = {"Stop": [{"hooks": [{"type": "command", "command": "./gate.sh \x1b[31m"}]}]}
    (root / ".claude" / "settings.json").write_text(json.dumps({"hooks": hooks}))
    assert run(places, "list") == (0, "no folder is trusted\n")
    code, shown = run(places, "show", str(root))
    assert code == 0 and "not trusted" in shown and "./gate.sh" in shown and "\x1b" not in shown
    record_trust(places, read_trust(places, root))
    assert str(root) in run(places, "list")[1]
    assert f"{root}: trusted" in run(places, "show", str(root))[1]
    assert run(places, "forget", str(root)) == (0, f"{root}: forgotten\n")
    assert not read_trust(places, root).trusted
    assert run(places, "forget", str(root))[0] == 1


def test_trust_that_another_program_recorded_is_named(places: Places, tmp_path: Path) -> None:
    root = tmp_path / "proj"
    root.mkdir()
    places.global_state.parent.mkdir(parents=True, exist_ok=True)
    places.global_state.write_text(json.dumps({"projects": {str(root): {"hasTrustDialogAccepted": True}}}))
    assert "hasTrustDialogAccepted" in run(places, "forget", str(root))[1]
