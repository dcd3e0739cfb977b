"""What a server's refusal means, and what a person can do about it.

One table for all protocols: an HTTP status, the error's own type and its words become a `ProviderError`.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..protocol.base import JsonObject
from ..protocol.errors import ProviderError, ProviderErrorKind
from .base import NO_SECRET, Secret
from .retry import retry_after
from .strict_json import child, read_event, text

_BY_STATUS: dict[int, ProviderErrorKind] = {
    400: "invalid_request",
    401: "auth",
    402: "billing",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "too_long",
    429: "rate_limit",
    504: "timeout",
    529: "overloaded",
}
_BY_TYPE: dict[str, ProviderErrorKind] = {
    "authentication_error": "auth",
    "invalid_api_key": "auth",
    "billing_error": "billing",
    "insufficient_quota": "billing",
    "permission_error": "permission",
    "not_found_error": "not_found",
    "model_not_found": "not_found",
    "request_too_large": "too_long",
    "context_length_exceeded": "too_long",
    "exceed_context_size_error": "too_long",
    "rate_limit_error": "rate_limit",
    "overloaded_error": "overloaded",
    "api_error": "server",
    "server_error": "server",
    "timeout_error": "timeout",
    "invalid_request_error": "invalid_request",
}
_TOO_LONG = re.compile(
    r"prompt is too long|context (length|size|window)|maximum context|exceeds? the (available )?context"
    r"|exceed context limit|too many tokens",
    re.IGNORECASE,
)
_QUOTA = re.compile(r"\bquota\b|credit balance|spend(ing)? limit|billing", re.IGNORECASE)
_GRAMMAR = re.compile(r"does not match the expected .*format|failed to parse (tool|input)|parse error.*grammar", re.I)
_LOADING = re.compile(r"\bloading (the )?model\b|\bis (still |currently |being )*load(ing|ed)\b", re.IGNORECASE)
_RETRIED = frozenset[ProviderErrorKind](
    {"rate_limit", "overloaded", "server", "connection", "timeout", "cut", "malformed", "unavailable"}
)

_HINTS: dict[ProviderErrorKind, str] = {
    "billing": "Check the plan and the balance of the account, or choose another model with /model.",
    "permission": "The key may not use this model: choose another one with /model.",
    "not_found": "Choose a model that the server has with /model; for a local server check --local-url too.",
    "too_long": "Shorten the conversation with /compact, or go back with /rewind.",
    "rate_limit": "Wait a little and send the message again.",
    "overloaded": "The server is busy: wait a little and send the message again.",
    "unavailable": "Wait until the server has loaded its model, then send the message again.",
    "server": "Send the message again; if it stays, look at the server's log or status page.",
}

_LEADS: dict[ProviderErrorKind, str] = {
    "auth": "The key was refused",
    "billing": "The account does not allow it",
    "permission": "This key may not do that",
    "too_long": "The prompt is too long",
    "rate_limit": "Too many requests",
    "overloaded": "The server is overloaded",
    "server": "The server failed",
    "unavailable": "The server is not ready yet",
}
"""What happened, before the server's own words, which are often too few."""

_NO_TOOLS = "Give it its tools as text with --prompt-tools, or choose a model that calls tools."


@dataclass(frozen=True, slots=True)
class Origin:
    """Who failed: the server's address for the message, and the key that must not appear in it.

    `keyless` says what to do where a server without a key of ours wants one.
    """

    url: str
    key: Secret = NO_SECRET
    keyless: str = "The server wants a key."


