"""`@server:uri` in a prompt: the resource goes along with the words."""

import re

from ...protocol.errors import ReinError
from ...protocol.events import Notice
from ...protocol.messages import Block
from ...protocol.ports import Emit
from .prompts import Prompts

_MENTION = re.compile(r"(?:(?<=^)|(?<=[\s(\[{,;]))@([^\s:@]+:[^\s@]*[^\s@.,;!?)\]}])", re.MULTILINE)


async def mentioned(text: str, prompts: Prompts, tell: Emit) -> tuple[Block, ...]:
    """The resources that a text mentions; one that cannot be read is told and left out."""
    blocks: list[Block] = []
    for reference in dict.fromkeys(match[1] for match in _MENTION.finditer(text)):
        try:
            blocks += await prompts.resource(reference) or ()
        except ReinError as problem:
            notice = Notice(text=f"@{reference} was left out: {problem.message}", level="warning", code="mcp.resource")
            await tell(notice)
    return tuple(blocks)
