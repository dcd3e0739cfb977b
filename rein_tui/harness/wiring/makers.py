"""The steps of assembly.py: each makes one part of a session from settings, places and wishes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from ..context.memory import MemoryScope
from ..context.references import ReferenceScope, expand_references
from ..context.remembered import remembered_in
from ..context.surviving import Survivors
from ..context.system_prompt import build_system_prompt, look_around
from ..context.wished import tells_of_git, wished_words
from ..hooks.context import HookContext
from ..hooks.dryrun import call_of_run, dry_run
from ..hooks.engine import Hooks
from ..permissions.policy import Policy, PolicyOptions
from ..plugins.extensions import load_extensions
from ..plugins.finding import PluginScene
from ..plugins.furnishing import Furniture, usage_of
from ..plugins.invocation import Usage
from ..plugins.mcp.gather import McpWish, gather_servers
from ..plugins.mcp.servers import Servers
from ..processes.environment import child_environment
from ..processes.scratch import Scratch
from ..protocol.agents import AgentServer, AgentSpec
from ..protocol.base import JsonObject
from ..protocol.decisions import PermissionQuery
from ..protocol.events import ContextPrepared, Notice, TodosChanged, ToolCallRequested
from ..protocol.hooks import HookOutcome, HookRun, HookSpec
from ..protocol.messages import Block
from ..protocol.ports import Prompt
from ..protocol.tools import Workspace
from ..protocol.workbench import SizesModels
from ..session import Session
from ..settings.layers import Settings
from ..settings.load import load_settings
from ..settings.trust import nothing_to_trust
from ..settings.watch import SettingsWatch
from ..tools.background import Background
from ..tools.bash import Shell
from ..tools.builtin import ToolParts
from ..tools.deferral import share_of_window
from ..tools.ledger import Access, Ledger
from ..tools.search import SearchEngine
from ..tools.todo import TodoList
from ..tools.toolbox import Toolbox
from ..turn.compaction import WindowCompactor
from ..turn.parts import Parts
from ..turn.side_requests import ask
from ..turn.titles import Titler
from .containment import Containment
from .instructions import Instructions
from .live_settings import LiveSettings
from .memory_choices import MemoryChoices
from .status_line import Seen, StatusCommand
from .switches import hook_specs, hook_switches
from .windows import Windows
from .wishes import Ground, Opening

_NO_EXTRAS = ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_NON_ESSENTIAL_MODEL_CALLS")
"""Variables of the ecosystem that want no request beside the conversation."""


class Makers:
    """The steps of `assemble`, with what they share."""

    def __init__(self, ground: Ground, settings: Settings, opening: Opening) -> None:
        self._ground = ground
        self._settings = settings
        self._opening = opening
        self._id = opening.journal.session_id
        self.scratch = Scratch(ground.places.data / "scratch" / self._id)
        self.hook_context: HookContext
        self._furniture: Furniture
        self._containment: Containment

    async def furniture(self, workspace: Workspace) -> Furniture:
        """What files and plugins bring, found in a thread: it reads many small files."""
        ground, wishes = self._ground, self._ground.wishes
        scene = PluginScene(ground.places, ground.environment, self._settings, wishes.root, wishes.plugin_dirs)
        brought = await asyncio.to_thread(load_extensions, scene, wishes.additional)
        self._opening.brought = brought
        self._opening.notices += brought.notices
        self._furniture = Furniture(brought, self._id, workspace)
        return self._furniture

    def usage(self, parts: Parts, policy: Policy, workspace: Workspace) -> Usage:
        """What commands and skills need of the session."""
        expand = self.expand(policy, workspace)

        def attach(text: str) -> tuple[tuple[Block, ...], tuple[Notice, ...]]:
            blocks, notices = expand(Prompt(text=text))
            return blocks[1:], notices

        windows = Windows(parts)
        furniture, environment = self._furniture, self._ground.environment
        return usage_of(furniture, self._settings, parts, attach, windows.current, environment)

    def take_up_hooks(self, settings: Settings, hooks: Hooks) -> None:
        """Plugins were found anew: their hooks hold from now on."""
        hooks.replace(self._hook_specs(settings)[0])

    def _take(self, settings: Settings) -> Notice | None:
        """Settings changed: commands and hooks that start from now on have their variables and their sandbox."""
        self._settings = settings
        return self._containment.use(settings)

    def _hook_specs(self, settings: Settings) -> tuple[list[HookSpec], list[Notice]]:
        """The hooks of settings and of plugins."""
        specs, notices = hook_specs(settings)
        return [*specs, *self._furniture.extensions.hooks()], notices

    def servers(self, parts: Parts, toolbox: Toolbox, lead: Sequence[AgentServer]) -> Servers:
        """The MCP servers of settings, files, plugins and the agent that leads. Raises ConfigError, StartError."""
        ground, wishes = self._ground, self._ground.wishes
        wish = McpWish(
            places=ground.places,
            environment=ground.environment,
            settings=self._settings,
            session_id=self._id,
            folder=self.scratch.path,
            given=wishes.mcp_config,
            strict=wishes.strict_mcp,
            sources=wishes.sources,
            plugins=self._furniture.extensions.servers(),
            lead=lead,
        )
        toolbox.deferral.measure(Windows(parts).current, share_of_window(ground.environment))
        toolbox.deferral.find(fact.name for fact in self._opening.past if isinstance(fact, ToolCallRequested))
        servers, notices = gather_servers(wish, parts, toolbox)
        self._opening.notices += notices
        self.hook_context.call_mcp = servers.call
        return servers

    def workspace(self) -> Workspace:
        wishes = self._ground.wishes
        return Workspace(
            root=wishes.root,
            cwd=wishes.root,
            home=self._ground.places.home,
            additional=list(wishes.additional),
            trusted=self._settings.trusted,
        )

    def settings_environment(self) -> dict[str, str]:
        """The variables that settings set."""
        values: Mapping[str, object] = self._settings.merged("env") or {}
        return {name: str(value) for name, value in values.items()}

    def hooks(self, policy: Policy, workspace: Workspace, transcript_path: Path) -> Hooks:
        specs, notices = self._hook_specs(self._settings)
        self._opening.notices += notices
        self.hook_context = HookContext(
            session_id=self._id,
            transcript_path=str(transcript_path),
            project_dir=str(workspace.root),
            places=self._ground.places,
            cwd=lambda: str(workspace.cwd),
            mode=lambda: policy.mode,
            environment=lambda: child_environment(self.settings_environment(), self._ground.environment),
            spill_folder=self.scratch.path,
            env_file=self.scratch.path / "environment.sh",
            ambient=self._ground.environment,
            switches=hook_switches(self._settings),
            matches_rule=policy.fits_rule,
        )
        return Hooks(specs, self.hook_context)

    def tool_parts(self, policy: Policy, workspace: Workspace, background: Background) -> ToolParts:
        def is_read_only(command: str) -> bool:
            query = PermissionQuery(tool="Bash", input={"command": command}, cwd=str(workspace.cwd))
            return policy.decide(query).decided_by == "read_only"

        self._containment = containment = Containment(self._settings, workspace, self._ground.places)
        containment.require()
        self._opening.notices += [told] if (told := containment.notice()) is not None else []
        policy.contain(containment.contains)
        shell = Shell(
            spool_folder=self.scratch.path,
            environment=lambda: {
                **self._furniture.environment(self._ground.environment),
                **self.settings_environment(),
                "CLAUDE_PROJECT_DIR": str(workspace.root),
            },
            env_file=self.scratch.path / "environment.sh",
            is_read_only=is_read_only,
            wrap=containment,
            runs_outside=containment.is_outside,
            guard=containment.guard,
            ambient=self._ground.environment,
        )
        return ToolParts(
            shell=shell,
            background=background,
            search=SearchEngine(is_denied=policy.hides),
            modes=policy,
            todos=TodoList(next((f.todos for f in reversed(self._opening.past) if isinstance(f, TodosChanged)), ())),
        )

    async def context(self, parts: Parts, toolbox: Toolbox, lead: AgentSpec | None) -> Callable[[], ContextPrepared]:
        wishes = self._ground.wishes
        with_git = tells_of_git(self._settings, self._ground.environment)
        around = await look_around(parts.workspace, model=parts.model, with_git=with_git)
        style, notices = self._furniture.extensions.style()
        self._opening.notices += notices
        appended = [style] if style is not None else []
        appended += wished_words(self._settings, with_git=with_git)
        appended += [("--append-system-prompt", wishes.appended)] if wishes.appended else []

        def prepared() -> ContextPrepared:
            provider, override, more = parts.provider, parts.system_prompt, appended
            if lead is not None and override is None:
                override, more = "", [(f"agent {lead.name}", self._furniture.lead_words(lead)), *appended]
            is_small = isinstance(provider, SizesModels) and provider.is_small(parts.model)
            profile = "lean" if is_small else "full"
            prompt = build_system_prompt(around, profile=profile, override=override, appended=more)
            tools = parts.tools.specs(parts.removed_tools())
            has_servers = any(tool.source != "builtin" for tool in tools)
            return ContextPrepared(
                system=prompt.text,
                tools=tools,
                sources=prompt.sources,
                tool_budget=toolbox.deferral.budget if has_servers else 0,
                held_back=toolbox.held_back(),
            )

        return prepared

    def compactor(self, parts: Parts, instructions: Instructions) -> WindowCompactor:
        """Keeps the conversation inside the model's window, which is asked for once a model."""
        windows = Windows(parts)
        limit = self._settings.get("autoCompactWindow", default=0)
        compactor = WindowCompactor(
            windows.current,
            instructions.load,
            news=instructions.take_news,
            automatic=bool(self._settings.get("autoCompactEnabled", default=True)),
            limit=limit if isinstance(limit, int) else 0,
            survivors=Survivors(self._furniture.extensions.catalog.stays),
        )
        for fact in self._opening.past:
            compactor.note(fact)
        return compactor

    def titler(self, parts: Parts, rename: Callable[[str, Literal["model"]], None]) -> Titler:
        """What asks the model for the session's title; without a word from settings only Claude, on a screen."""
        ground = self._ground
        is_off = any(ground.environment.get(name, "") not in {"", "0", "false"} for name in _NO_EXTRAS)

        def is_wanted() -> bool:
            wish = self._settings.get("sessionTitles", default=None)
            is_claude = parts.provider.name == "anthropic"
            return ground.wishes.interactive and not is_off and (is_claude if wish is None else bool(wish))

        def entitle(title: str) -> None:
            rename(title, "model")

        return Titler(partial(ask, parts, purpose="title"), entitle, is_wanted=is_wanted, past=self._opening.past)

    def is_denied(self, policy: Policy, workspace: Workspace) -> Callable[[str, Access], bool]:
        """Whether a deny rule keeps a real path from being opened; asked once more at the moment of opening."""

        def is_denied(path: str, access: Access) -> bool:
            tool = "Read" if access == "read" else "Edit"
            query = PermissionQuery(tool=tool, input={"file_path": path}, cwd=str(workspace.cwd))
            decision = policy.decide(query)
            return decision.outcome == "deny" and decision.decided_by == "rule"

        return is_denied

    def policy_options(self) -> PolicyOptions:
        """What the command line says about permissions, and how to look whether the folder is harmless."""
        wishes, places = self._ground.wishes, self._ground.places

        def is_harmless() -> bool:
            return wishes.interactive and nothing_to_trust(places, wishes.root)

        return PolicyOptions(mode=wishes.mode, allow=wishes.allow, deny=wishes.deny, is_harmless=is_harmless)

    def live(self, policy: Policy, hooks: Hooks) -> LiveSettings:
        """What lets changed settings take effect."""
        wishes, places, was_trusted = self._ground.wishes, self._ground.places, self._settings.trusted

        def load() -> Settings:
            # What a folder gains while a session runs waits for the person like anything else.
            trusted = (was_trusted or policy.settings.trusted) and self._ground.is_trusted()
            return load_settings(places, wishes.root, extra=wishes.settings, sources=wishes.sources, trusted=trusted)

        return LiveSettings(
            SettingsWatch(self._settings, load), policy, hooks, self._hook_specs, hook_switches, self._take
        )

    def status_line(self, session: Session, live: LiveSettings) -> StatusCommand:
        """The status line that settings ask for."""
        parts, style = session.parts, self._furniture.extensions.style
        seen = Seen(
            info=lambda: session.info,
            history=session.history,
            model=lambda: parts.model,
            thinks=lambda: parts.thinking,
            window=Windows(parts).current,
            style=lambda: (style()[0] or ("output style default", ""))[0].removeprefix("output style "),
            workspace=parts.workspace,
            hooks=self.hook_context,
            version=self._ground.wishes.version,
        )
        return StatusCommand(lambda: live.watch.current, seen)

    def instructions(self, workspace: Workspace) -> Instructions:
        """The memory files of this session."""
        environment = self._ground.environment
        with_additional = environment.get("CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD") == "1"
        scope = MemoryScope(
            places=self._ground.places,
            cwd=workspace.cwd,
            root=workspace.root,
            additional=tuple(workspace.additional) if with_additional else (),
            excludes=tuple(self._settings.merged("claudeMdExcludes") or ()),
            project=workspace.trusted or not self._ground.was_refused(),
            managed_text=self._settings.managed("claudeMd") or "",
            remembered=remembered_in(self._settings, self._ground.places, workspace.root),
        )
        return Instructions(scope, MemoryChoices(self._ground.places.data / "memory.json", workspace.root))

    def expand(
        self, policy: Policy, workspace: Workspace
    ) -> Callable[[Prompt], tuple[tuple[Block, ...], tuple[Notice, ...]]]:
        def may_read(path: Path) -> bool:
            return not policy.hides(str(path))

        def expand(prompt: Prompt) -> tuple[tuple[Block, ...], tuple[Notice, ...]]:
            scope = ReferenceScope(cwd=workspace.cwd, home=workspace.home, may_read=may_read)
            expansion = expand_references(prompt.text, scope)
            return (*expansion.blocks, *prompt.blocks), expansion.notices

        return expand


async def rehearsed(hooks: Hooks, run: HookRun) -> tuple[tuple[HookRun, ...], HookOutcome] | None:
    """The hooks of a recorded run's moment, run again dry; None when its input was not kept."""
    call = call_of_run(run)
    if call is None:
        return None
    done = await dry_run(hooks, call)
    return done.outcome.runs, done.outcome


def look_again(ledger: Ledger, tool: str, tool_input: JsonObject) -> None:
    """Hooks may have formatted the file that was just written: what the model knows is what it holds now."""
    path = tool_input.get("file_path")
    if tool in {"Write", "Edit"} and isinstance(path, str):
        ledger.refresh(path)
