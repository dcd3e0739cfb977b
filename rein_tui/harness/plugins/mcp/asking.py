"""Asks a person which of a project's servers may run."""

import secrets
from collections.abc import Sequence

from ...protocol.decisions import Option, Question, QuestionRequest
from ...protocol.ports import Emit
from .connection import Connection
from .host import Host

RUN, NEVER, LATER = "Run it", "Never run it", "Not now"

_OPTIONS = (
    Option(label=RUN, description="Until its entry changes"),
    Option(label=NEVER, description="In this project; /mcp takes it back"),
    Option(label=LATER, description="Ask again in the next session"),
)


async def ask_approval(servers: Sequence[Connection], host: Host, emit: Emit) -> list[tuple[Connection, str]]:
    """Each server with the person's answer; no answers where they would not say."""
    asked = [(server, _question(server)) for server in servers]
    request = QuestionRequest(
        id=f"mcp_{secrets.token_hex(6)}",
        questions=tuple(question for _, question in asked),
        title="This project brings MCP servers",
    )
    reply = await host.question(request, emit)
    return [(server, reply.answers.get(question.question, LATER)) for server, question in asked]


def _question(server: Connection) -> Question:
    config = server.config
    text = f"{config.name}: {config.summary}\n{server.error} ({config.source})"
    return Question(question=text, header=config.name[:24], options=_OPTIONS)
