"""A screen that is asked to end by a signal, or whose terminal is closed, ends in order."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.pty_program import on_pty

pytestmark = [pytest.mark.pty, pytest.mark.skipif(sys.platform == "win32", reason="no such signals")]


@pytest.mark.parametrize(("number", "is_closed"), [(signal.SIGTERM, False), (signal.SIGHUP, True)])
def test_hooks_hear_of_the_end(number: signal.Signals, is_closed: bool, tmp_path: Path) -> None:
    begun = {"type": "command", "command": """echo '{"systemMessage": "it has begun"}'"""}
    ended = {"type": "command", "command": f"cat >{tmp_path}/ended.json"}
    hooks = {"SessionStart": [{"hooks": [begun]}], "SessionEnd": [{"hooks": [ended]}]}
    environment = {"HOME": str(tmp_path), "CLAUDE_CODE_SESSIONEND_HOOKS_TIMEOUT_MS": "30000"}
    with on_pty(["--demo", "--settings", json.dumps({"hooks": hooks})], tmp_path, environment) as program:
        program.until(lambda data: b"it has begun" in data)
        if is_closed:
            os.dup2(os.open(os.devnull, os.O_RDWR), program.master)
        program.process.send_signal(number)
        assert program.wait() == 128 + number
    assert json.loads((tmp_path / "ended.json").read_text())["reason"] == "other"
