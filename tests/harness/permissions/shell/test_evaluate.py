"""What lines may do, one sentence a case."""

import pytest

from rein_tui.harness.permissions.shell.evaluate import evaluate
from tests.harness.permissions.shell.scenes import scene


@pytest.mark.parametrize("line", ["ls -la", "cat README.md | head -5", "cd src && ls", "grep -rn TODO src 2>/dev/null"])
def test_reading_needs_nobody(line: str) -> None:
    assert evaluate(line, scene()).outcome == "allow"


@pytest.mark.parametrize("line", ["rm x", "echo `rm x`", "sudo rm x", "if rm x; then ls; fi", "sh -c 'rm x'", "\\rm x"])
def test_a_denied_program_is_found_wherever_it_hides(line: str) -> None:
    assert evaluate(line, scene(["Bash"], deny=["Bash(rm *)"])).outcome == "deny"
