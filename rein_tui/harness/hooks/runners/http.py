"""HTTP handlers: the payload is posted; a JSON object that comes back is the answer."""

import re
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit, urlunsplit

from rein_tui.harness.hooks.placeholders import fill_plain, folders
from rein_tui.harness.hooks.runners.command import MAX_STDOUT
from rein_tui.harness.hooks.runners.job import Fault, Job, Raw, failed
from rein_tui.harness.hooks.shapes import is_list, is_object

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


async def run_http(job: Job) -> Raw:
    """Post once, follow no redirect, read at most 1 MiB."""
    import httpx

    url = fill_plain(job.spec.config["url"], folders(job.spec, job.context.project_dir), {})
    headers = {"Content-Type": "application/json"} | _headers(job)
    try:
        async with (
            httpx.AsyncClient(timeout=None, follow_redirects=False) as client,  # noqa: S113 - the caller's clock runs
            client.stream("POST", url, content=job.stdin, headers=headers) as response,
        ):
            body = await _read(response.aiter_bytes())
            status = response.status_code
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        return failed(f"{url}: {error or type(error).__name__}")
    text = body.decode(errors="replace")
    if not 200 <= status < 300:
        return Raw(stdout=text, fault=Fault(kind="failed", reason=f"{url} answered with status {status}"))
    if len(body) > MAX_STDOUT:
        return Raw(stdout=text, fault=Fault(kind="bad_output", reason="the answer is over 1 MiB"))
    if text.strip() and not text.lstrip().startswith("{"):
        return Raw(stdout=text, fault=Fault(kind="bad_output", reason="the answer is not a JSON object"))
    return Raw(exit_code=0, stdout=text)


async def _read(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_STDOUT:
            break
    return bytes(body)


def _headers(job: Job) -> dict[str, str]:
    config, listed = job.spec.config, job.context.switches.http_env_vars
    wanted = config.get("allowedEnvVars")
    names = {name for name in wanted if isinstance(name, str)} if is_list(wanted) else set[str]()
    allowed = names if listed is None else names & set(listed)
    headers = config.get("headers")
    pairs = headers.items() if is_object(headers) else ()
    variables = {**job.context.ambient, **job.context.environment()}
    # A variable that is empty may leave blanks at the end, which no header may have.
    return {key: fill_variables(str(value), allowed, variables).strip() for key, value in pairs}


def fill_variables(text: str, allowed: set[str], variables: Mapping[str, str]) -> str:
    """Fill `$NAME` and `${NAME}` for allowed names; all others become empty."""

    def fill(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return variables.get(name, "") if name in allowed else ""

    return _VARIABLE.sub(fill, text)


def is_url_allowed(url: str, patterns: tuple[str, ...] | None) -> bool:
    """Whether a list of URL patterns lets this URL pass. No list lets all pass, an empty one none.

    `*` stands for any characters; hosts compare without case and without a trailing dot. A URL with credentials
    never passes a list: they can make one host look like another.
    """
    if patterns is None:
        return True
    plain = _normal(url)
    return plain is not None and any(_glob(_normal(pattern) or pattern, plain) for pattern in patterns)


def _normal(url: str) -> str | None:
    """The URL in one spelling; None when it has none."""
    try:
        parts = urlsplit(url)
        host, credentials = parts.netloc.lower(), "@" in parts.netloc
    except ValueError:
        return None
    if not host or credentials:
        return None
    name, colon, port = host.partition(":") if not host.startswith("[") else (host, "", "")
    path = parts.path or ("" if host.endswith("*") else "/")
    return urlunsplit((parts.scheme.lower(), name.rstrip(".") + colon + port, path, parts.query, ""))


def _glob(pattern: str, text: str) -> bool:
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    if not text.startswith(first):
        return False
    at, last = len(first), rest[-1]
    for piece in rest[:-1]:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return len(text) - len(last) >= at and text.endswith(last)
