"""The one tree of errors that a person can act on.

    ReinError                what happened, where, what to do next
    ├── ConfigError          a flag, a settings file or a manifest that does not parse
    ├── ProviderError        the model's server refused, failed or broke off
    ├── StoreError           the session store cannot be read or written
    └── StartError           the session cannot start at all (refused policy, missing extra, bad folder)

What the *model* can act on is not here: that is a `ToolResult(is_error=True)`. A bug is not here either:
it crashes visibly.
"""

from typing import Literal, TypeAlias

from .base import Word

ProviderErrorKind: TypeAlias = Literal[
    "auth",
    "billing",
    "permission",
    "not_found",
    "rate_limit",
    "overloaded",
    "server",
    "connection",
    "timeout",
    "too_long",
    "invalid_request",
    "malformed",
    "cut",
    "refusal",
    "unavailable",
]
"""What went wrong with a model request; `cut` is a stream that ended before its message was complete."""


class Failure(Word, frozen=True, kw_only=True, tag="failure"):
    """An error as a word: stored in facts, sent over the wire, drawn in the chat."""

    message: str
    where: str = ""
    hint: str = ""
    kind: str = ""
    retryable: bool = False
    status: int = 0


class ReinError(Exception):
    """Something a person can act on: `message` says what happened, `where` names it, `hint` says what to do next."""

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.hint:
            parts.append(self.hint)
        return "\n".join(parts)

    def failure(self) -> Failure:
        """The same error as a word."""
        return Failure(message=self.message, where=self.where, hint=self.hint, kind=type(self).__name__)


class ConfigError(ReinError):
    """A flag, a settings file or a manifest does not parse; `where` is `file:line: field` as far as known."""


class StoreError(ReinError):
    """The session store cannot be opened, read or written."""


class StartError(ReinError):
    """The session cannot start: a refused policy, a missing optional extra, a folder that does not exist."""


class ProviderError(ReinError):
    """The model's server refused, failed or broke off.

    `retryable` says whether sending the same request again can help; `status` is the HTTP status, 0 when
    there was none; `retry_after` is the server's wish in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ProviderErrorKind,
        where: str = "",
        hint: str = "",
        status: int = 0,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.kind: ProviderErrorKind = kind
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after

    def failure(self) -> Failure:
        return Failure(
            message=self.message,
            where=self.where,
            hint=self.hint,
            kind=self.kind,
            retryable=self.retryable,
            status=self.status,
        )
