"""Prompt and agent handlers: a model judges, and has to answer in one given shape."""

import re

from rein_tui.harness.hooks.context import AskModel
from rein_tui.harness.hooks.runners.job import Fault, Job, Raw, failed
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.errors import ReinError

ANSWER_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "ok": {"type": "boolean", "description": "Whether this may go on."},
        "reason": {"type": "string", "description": "Why not, in a sentence or two."},
        "impossible": {"type": "boolean", "description": "True when the condition can never be met."},
    },
    "required": ["ok"],
    "additionalProperties": False,
}

_INSTRUCTION = """
Judge the condition above by the event's data. Answer with one JSON object and nothing else: {"ok": true} when it
is met, or {"ok": false, "reason": "why"} when it is not. Add "impossible": true when it can never be met.
"""
_MARK = re.compile(r"\\\$|\$ARGUMENTS\b")


async def run_prompt(job: Job) -> Raw:
    """Ask a model once."""
    return await _ask(job, job.context.ask_model, "no model is available for prompt hooks")


async def run_agent(job: Job) -> Raw:
    """Let a small agent look into files, then answer."""
    return await _ask(job, job.context.run_agent, "no agent is available for agent hooks")


def fill_prompt(prompt: str, arguments: str) -> str:
    r"""Put the event's JSON where `$ARGUMENTS` stands, or at the end; `\$` is a plain dollar sign."""
    filled = False

    def fill(match: re.Match[str]) -> str:
        nonlocal filled
        if match[0] == r"\$":
            return "$"
        filled = True
        return arguments

    text = _MARK.sub(fill, prompt)
    return text if filled else f"{text}\n\n{arguments}"


async def _ask(job: Job, ask: AskModel | None, missing: str) -> Raw:
    if ask is None:
        return failed(missing)
    text = fill_prompt(job.spec.config["prompt"], job.stdin.decode().rstrip("\n")) + "\n" + _INSTRUCTION
    model = job.spec.config.get("model")
    try:
        answer = await ask(text, model if isinstance(model, str) else "", ANSWER_SCHEMA)
    except ReinError as error:
        return failed(str(error))
    except ValueError as error:
        return Raw(fault=Fault(kind="bad_output", reason=f"the model's answer is not usable: {error}"))
    if problem := answer_problem(answer):
        return Raw(answer=answer, fault=Fault(kind="bad_output", reason=f"the model's answer is not usable: {problem}"))
    return Raw(answer=answer)


def answer_problem(answer: JsonObject) -> str:
    """What is wrong with a model's answer, or empty."""
    if not isinstance(answer.get("ok"), bool):
        return "`ok` must be true or false"
    if not isinstance(answer.get("reason") or "", str):
        return "`reason` must be text"
    return ""
