"""Who may talk to the server: token, Host and Origin, sizes and rates, all before anything is accepted.

Plain ASGI, so it stands in front of every route, HTTP and WebSocket alike. There is no CORS: a page of another
origin is refused, not invited.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

PRINCIPAL = "rein_principal"
"""Where the guard leaves the principal in the scope's state; empty for a WebSocket that still owes its token."""

_OPEN_PATHS = frozenset({"/health"})
_BODY_SECONDS = 30.0
_MOST_ADDRESSES = 4096


class Tokens:
    """The tokens that open the server, by the name of the principal that each stands for."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._digests = {name: _digest(token) for name, token in tokens.items()}

    def principal(self, token: str) -> str:
        """Whose token this is, or nothing. Takes the same time for every wrong token."""
        given, found = _digest(token), ""
        for name, digest in self._digests.items():
            if hmac.compare_digest(given, digest):
                found = name
        return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class Bucket:
    """A rate: `rate` a second on average, `burst` at once."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._level, self._filled = burst, clock()

    def take(self) -> bool:
        """One more; false when there are too many."""
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._filled) * self._rate)
        self._filled = now
        if self._level < 1:
            return False
        self._level -= 1
        return True

    @property
    def is_empty(self) -> bool:
        """Whether the next one would be refused; takes nothing."""
        return self._level + (self._clock() - self._filled) * self._rate < 1


class Buckets:
    """One bucket a key; the longest unused go first."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, key: str) -> Bucket:
        """The bucket of this key."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._rate, self._burst)
            if len(self._buckets) > _MOST_ADDRESSES:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket


@dataclass(frozen=True, slots=True)
class Doors:
    """What a request must carry: one of these Host headers (with port), and no Origin or one of these."""

    hosts: frozenset[str]
    origins: frozenset[str]


def doors_of(host: str, port: int, *, tls: bool = False, extra: tuple[str, ...] = ()) -> Doors:
    """The doors of a server on this address; `extra` are further names, with or without a port."""
    names = {"127.0.0.1", "localhost", "[::1]"} if is_loopback(host) else {f"[{host}]" if ":" in host else host}
    hosts = {f"{name}:{port}" for name in names} | {e.lower() if _has_port(e) else f"{e.lower()}:{port}" for e in extra}
    standard = 443 if tls else 80
    hosts |= {h.rpartition(":")[0] for h in hosts if h.endswith(f":{standard}")}
    scheme = "https" if tls else "http"
    return Doors(frozenset(hosts), frozenset(f"{scheme}://{name}" for name in hosts))


def _has_port(name: str) -> bool:
    return name.rpartition("]")[2].rpartition(":")[2].isdecimal() and ":" in name.rpartition("]")[2]


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A request that is not let in."""

    status: int
    text: str


class Guard:
    """ASGI middleware in front of everything."""

    def __init__(self, app: App, tokens: Tokens, doors: Doors, *, largest_body: int = 4 * 1024 * 1024) -> None:
        self._app = app
        self._tokens = tokens
        self._doors = doors
        self._largest_body = largest_body
        self._failures = Buckets(rate=0.2, burst=10)
        self._requests = Buckets(rate=100, burst=300)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            principal = self._admit(scope)
            body = await self._body(scope, receive) if scope["type"] == "http" else None
        except Refusal as refusal:
            await _refuse(scope, send, refusal)
            return
        scope.setdefault("state", {})[PRINCIPAL] = principal
        await self._app(scope, receive if body is None else _replayed(body, receive), send)

    def open_doors(self, doors: Doors) -> None:
        """The doors, once the port is known."""
        self._doors = doors

    def principal(self, token: str, address: str) -> str:
        """Whose token a first message carries; empty when it is wrong, or after too many wrong ones."""
        failures = self._failures.of(address)
        if failures.is_empty:
            return ""
        found = self._tokens.principal(token)
        if not found:
            failures.take()
        return found

    def _admit(self, scope: Scope) -> str:
        """The principal of a request. Raises Refusal."""
        headers = _headers(scope)
        if len(headers.get("host", ())) != 1 or headers["host"][0].lower() not in self._doors.hosts:
            raise Refusal(421, "This server does not go by that name.")
        if any(origin.lower() not in self._doors.origins for origin in headers.get("origin", ())):
            raise Refusal(403, "Pages of another origin are not served.")
        address = address_of(scope)
        if not self._requests.of(address).take():
            raise Refusal(429, "Too many requests.")
        if scope["type"] == "http" and scope["path"] in _OPEN_PATHS:
            return ""
        given = headers.get("authorization", ())
        if not given and scope["type"] == "websocket":
            return ""
        if self._failures.of(address).is_empty:
            raise Refusal(429, "Too many wrong tokens.")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        principal = self.principal(token.strip(), address) if scheme.lower() == "bearer" else ""
        if not principal:
            raise Refusal(401, "A token is needed: Authorization: Bearer …")
        return principal

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body of a request that has one. Raises Refusal."""
        if scope["method"] != "POST":  # no other method has a route that reads one
            return None
        headers = _headers(scope)
        length = headers.get("content-length", ("0",))[0]
        if length.isdecimal() and int(length) > self._largest_body:
            raise Refusal(413, f"The body may have {self._largest_body} bytes.")
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Refusal(400, "The body ended early.")
                    body += message.get("body", b"")
                    if len(body) > self._largest_body:
                        raise Refusal(413, f"The body may have {self._largest_body} bytes.")
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            raise Refusal(408, "The body came too slowly.") from None


def address_of(scope: Scope) -> str:
    """Where a request comes from, for rates."""
    client = scope.get("client")
    return str(client[0]) if client else "unix"


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    kind = "http" if scope["type"] == "http" else "websocket.http"
    if kind == "websocket.http" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.text})
        return
    body = json.dumps({"detail": refusal.text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": f"{kind}.response.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})
