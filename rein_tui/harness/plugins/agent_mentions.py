"""`@agent-name`, or `@"name (agent)"`, in a prompt: the person wants this agent to do it."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from ..protocol.agents import AgentSpec
from ..protocol.events import Notice
from ..protocol.messages import Block, TextBlock
from ..protocol.ports import Prompt

Expand: TypeAlias = Callable[[Prompt], tuple[tuple[Block, ...], tuple[Notice, ...]]]

_MENTION = re.compile(r"(?:(?<=^)|(?<=[\s(\[{,;]))@(?:agent-([\w:.-]*\w)|\"([^\"\n]+) \(agent\)\")", re.MULTILINE)


def with_agents(expand: Expand, agents: Callable[[], Mapping[str, AgentSpec]]) -> Expand:
    """`expand`, and words for the model about the agents that a prompt names. A name that is none stays a word."""

    def expanded(prompt: Prompt) -> tuple[tuple[Block, ...], tuple[Notice, ...]]:
        blocks, notices = expand(prompt)
        known = {name.lower(): name for name in agents()}
        named = [match[1] or match[2] for match in _MENTION.finditer(prompt.text)]
        wanted = [known[name.lower()] for name in dict.fromkeys(named) if name.lower() in known]
        words = tuple(TextBlock(text=_WORDS.format(name=name)) for name in wanted)
        return (*blocks, *words), notices

    return expanded


_WORDS = "[The person wants the agent {name} to do this: call Agent with subagent_type {name!r} and all that it needs.]"
