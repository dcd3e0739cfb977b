"""What importing each part costs: a fresh interpreter, and a look at what it loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("anthropic", "httpx", "mcp", "fastapi", "sqlite3", "yaml", "tree_sitter")
PATIENT = (*HEAVY[:-1], "tree_sitter_bash")  # Textual's own TextArea loads the bare tree_sitter
SDKS = ("anthropic", "httpx", "mcp", "fastapi")
SCREEN = ("textual", "rich", "pygments")

FORBIDDEN: dict[str, tuple[str, ...]] = {
    "rein_tui.cli.main": ("textual", *HEAVY),
    "rein_tui.cli.options": ("textual", *HEAVY),
    "rein_tui.cli.subcommands": ("textual", *HEAVY),
    "rein_tui.app": (*PATIENT, "rein_tui.harness.wiring.build"),
    "rein_tui.cli.resuming": ("textual", *SDKS, "rein_tui.harness.wiring.build"),
    "rein_tui.cli.headless": ("textual", *SDKS),
    "rein_tui.harness.wiring.build": (*SCREEN, *SDKS),
    "rein_tui.harness.session": (*SCREEN, *SDKS),
    "rein_tui.harness.protocol.events": (*SCREEN, *HEAVY, "asyncio"),
    "rein_tui.harness.protocol.ports": (*SCREEN, *HEAVY),
    "rein_tui.harness.store.store": (*SCREEN, *SDKS),
    "rein_tui.harness.permissions.policy": (*SCREEN, *SDKS),
    "rein_tui.harness.hooks.engine": (*SCREEN, *SDKS),
    "rein_tui.harness.tools.builtin": (*SCREEN, *SDKS),
    "rein_tui.harness.providers.choose": (*SCREEN, *SDKS),
    "rein_tui.doctor.command": ("textual", *SDKS),
}

_LOOK = "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"


def loaded_by(module: str) -> set[str]:
    """The modules of a fresh interpreter that imported this one."""
    done = subprocess.run(
        [sys.executable, "-X", "frozen_modules=on", "-c", _LOOK, module],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("module", FORBIDDEN)
def test_an_import_loads_nothing_heavy(module: str):
    loaded = loaded_by(module)
    assert not [name for name in FORBIDDEN[module] if name in loaded]


def test_widgets_know_the_words_only():
    loaded = loaded_by("rein_tui.screen")
    harness = {name for name in loaded if name.startswith("rein_tui.harness.")}
    allowed = {"rein_tui.harness.protocol"}
    assert not {n for n in harness if n not in allowed and not n.startswith("rein_tui.harness.protocol.")}
