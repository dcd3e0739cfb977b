"""The hooks of a folder, ready to be listed or run dry without a session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from ..hooks.context import HookContext
from ..hooks.engine import Hooks
from ..permissions.policy import Policy
from ..places import Places
from ..plugins.extensions import Extensions, load_extensions
from ..plugins.finding import PluginScene
from ..plugins.turn_scope import hooks_of
from ..processes.environment import child_environment
from ..processes.scratch import Scratch
from ..protocol.events import Notice
from ..protocol.hooks import HookSpec
from ..protocol.tools import Workspace
from ..settings.load import load_settings
from ..settings.trust import read_trust
from .switches import hook_specs, hook_switches


@dataclass(frozen=True, slots=True)
class FolderHooks:
    """The hooks that a session in a folder has from its start, those that skills and agents would bring, and what is
    wrong with them.
    """

    hooks: Hooks
    dormant: tuple[HookSpec, ...]
    problems: tuple[Notice, ...]


def folder_hooks(
    places: Places, environment: Mapping[str, str], root: Path, plugin_dirs: Sequence[Path] = ()
) -> FolderHooks:
    """The hooks of settings and plugins that a session in this folder would have.

    An untrusted folder's own hooks are left out, as they are in a session. Raises StartError for managed settings
    that do not parse.
    """
    trusted = read_trust(places, root).trusted
    settings = load_settings(places, root, trusted=trusted)
    specs, problems = hook_specs(settings)
    given = tuple(folder.resolve() for folder in plugin_dirs)
    brought = load_extensions(PluginScene(places, environment, settings, root, given))
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
    hooks = Hooks([*specs, *brought.hooks()], context)
    return FolderHooks(hooks, _dormant(brought), (*settings.problems, *problems, *brought.notices))


def _dormant(brought: Extensions) -> tuple[HookSpec, ...]:
    """The hooks of skills, commands and agents, which hold only once these are used."""
    skills = [spec for defined in brought.catalog.definitions() for spec in hooks_of(defined)[0]]
    agents = [
        structs.replace(spec, owner=f"agent:{agent.name}")
        for agent in brought.catalog.agents().values()
        for spec in agent.hooks
    ]
    return (*skills, *agents)
