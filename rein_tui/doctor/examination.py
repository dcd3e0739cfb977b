"""All checks together, for the command line and for the screen."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from rein_tui.harness.places import Places

from .finding import Finding
from .machine import check_programs, check_python, check_store
from .terminal import Terminal, check_terminal


async def examine(places: Places, environment: Mapping[str, str], root: Path, terminal: Terminal) -> list[Finding]:
    """Everything that a session in this folder would stand on. Changes nothing, runs no hook, sends no key."""
    from .models import check_models

    here = await asyncio.to_thread(_look, places, environment, root, terminal)
    findings, helper = here
    return [*findings, *await check_models(places, environment, helper)]


def _look(places: Places, environment: Mapping[str, str], root: Path, terminal: Terminal) -> tuple[list[Finding], str]:
    from .project import check_project

    project = check_project(places, environment, root)
    findings = [
        *check_terminal(terminal, environment),
        *check_python(),
        *check_programs(environment),
        *check_store(places),
        *project.findings,
    ]
    return findings, project.key_helper