def status_error(origin: Origin, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The error for an HTTP answer that is not 2xx. Header names are lower case."""
    if 300 <= status < 400:
        return ProviderError(
            "The server answers with a redirect; keys and prompts are never forwarded to another address.",
            kind="invalid_request",
            where=origin.url,
            hint="Set the base URL to the server's real address.",
            status=status,
        )
    kind_word, message = _words(body)
    error = described_error(origin, kind_word, message or f"HTTP {status}", status)
    wish = headers.get("x-should-retry", "")
    retryable = wish == "true" or (error.retryable and wish != "false")
    return _with_wait(error, retryable, retry_after(headers, time.time()))


def stream_error(origin: Origin, event: JsonObject) -> ProviderError:
    """The error for an error object inside a stream that began well."""
    error = event.get("error")
    if isinstance(error, str):
        return described_error(origin, "", error, 0)
    inner = cast(JsonObject, error) if isinstance(error, dict) else event
    code = inner.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 0
    return described_error(origin, _type_of(inner), text(inner, "message") or "The server reported an error.", status)


def described_error(origin: Origin, kind_word: str, message: str, status: int) -> ProviderError:
    """The error that a type word, a sentence and a status describe."""
    message = origin.key.redact(message).strip()[:2000]
    kind = _kind(kind_word, message, status)
    lead = "The request is too large" if status == 413 else _LEADS.get(kind, "")
    return ProviderError(
        f"{lead}: {message}" if lead and not message.lower().startswith(lead.lower()) else message,
        kind=kind,
        where=origin.url,
        hint=_hint(kind, origin, status) or _NO_TOOLS * ("does not support tools" in message),
        status=status,
        retryable=kind in _RETRIED,
    )


def connection_error(origin: Origin, reason: str, *, sent: bool = False) -> ProviderError:
    """The server could not be reached, or the connection broke (`sent`: after it had begun to answer)."""
    if _is_tls(reason):
        return ProviderError(
            f"The server's certificate cannot be trusted: {reason}",
            kind="connection",
            where=origin.url,
            hint="Check the address, the clock, and a proxy between; SSL_CERT_FILE names further authorities.",
        )
    if sent:
        return cut_error(origin, reason)
    return ProviderError(
        f"No connection: {reason or 'the server does not answer'}",
        kind="connection",
        where=origin.url,
        hint="Is the server running, and is this its address?",
        retryable=True,
    )


def cut_error(origin: Origin, reason: str = "") -> ProviderError:
    """The stream ended before its message was complete."""
    tail = f": {reason}" if reason else ""
    return ProviderError(
        f"The answer broke off before it was complete{tail}",
        kind="cut",
        where=origin.url,
        hint="Send the message again.",
        retryable=True,
    )


def stall_error(origin: Origin, seconds: float) -> ProviderError:
    """No byte came for too long."""
    return ProviderError(
        f"The server sent nothing for {seconds:.0f} s",
        kind="timeout",
        where=origin.url,
        hint="Send the message again; a local server may still be loading the model.",
        retryable=True,
    )


def malformed_error(origin: Origin, detail: str, *, retryable: bool = True) -> ProviderError:
    """The server's answer does not follow its protocol."""
    return ProviderError(
        f"The server's answer cannot be understood: {origin.key.redact(detail)[:500]}",
        kind="malformed",
        where=origin.url,
        hint="Check that the address is that of a model server of this kind.",
        retryable=retryable,
    )


def is_grammar_failure(error: ProviderError) -> bool:
    """Whether llama.cpp broke off because its model's call did not fit the grammar of calls."""
    return _GRAMMAR.search(error.message) is not None


def _with_wait(error: ProviderError, retryable: bool, wait: float | None) -> ProviderError:
    return ProviderError(
        error.message,
        kind=error.kind,
        where=error.where,
        hint=error.hint,
        status=error.status,
        retryable=retryable,
        retry_after=wait,
    )


def _words(body: bytes) -> tuple[str, str]:
    """Type and sentence of an error body, whatever its shape; a web page gives neither."""
    try:
        event = read_event(body)
    except ValueError:
        plain = body[:500].decode("utf-8", "replace").strip()
        return "", "" if plain.startswith("<") else plain
    error: Any = event.get("error")
    if isinstance(error, str):
        return "", error
    inner = child(event, "error") or event
    return _type_of(inner), text(inner, "message") or text(inner, "detail")


def _type_of(error: JsonObject) -> str:
    code = text(error, "code")
    return code if code in _BY_TYPE else text(error, "type")


def _kind(kind_word: str, message: str, status: int) -> ProviderErrorKind:
    if _GRAMMAR.search(message):
        return "malformed"  # llama.cpp: the model's call broke the lazy grammar
    if status == 503 and _LOADING.search(message):
        return "unavailable"
    by_status = _BY_STATUS.get(status) or ("invalid_request" if 400 <= status < 500 else "server")
    kind = _BY_TYPE.get(kind_word) or by_status
    if kind in _RETRIED and by_status not in _RETRIED:
        kind = by_status  # a request that the server refuses stays refused, whatever it calls that
    if kind == "rate_limit" and _QUOTA.search(message):
        return "billing"
    if kind in {"invalid_request", "server"} and _TOO_LONG.search(message):
        return "too_long"
    if kind == "invalid_request" and "credit balance" in message.lower():
        return "billing"
    return "server" if status == 409 else kind


def _hint(kind: ProviderErrorKind, origin: Origin, status: int) -> str:
    if kind == "auth":
        source = origin.key.source
        return f"The key from {source} was refused: check or replace it." if source else origin.keyless
    if status == 413:
        return "The request is too large to send: remove images or long output with /compact or /rewind."
    return _HINTS.get(kind, "")


def _is_tls(reason: str) -> bool:
    return any(word in reason for word in ("CERTIFICATE_VERIFY_FAILED", "SSL:", "[SSL", "certificate verify"))
