"""Whole sessions over the scripted model, with real files, tools, rules and hooks."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.events import Event, Fact, HookFired, Notice, PromptAdded, ToolCallFinished
from rein_tui.harness.protocol.messages import TextBlock
from rein_tui.harness.protocol.ports import Prompt, SessionInfo
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.providers.scripted import Respond, ScriptedCall, ScriptedProvider, Step
from rein_tui.harness.session import Session
from rein_tui.harness.settings.load import load_settings
from rein_tui.harness.store.journal import MemoryJournal
from rein_tui.harness.wiring.assembly import assemble
from rein_tui.harness.wiring.wishes import Ground, Opening, Wishes, started
from tests.fakes.engines import ScriptedPerson

PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@dataclass
class Stage:
    """One open session, and what was sent to the model."""

    session: Session
    provider: ScriptedProvider
    opening: Opening
    person: ScriptedPerson
    events: list[Event] = field(default_factory=list[Event])

    async def say(self, text: str) -> list[Event]:
        """One turn."""
        async with aclosing(self.session.run(Prompt(text=text))) as events:
            told = [event async for event in events]
        self.events += told
        return told

    def prompts(self) -> list[str]:
        """What joined the conversation from the person's side, block by block."""
        added = [e for e in self.events if isinstance(e, PromptAdded) and e.origin == "prompt" and not e.parent]
        return [block.text for e in added for block in e.message.blocks if isinstance(block, TextBlock)]

    def finished(self) -> list[tuple[str, str, str]]:
        """Name, outcome and content of each finished call."""
        return [(e.name, e.outcome, str(e.content)) for e in self.events if isinstance(e, ToolCallFinished)]

    def notices(self) -> list[str]:
        """What the person was told."""
        return [e.text for e in self.events if isinstance(e, Notice)]

    def hooks(self) -> list[str]:
        """The hooks that ran."""
        return [e.run.hook.point for e in self.events if isinstance(e, HookFired)]

    def tool(self, name: str) -> str:
        """A tool's description as the model saw it first."""
        return next(tool.description for tool in self.provider.requests[0].tools if tool.name == name)


@asynccontextmanager
async def staged(
    places: Places,
    project: Path,
    steps: Sequence[Step | Respond] | Respond,
    *,
    trusted: bool = True,
    past: Sequence[Fact] = (),
    **wishes: Any,
) -> AsyncGenerator[Stage]:
    """An open session in a folder, resumed where it has a past; closed at the end."""
    wish = Wishes(root=project, trust=trusted, persist=False, **wishes)
    settings = load_settings(places, project, extra=wish.settings, trusted=trusted)
    provider = ScriptedProvider(steps)
    choice = ModelChoice(kind="demo", model="scripted")
    journal = MemoryJournal(SessionInfo(id="test-session", cwd=str(project)))
    opening = Opening(journal, started(journal, wish, choice, "resume" if past else "startup"), past)
    person = ScriptedPerson()
    session = await assemble(Ground(places, PATH, wish, person), settings, opening, provider, choice)
    try:
        yield Stage(session, provider, opening, person)
    finally:
        await session.close()


def skill(name: str, args: str = "") -> Step:
    """The model calls a skill."""
    return Step(calls=(ScriptedCall(name="Skill", input={"skill": name, "args": args}),))


def bash(command: str) -> Step:
    """The model runs a command."""
    return Step(calls=(ScriptedCall(name="Bash", input={"command": command}),))


DONE = Step(text="done")
