"""Logging in to a server: tokens in a private file, and the browser's way back to a port of this machine.

Discovery, registration and PKCE are the SDK's. Without a stored token nothing is asked for until a person wants it.
"""

import asyncio
import hashlib
import html
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from ...places import Places
from ...processes.browser import open_in_browser
from ...protocol.errors import ConfigError
from ...settings.reader import read_json
from ...settings.shapes import is_object
from ...store.files import private_folder, write_private
from .config import ServerConfig
from .failures import McpFailure

if TYPE_CHECKING:
    from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
    from mcp.shared.auth import OAuthClientInformationFull, OAuthMetadata, OAuthToken

LOGIN_TIME = 300.0
"""Seconds that a person has in the browser."""

_REQUEST = 16 * 1024


@dataclass(slots=True)
class TokenFile:
    """What a login left behind, one file a server, readable by its owner only. The SDK's TokenStorage.

    The SDK forgets between two sessions when a token expires and where it is renewed; `authority` knows the latter.
    """

    path: Path
    redirect: str = ""
    authority: "Callable[[], OAuthMetadata | None]" = lambda: None

    @classmethod
    def of(cls, places: Places, config: ServerConfig) -> "TokenFile":
        """The file of one server's address."""
        name = hashlib.sha256(f"{config.name}\0{config.url}".encode()).hexdigest()[:32]
        return cls(places.data / "mcp-tokens" / f"{name}.json")

    @property
    def has_tokens(self) -> bool:
        """Whether somebody has logged in."""
        return bool(self._read().get("tokens"))

    async def get_tokens(self) -> "OAuthToken | None":
        """The stored tokens."""
        from mcp.shared.auth import OAuthToken

        found = self._read().get("tokens")
        return OAuthToken.model_validate(found) if found else None

    async def set_tokens(self, tokens: "OAuthToken") -> None:
        """Store tokens, when they expire and where they are renewed."""
        authority = self.authority()
        self._write(
            tokens=tokens.model_dump(mode="json", exclude_none=True),
            expires_at=time.time() + tokens.expires_in if tokens.expires_in is not None else None,
            authority=authority.model_dump(mode="json", exclude_none=True) if authority is not None else None,
        )

    @property
    def expires_at(self) -> float | None:
        """When the stored token expires, as time.time() has it; None where nobody said so."""
        found = self._read().get("expires_at")
        return float(found) if isinstance(found, int | float) else None

    def known_authority(self) -> "OAuthMetadata | None":
        """Who gave the stored token."""
        from mcp.shared.auth import OAuthMetadata

        found = self._read().get("authority")
        return OAuthMetadata.model_validate(found) if found else None

    async def get_client_info(self) -> "OAuthClientInformationFull | None":
        """The stored registration, as long as it leads back to where we listen."""
        from mcp.shared.auth import OAuthClientInformationFull

        found = self._read().get("client")
        if not found:
            return None
        client = OAuthClientInformationFull.model_validate(found)
        known = [str(uri) for uri in client.redirect_uris or ()]
        return client if not self.redirect or not known or self.redirect in known else None

    async def set_client_info(self, client_info: "OAuthClientInformationFull") -> None:
        """Store the registration."""
        self._write(client=client_info.model_dump(mode="json", exclude_none=True))

    @property
    def secret(self) -> str:
        """The secret of a client that was registered by hand; mostly empty."""
        return str(self._read().get("secret") or "")

    def keep_secret(self, secret: str) -> None:
        """Store it: it never stands beside the entry."""
        self._write(secret=secret)

    def forget(self) -> None:
        """Log out; the secret of a client that was registered by hand stays."""
        secret = self.secret
        self.path.unlink(missing_ok=True)
        if secret:
            self.keep_secret(secret)

    def _read(self) -> dict[str, Any]:
        try:
            document = read_json(self.path)
        except ConfigError:
            return {}
        return document.data if document is not None and is_object(document.data) else {}

    def _write(self, **values: Any) -> None:
        private_folder(self.path.parent)
        write_private(self.path, json.dumps({**self._read(), **values}, indent=1).encode())


@dataclass(slots=True)
class Loopback:
    """Listens for the browser's return."""

    port: int = 0
    _answer: "asyncio.Future[dict[str, str]]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def redirect(self) -> str:
        """Where the browser is sent back to."""
        return f"http://127.0.0.1:{self.port}/callback"

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Listen on the port, or on any that is free. Raises OSError."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_REQUEST)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    async def wait(self) -> "AuthorizationCodeResult":
        """The browser's answer. Raises McpFailure when it is a no, and TimeoutError."""
        from mcp.client.auth import AuthorizationCodeResult

        async with asyncio.timeout(LOGIN_TIME):
            answer = await self._answer
        self._answer = asyncio.get_running_loop().create_future()  # a server may want more of a login later
        if "code" not in answer:
            raise McpFailure(f"The login was refused: {answer.get('error_description') or answer.get('error', '')}")
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = (await reader.readline()).decode("latin-1")
        except (ValueError, OSError):
            line = ""
        parts = line.split(" ")
        target = urlsplit(parts[1]) if len(parts) > 1 else urlsplit("")
        found = {key: values[0] for key, values in parse_qs(target.query).items()}
        fits = target.path == "/callback" and ("code" in found or "error" in found)
        words = "You are logged in; go back to rein-tui." if "code" in found else "The login was refused."
        body = f"<!doctype html><title>rein-tui</title><p>{html.escape(words if fits else 'Nothing here.')}"
        head = f"HTTP/1.1 {'200 OK' if fits else '404 Not Found'}\r\nContent-Type: text/html; charset=utf-8\r\n"
        writer.write(f"{head}Content-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n{body}".encode())
        writer.close()
        if fits and not self._answer.done():
            self._answer.set_result(found)


def provider(
    config: ServerConfig, storage: TokenFile, loopback: Loopback | None, tell: Callable[[str], None]
) -> "OAuthClientProvider":
    """The SDK's authentication; without a loopback a login that becomes necessary raises McpFailure.

    `tell` is told the address to open, for persons whose browser is elsewhere.
    """
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientMetadata

    redirect = loopback.redirect if loopback is not None else "http://127.0.0.1/callback"
    storage.redirect = redirect if loopback is not None else ""

    async def open_browser(url: str) -> None:
        if loopback is None:
            raise McpFailure("The login has expired.", where=config.name, hint="Log in again with /mcp.")
        tell(url)
        await open_in_browser(url)

    async def come_back() -> "AuthorizationCodeResult":
        assert loopback is not None
        return await loopback.wait()

    metadata = OAuthClientMetadata.model_validate(
        {"redirect_uris": [redirect], "client_name": "rein-tui", "scope": config.oauth.scopes or None}
    )
    made = OAuthClientProvider(config.url, metadata, storage, open_browser, come_back)
    storage.authority = lambda: made.context.oauth_metadata
    made.context.token_expiry_time = storage.expires_at
    made.context.oauth_metadata = storage.known_authority()
    return made


async def register_configured(config: ServerConfig, storage: TokenFile) -> None:
    """A client id that the entry names needs no registration."""
    from mcp.shared.auth import OAuthClientInformationFull

    if config.oauth.client_id:
        client = {
            "client_id": config.oauth.client_id,
            "redirect_uris": [storage.redirect] if storage.redirect else None,
            "token_endpoint_auth_method": "client_secret_post" if storage.secret else "none",
            "client_secret": storage.secret or None,
        }
        await storage.set_client_info(OAuthClientInformationFull.model_validate(client))
