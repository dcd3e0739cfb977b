"""A policy over plain rules, in a real folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.permissions.policy import Policy, PolicyOptions
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import Layer
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings.load import assemble, layer_from_data

Make = Callable[..., Policy]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "w" / "proj"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def make(places: Places, root: Path) -> Make:
    """`make(allow=[…], ask=[…], deny=[…], layers={…}, trusted=True, **options)`."""

    def build(
        allow: list[str] | None = None,
        ask: list[str] | None = None,
        deny: list[str] | None = None,
        layers: dict[Layer, Any] | None = None,
        trusted: bool = True,
        **options: Any,
    ) -> Policy:
        data = {"permissions": {"allow": allow or [], "ask": ask or [], "deny": deny or []}}
        found: dict[Layer, Any] = layers if layers is not None else {"user": data}
        files = {"project": root / ".claude/settings.json", "user": places.user_settings}
        built: list[Any] = []
        problems: list[Any] = []
        broken: dict[str, str] = {}
        for name, content in found.items():
            path = files.get(name, Path(f"/etc/{name}.json"))
            base = root if name in ("project", "local") else path.parent
            layer, notices, why = layer_from_data(name, str(path), content, str(base), trusted)
            built.append(layer)
            problems += notices
            if why:
                broken[str(path)] = why
        settings = assemble(built, problems, broken, trusted)
        workspace = Workspace(root=root, cwd=root, home=places.home, trusted=trusted)
        return Policy(settings, workspace, places, PolicyOptions(**options))

    return build
