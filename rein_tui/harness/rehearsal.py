"""The hooks of a folder, ready to be listed or run dry without a session."""

from collections.abc import Mapping
from pathlib import Path

from .environment import child_environment
from .hooks.context import HookContext
from .hooks.engine import Hooks
from .makers import hook_specs, hook_switches
from .permissions.policy import Policy
from .places import Places
from .protocol.events import Notice
from .protocol.ports import Workspace
from .scratch import Scratch
from .settings.load import load_settings
from .settings.trust import read_trust


def folder_hooks(places: Places, environment: Mapping[str, str], root: Path) -> tuple[Hooks, list[Notice]]:
    """The hooks that a session in this folder would have, and what is wrong with them.

    An untrusted folder's own hooks are left out, as they are in a session. Raises StartError for managed settings
    that do not parse.
    """
    trusted = read_trust(places, root).trusted
    settings = load_settings(places, root, trusted=trusted)
    specs, problems = hook_specs(settings)
    values: Mapping[str, object] = settings.merged("env") or {}
    own = {name: str(value) for name, value in values.items()}
    spill = Scratch(places.data / "scratch" / "rehearsal").path
    context = HookContext(
        session_id="rehearsal",
        transcript_path=str(spill / "transcript.jsonl"),
        project_dir=str(root),
        places=places,
        cwd=lambda: str(root),
        mode=lambda: settings.get("permissions", "defaultMode", default="default"),
        environment=lambda: child_environment(own, environment),
        spill_folder=spill,
        ambient=environment,
        switches=hook_switches(settings),
        matches_rule=Policy(settings, Workspace(root=root, cwd=root, home=places.home), places).fits_rule,
    )
    return Hooks(specs, context), [*settings.problems, *problems]
