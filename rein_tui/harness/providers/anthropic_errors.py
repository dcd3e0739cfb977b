"""The SDK's exceptions, and those of the connection below it, in our words."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import contextmanager

from ..protocol.errors import ProviderError
from .failures import Origin, connection_error, cut_error, malformed_error, stall_error, status_error
from .keys import KeyRing


@contextmanager
def translated(origin: Origin, idle: float, keys: KeyRing) -> Generator[None]:
    """Raise ProviderError for whatever the SDK raises while it sends a request."""
    import anthropic
    import httpx2

    try:
        yield
    except anthropic.APIStatusError as error:
        headers = {name.lower(): value for name, value in error.response.headers.items()}
        failure = status_error(origin, error.status_code, headers, error.response.content)
        if failure.kind == "auth" and keys.renewable:
            keys.forget()
            failure = _with_retry(failure)
        raise failure from error
    except (anthropic.APITimeoutError, httpx2.ReadTimeout) as error:
        if isinstance(error.__cause__, httpx2.ConnectTimeout):
            raise connection_error(origin, "the server does not answer") from error
        raise stall_error(origin, idle) from error
    except (anthropic.APIConnectionError, httpx2.HTTPError) as error:
        raise connection_error(origin, _reason(error.__cause__ or error), sent=_was_sent(error)) from error
    except (anthropic.AnthropicError, TypeError, ValueError) as error:
        raise malformed_error(origin, str(error), retryable=False) from error


async def answer_bytes(chunks: AsyncIterator[bytes], origin: Origin, idle: float) -> AsyncGenerator[bytes]:
    """The body's bytes; a broken connection is a ProviderError."""
    import httpx2

    try:
        async for chunk in chunks:
            yield chunk
    except httpx2.TimeoutException as error:
        raise stall_error(origin, idle) from error
    except httpx2.HTTPError as error:
        raise cut_error(origin, _reason(error)) from error


def _was_sent(error: BaseException) -> bool:
    import httpx2

    return isinstance(error.__cause__ or error, httpx2.ReadError | httpx2.RemoteProtocolError)


def _reason(error: BaseException) -> str:
    return str(error).strip() or type(error).__name__


def _with_retry(error: ProviderError) -> ProviderError:
    return ProviderError(
        error.message, kind=error.kind, where=error.where, hint=error.hint, status=error.status, retryable=True
    )
