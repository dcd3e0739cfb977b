"""MCP handlers: a tool of a connected server, whose text counts as standard output."""

from rein_tui.harness.hooks.placeholders import fill_fields
from rein_tui.harness.hooks.runners.job import Job, Raw, failed
from rein_tui.harness.hooks.shapes import is_object
from rein_tui.harness.protocol.errors import ReinError


async def run_mcp_tool(job: Job) -> Raw:
    """Call the tool with the handler's input, payload fields filled in."""
    call, config = job.context.call_mcp, job.spec.config
    if call is None:
        return failed("no MCP server is connected")
    filled = fill_fields(config.get("input") or {}, job.payload)
    if not is_object(filled):
        return failed("`input` must be an object")
    try:
        text, is_error = await call(config["server"], config["tool"], filled)
    except ReinError as error:
        return failed(str(error))
    if is_error:
        return Raw(stdout=text, fault=failed(f"the tool failed: {text[:200]}").fault)
    return Raw(exit_code=0, stdout=text)
