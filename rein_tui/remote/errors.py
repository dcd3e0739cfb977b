"""Failures of the wire as the errors that the harness beside the screen would have raised."""

from typing import cast, get_args

from rein_tui.harness.protocol.errors import (
    ConfigError,
    Failure,
    ProviderError,
    ProviderErrorKind,
    ReinError,
    StartError,
    StoreError,
)

_PROVIDER_KINDS = frozenset[str](get_args(ProviderErrorKind))


class Refused(StartError):
    """The server would not; `kind` is the name of its reason."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, where=failure.where, hint=failure.hint)
        self.kind = failure.kind


def error_of(failure: Failure) -> ReinError:
    """The error that a failure stands for, as the harness beside the screen would have raised it."""
    if failure.kind in _PROVIDER_KINDS:
        return ProviderError(
            failure.message,
            kind=cast(ProviderErrorKind, failure.kind),
            where=failure.where,
            hint=failure.hint,
            status=failure.status,
            retryable=failure.retryable,
        )
    kinds: dict[str, type[ReinError]] = {"ConfigError": ConfigError, "StoreError": StoreError}
    kind = kinds.get(failure.kind)
    return kind(failure.message, where=failure.where, hint=failure.hint) if kind else Refused(failure)
