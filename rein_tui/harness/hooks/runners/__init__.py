"""One file a handler type; all give back a `Raw` and never raise for what a hook does wrong."""

import asyncio

from .command import inherited_environment, run_command
from .http import is_url_allowed, run_http
from .job import Fault, Job, Raw
from .mcp_tool import run_mcp_tool
from .prompt import run_agent, run_prompt

__all__ = ["Fault", "Job", "Raw", "inherited_environment", "is_url_allowed", "run_handler"]

_RUNNERS = {
    "http": run_http,
    "mcp_tool": run_mcp_tool,
    "prompt": run_prompt,
    "agent": run_agent,
}


async def run_handler(job: Job) -> Raw:
    """Run one handler within its time."""
    if job.spec.handler == "command":
        # Its clock has to end the whole process tree, so it keeps it itself.
        return await run_command(job)
    try:
        async with asyncio.timeout(job.timeout):
            return await _RUNNERS[job.spec.handler](job)
    except TimeoutError:
        return Raw(fault=Fault(kind="timeout", reason=f"no answer within {job.timeout:g} s"))
