"""What a server's refusal becomes: kind, whether to try again, and what to do."""

import json

import pytest

from rein_tui.harness.providers.base import Secret
from rein_tui.harness.providers.failures import Origin, connection_error, status_error, stream_error

ORIGIN = Origin("http://test", Secret("sk-secret-0123456789", "ANTHROPIC_API_KEY"))


def body(kind: str, message: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "content", "kind", "retryable"),
    [
        (401, body("authentication_error", "invalid x-api-key"), "auth", False),
        (402, b"", "billing", False),
        (403, b"", "permission", False),
        (404, body("not_found_error", "model: nope"), "not_found", False),
        (408, b"", "timeout", True),
        (409, b"", "server", True),
        (413, body("request_too_large", "too large"), "too_long", False),
        (422, b"", "invalid_request", False),
        (429, body("rate_limit_error", "slow down"), "rate_limit", True),
        (429, body("insufficient_quota", "You exceeded your current quota"), "billing", False),
        (429, body("rate_limit_error", "monthly spend limit reached"), "billing", False),
        (400, body("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), "too_long", False),
        (400, body("invalid_request_error", "Your credit balance is too low"), "billing", False),
        (500, body("api_error", "boom"), "server", True),
        (503, b"<html>busy</html>", "server", True),
        (503, body("unavailable_error", "Loading model"), "unavailable", True),
        (503, b'{"error":"Model m is currently loading"}', "unavailable", True),
        (503, b'{"error":"failed to load model"}', "server", True),
        (400, body("api_error", "m does not support tools"), "invalid_request", False),
        (529, body("overloaded_error", "Overloaded"), "overloaded", True),
        (
            400,
            body("exceed_context_size_error", "the request exceeds the available context size"),
            "too_long",
            False,
        ),
        (404, b'{"error":"model \'x\' not found"}', "not_found", False),
        (
            500,
            b'{"error":{"message":"model produced output that does not match the expected peg-native format"}}',
            "malformed",
            True,
        ),
        (400, b'{"message": 7, "detail": "plain words"}', "invalid_request", False),
        (302, b"", "invalid_request", False),
    ],
)
def test_statuses(status: int, content: bytes, kind: str, retryable: bool) -> None:
    error = status_error(ORIGIN, status, {}, content)
    assert (error.kind, error.retryable, error.status) == (kind, retryable, status)
    assert error.message
    assert "<html>" not in error.message


def test_the_server_decides_about_retries() -> None:
    assert not status_error(ORIGIN, 500, {"x-should-retry": "false"}, b"").retryable
    assert status_error(ORIGIN, 400, {"x-should-retry": "true"}, b"").retryable
    assert status_error(ORIGIN, 429, {"retry-after": "7"}, b"").retry_after == 7.0


def test_a_refused_key_is_named_and_never_shown() -> None:
    error = status_error(ORIGIN, 401, {}, body("authentication_error", "bad key sk-secret-0123456789"))
    assert "ANTHROPIC_API_KEY" in error.hint
    assert "sk-secret" not in str(error)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, "overloaded"),
        ({"error": {"message": "server had an error", "type": "server_error"}}, "server"),
        ({"error": "llama runner process has terminated"}, "server"),
        ({"error": {"code": 400, "message": "bad"}}, "invalid_request"),
        ({"error": {}}, "server"),
    ],
)
def test_errors_inside_a_stream(event: dict[str, object], kind: str) -> None:
    assert stream_error(ORIGIN, event).kind == kind


def test_connections() -> None:
    assert connection_error(ORIGIN, "refused").retryable
    assert connection_error(ORIGIN, "reset", sent=True).kind == "cut"
    untrusted = connection_error(ORIGIN, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")
    assert not untrusted.retryable
    assert "certificate" in untrusted.message
