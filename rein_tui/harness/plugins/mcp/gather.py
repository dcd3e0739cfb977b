"""Puts the servers of one session together from settings, files and plugins; the one entrance for assembly."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from ...context.tokens import CHARACTERS_A_TOKEN
from ...places import Places
from ...protocol.agents import AgentServer
from ...protocol.base import JsonObject
from ...protocol.errors import ReinError
from ...protocol.events import ContextPrepared, Notice, PromptAdded
from ...protocol.messages import Block, Message
from ...protocol.ports import Emit, Prompt
from ...settings.layers import Settings
from ...settings.locations import ALL_SOURCES, SourceName
from ...tools.toolbox import Toolbox
from ...turn.parts import Parts
from ...turn.side_requests import ask
from ...turn.unfolding import Unfolded, closest, command_name
from ..words import ServerDefinition
from .approval import Approvals
from .host import Host
from .mentions import mentioned
from .reach import Reach
from .results import Keeping
from .servers import Servers
from .sources import ServerScene, find_servers

Unfold = Callable[[Prompt, Emit], Awaitable[Unfolded | None]]
Expand = Callable[[Prompt], tuple[tuple[Block, ...], tuple[Notice, ...]]]

_LONGEST_ANSWER = 32_000


@dataclass(frozen=True, slots=True, kw_only=True)
class McpWish:
    """What one session asks for: where to look, and where things of this session go."""

    places: Places
    environment: Mapping[str, str]
    settings: Settings
    session_id: str
    folder: Path
    given: tuple[str, ...] = ()
    strict: bool = False
    sources: tuple[SourceName, ...] | None = None
    plugins: Sequence[ServerDefinition] = ()
    lead: Sequence[AgentServer] = ()


def gather_servers(wish: McpWish, parts: Parts, toolbox: Toolbox) -> tuple[Servers, list[Notice]]:
    """The servers of a session, none of them started, and what is wrong with entries.

    Raises ConfigError for what --mcp-config names, StartError for an administrator's file that others can write.
    """
    workspace, settings = parts.workspace, wish.settings
    values: JsonObject = settings.merged("env") or {}
    named = {name: str(value) for name, value in values.items()}
    scene = ServerScene(
        wish.places,
        workspace.root,
        {**wish.environment, **named},
        given=wish.given,
        strict=wish.strict,
        sources=tuple(sorted(ALL_SOURCES)) if wish.sources is None else wish.sources,
        plugins=wish.plugins,
        lead=tuple(wish.lead),
    )
    found = find_servers(scene)
    reach = Reach(wish.places, str(workspace.root), wish.session_id, wish.environment, named)
    host = Host(
        prompter=parts.prompter,
        folders=lambda: [workspace.root, *workspace.additional],
        ask_model=asker(parts),
        interactive=parts.interactive,
    )
    servers = Servers(
        configs=found.configs,
        approvals=Approvals(wish.places, workspace.root, settings, parts.interactive),
        reach=reach,
        host=host,
        toolbox=toolbox,
        keeping=Keeping(wish.folder / "mcp", reach.most_tokens),
        closed=found.closed,
        find_again=lambda brought: find_servers(replace(scene, plugins=brought)).configs,
    )
    return servers, found.notices


def asker(parts: Parts) -> Callable[[str, str, int], Awaitable[tuple[str, str]]]:
    """How a server's request reaches the session's model; the answer is cut to the tokens that it asked for."""

    async def answer(prompt: str, system: str, tokens: int) -> tuple[str, str]:
        text = await ask(parts, prompt, purpose="server", system=system)
        return text[: min(round(tokens * CHARACTERS_A_TOKEN), _LONGEST_ANSWER)], parts.model

    return answer


def unfolding(servers: Servers, others: Unfold, names: Callable[[], list[str]], expand: Expand) -> Unfold:
    """Prompts of servers and `@server:uri` in a person's prompt, beside the commands that `others` unfolds.

    `names` are those that `others` knows: a command that nobody knows is refused, not sent as words.
    """

    async def unfold(prompt: Prompt, tell: Emit) -> Unfolded | None:
        found = await others(prompt, tell)
        if found is not None:
            return found
        try:
            filled = await servers.prompts.expand(prompt.text)
        except ReinError as problem:
            await tell(Notice(text=problem.message, level="error", where=problem.where, hint=problem.hint))
            return Unfolded(refused=problem.message)
        if filled is not None:
            name = prompt.text.split(maxsplit=1)[0]
            return Unfolded((_said((*filled, *prompt.blocks), name),))
        if prompt.by != "hook" and (name := command_name(prompt.text)):
            problem = f"There is no command /{name}."
            close = closest(name, [*names(), *(info.name for info in servers.prompts.commands())])
            hint = f"Did you mean /{close}?" if close else "With a blank before the slash it is sent as words."
            await tell(Notice(text=problem, level="error", hint=hint))
            return Unfolded(refused=f"{problem} {hint}")
        resources = await mentioned(prompt.text, servers.prompts, tell)
        if not resources:
            return None
        blocks, notices = expand(prompt)
        for notice in notices:
            await tell(notice)
        return Unfolded((_said((*blocks, *resources), ""),))

    return unfold


def _said(blocks: tuple[Block, ...], source: str) -> PromptAdded:
    return PromptAdded(message=Message(role="user", blocks=blocks), origin="prompt", source=source)


def instructed(servers: Servers, prepared: Callable[[], ContextPrepared]) -> Callable[[], ContextPrepared]:
    """The system prompt with what connected servers say about their use."""

    def with_instructions() -> ContextPrepared:
        context, told = prepared(), servers.instructions()
        if not told:
            return context
        parts = [f"## {name}\n{text}" for name, text in told.items()]
        text = "# How to use the MCP servers\n\n" + "\n\n".join(parts)
        return structs.replace(
            context,
            system=f"{context.system}\n\n{text}",
            sources={**context.sources, "instructions of MCP servers": len(text)},
        )

    return with_instructions


def refreshing(servers: Servers, refresh: Callable[[Emit], Awaitable[None]]) -> Callable[[Emit], Awaitable[None]]:
    """What happens before a turn: changed settings, then servers that still start."""

    async def both(emit: Emit) -> None:
        await refresh(emit)
        await servers.settle(emit)

    return both
