"""Puts one session together from the rooms: settings, hooks, permissions, tools, memory, journal.

Beside build.py and makers.py nothing else knows concrete classes.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from msgspec import structs

from ..folds import withheld_tools
from ..hooks.engine import Hooks
from ..permissions.policy import Policy
from ..plugins.agent_mentions import with_agents
from ..plugins.invocation import Invocations
from ..plugins.mcp.for_agents import AgentServers
from ..plugins.mcp.gather import instructed, refreshing, unfolding
from ..plugins.mcp.overview import Overview
from ..plugins.turn_scope import TurnScope
from ..protocol.events import Event, Notice
from ..protocol.models import Provider
from ..protocol.workbench import ModelChoice
from ..providers.choose import default_of
from ..session import Session
from ..settings.layers import Settings
from ..settings.models import model_rules
from ..store.checkpoints import Checkpoints
from ..store.transcript import Transcript, transcript_path
from ..tools.agent import Agent
from ..tools.background import Background
from ..tools.builtin import builtin_tools
from ..tools.file_tool import FileAccess
from ..tools.ledger import Ledger
from ..tools.skill import Skill
from ..tools.toolbox import Toolbox
from ..tools.web import WebFetch
from ..turn.judges import Judges
from ..turn.oversight import Oversight
from ..turn.parts import Parts
from ..turn.side_requests import summarise_page
from ..turn.subagents import AgentLimits, Subagents
from ..turn.surroundings import Surroundings
from .adjusting import Adjusting
from .configuring import Configuring
from .file_suggestion import FileSuggestion
from .keeping import Keeping
from .lead import follow_lead, lead_of, mode_of
from .makers import Makers, look_again, rehearsed
from .models_by_name import ModelsByName
from .remembering import Remembering
from .switches import effort_of, stop_hook_cap, thinks
from .wishes import Ground, Opening


async def assemble(
    ground: Ground, settings: Settings, opening: Opening, provider: Provider, choice: ModelChoice
) -> Session:
    """One session, ready to run."""
    makers = Makers(ground, settings, opening)
    workspace = makers.workspace()
    furniture = await makers.furniture(workspace)
    policy = Policy(
        settings,
        workspace,
        ground.places,
        makers.policy_options(),
    )
    opening.notices += policy.problems
    transcript = Transcript(
        transcript_path(ground.places.data / "projects", str(workspace.root), opening.journal.session_id),
        opening.journal.session_id,
        version=ground.wishes.version,
        past=lambda: opening.past,
        redact=ground.redact,
    )
    hooks = makers.hooks(policy, workspace, transcript.path)
    background = Background()
    checkpoints = Checkpoints(ground.places.data / "checkpoints")
    keeps = settings.get("fileCheckpointingEnabled", default=True) is not False
    tool_parts = makers.tool_parts(policy, workspace, background)
    tool_parts.files = FileAccess(
        ledger=Ledger(is_denied=makers.is_denied(policy, workspace)),
        before_change=checkpoints.before_change if keeps else None,
    )
    toolbox = Toolbox(builtin_tools(tool_parts))
    instructions = makers.instructions(workspace)
    parts = Parts(
        provider=provider,
        model=choice.model,
        tools=toolbox,
        permissions=policy,
        hooks=hooks,
        prompter=ground.prompter,
        workspace=workspace,
        interactive=ground.wishes.interactive,
        max_steps=ground.wishes.max_steps,
        effort=ground.wishes.effort or effort_of(settings),
        thinking=thinks(settings, ground.environment),
        system_prompt=ground.wishes.system_prompt,
        stop_hook_cap=stop_hook_cap(ground.environment),
        after_call=furniture.after_call(instructions.touched),
        after_hooks=partial(look_again, tool_parts.files.ledger),
        keep=Keeping(lambda: opening.journal.problem).demand,
        withheld=withheld_tools(opening.past),
    )
    lead, problems = lead_of(settings, furniture.agents())
    opening.notices += problems
    if lead is not None:
        follow_lead(parts, lead)
        mode = mode_of(lead)
        if mode and ground.wishes.mode is None and settings.origin("permissions", "defaultMode") is None:
            policy.set_mode(mode)
        hooks.add(list(lead.hooks))
    toolbox.add(WebFetch(partial(summarise_page, parts), private=tool_parts.private_addresses))

    def tell_of_model(notice: Notice) -> None:
        session.tell_aside(notice)

    models = ModelsByName(parts, model_rules(settings), default_of(choice), tell_of_model)
    model_for, parts.fallbacks = models.find, models.fallbacks
    if lead is not None and opening.model_is_open:
        parts.model = await model_for(lead.model) or parts.model
    judges = Judges(parts, Hooks((), makers.hook_context), model_for)
    makers.hook_context.ask_model, makers.hook_context.run_agent = judges.ask, judges.look
    outfit = furniture.outfit(hooks, lambda: AgentServers(servers, ground.environment))
    limits = AgentLimits.of({**ground.environment, **makers.settings_environment()})
    subagents = Subagents(parts, furniture.agents, furniture.brief, model_for, outfit, instructions.for_agent, limits)
    toolbox.add(Agent(subagents, background))
    scope = TurnScope(parts, hooks, model_for)
    usage = replace(makers.usage(parts, policy, workspace), background=background)
    invocations = Invocations(furniture.extensions.catalog, parts, scope, subagents, usage)
    toolbox.add(Skill(invocations))
    servers = makers.servers(parts, toolbox, lead.servers if lead is not None else ())
    live = makers.live(policy, hooks)

    async def take_up_plugins() -> None:
        makers.take_up_hooks(live.watch.current, hooks)
        await servers.take_up(furniture.extensions.servers())

    furniture.extensions.changed.append(take_up_plugins)
    compactor = makers.compactor(parts, instructions)
    expand = with_agents(makers.expand(policy, workspace), furniture.agents)
    around = Surroundings(
        context=instructed(servers, await makers.context(parts, toolbox, lead)),
        memory=instructions.load,
        news=instructions.take_news,
        changed_memory=instructions.changed,
        notices=tuple(opening.notices),
        expand=expand,
        unfold=unfolding(servers, invocations.unfold, invocations.commands, expand),
        watchers=[transcript.apply, compactor.note, invocations.forget],
        compactor=compactor,
        refresh=refreshing(servers, live.refresh),
        checkpoints=checkpoints,
        rehearse=partial(rehearsed, hooks),
        closers=[background.close, servers.close, makers.scratch.close, transcript.close],
        setup=ground.wishes.setup,
    )
    started = structs.replace(opening.started, mode=policy.mode)
    session = Session(parts, opening.journal, started, around, opening.past)

    if lead is not None and lead.initial_prompt and opening.started.source in {"startup", "clear"}:
        session.whisper(lead.initial_prompt)
    parts.tell_aside = session.tell_aside
    titler = makers.titler(parts, session.rename)
    around.watchers.append(titler.note)
    around.closers.append(titler.close)

    async def tell(event: Event) -> None:
        session.tell_aside(event)

    async def added_folder(folder: Path) -> None:
        furniture.extensions.catalog.add_folder(folder)
        await servers.tell_folders_changed()

    background.emit = servers.host.tell = tell
    background.ended = lambda task: session.wake(
        f"{task.id} ({task.title}), which you left in the background, has {task.status}: TaskOutput reads what it said."
    )
    session.mcp = Overview(servers)
    session.adjustments = Adjusting(parts, subagents, background, session, added_folder)
    makers.hook_context.effort = lambda: parts.effort
    session.permissions = Oversight(
        parts, policy, session.info.id, session.history, session.tell_aside, live.refresh, ground.grants
    )
    makers.hook_context.prompt_id = lambda: session.prompt_id
    makers.hook_context.agent_transcript = lambda agent_id: str(transcript.agent_path(agent_id))
    makers.hook_context.background_tasks = background.rows
    makers.hook_context.tell = tell
    makers.hook_context.deliver = session.whisper
    makers.hook_context.wake = session.wake
    session.memory_desk = Remembering(instructions, session)
    session.settings_desk = Configuring(live.watch.read, ground.places)
    session.status_line = makers.status_line(session, live)
    session.file_finder = FileSuggestion(lambda: live.watch.current, makers.hook_context, tell)
    servers.start()
    return session
