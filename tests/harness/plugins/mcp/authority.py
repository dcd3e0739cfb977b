"""A server at an address of this machine that wants a login, with the authority that gives one. Without a library.

Speaks just enough of HTTP, MCP over HTTP and OAuth: discovery, registration, PKCE, a code, tokens.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CODE, TOKEN = "the-code", "the-token"


@dataclass(slots=True)
class Authority:
    """`token` is what a request must carry (None: anything). `headers` are those of the last MCP request.

    Tokens are renewed unless `renews` is off. `says_no` refuses the person. `secret` is what
    a client must know. `grants` are the kinds of token requests, in order.
    """

    token: str | None = TOKEN
    port: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    registered: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    challenge: str = ""
    renews: bool = True
    says_no: bool = False
    secret: str = ""
    grants: list[str] = field(default_factory=list[str])

    @property
    def base(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncGenerator[str]:
        """The address of its MCP server."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"{self.base}/mcp"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            method, target, _ = (await reader.readline()).decode().split(" ")
            headers: dict[str, str] = {}
            while line := (await reader.readline()).decode().strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            status, more, answer = self._answer(method, urlsplit(target), headers, body)
            content = json.dumps(answer).encode() if answer is not None else b""
            lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *more]
            if answer is not None:
                lines.append("Content-Type: application/json")
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
            await writer.drain()
        except (ValueError, ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    def _answer(self, method: str, target: Any, headers: dict[str, str], body: bytes) -> tuple[str, list[str], Any]:
        query = {key: values[0] for key, values in parse_qs(target.query).items()}
        match target.path:
            case "/.well-known/oauth-protected-resource" | "/.well-known/oauth-protected-resource/mcp":
                return "200 OK", [], {"resource": f"{self.base}/mcp", "authorization_servers": [self.base]}
            case "/.well-known/oauth-authorization-server":
                return "200 OK", [], self._metadata()
            case "/register":
                wanted = json.loads(body)
                self.registered.append(wanted)
                return "201 Created", [], {**wanted, "client_id": "client-1", "token_endpoint_auth_method": "none"}
            case "/authorize":
                self.challenge = query["code_challenge"]
                answer = (
                    {"error": "access_denied", "error_description": "Not today"} if self.says_no else {"code": CODE}
                )
                back = urlencode({**answer, "state": query.get("state", "")})
                return "302 Found", [f"Location: {query['redirect_uri']}?{back}"], None
            case "/token":
                return self._token({key: values[0] for key, values in parse_qs(body.decode()).items()})
            case "/mcp" if method == "POST":
                return self._mcp(headers, body)
            case _:
                return "405 Method Not Allowed" if target.path == "/mcp" else "404 Not Found", [], None

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.base,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "registration_endpoint": f"{self.base}/register",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_post"],
        }

    def _token(self, form: dict[str, str]) -> tuple[str, list[str], Any]:
        self.grants.append(form.get("grant_type", ""))
        if self.secret and form.get("client_secret") != self.secret:
            return "401 Unauthorized", [], {"error": "invalid_client"}
        tokens = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "again"}
        if form.get("grant_type") == "refresh_token":
            fits = self.renews and form.get("refresh_token") == "again"
            return ("200 OK", [], tokens) if fits else ("400 Bad Request", [], {"error": "invalid_grant"})
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        fits = base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.challenge
        if form.get("code") != CODE or not fits:
            return "400 Bad Request", [], {"error": "invalid_grant"}
        return "200 OK", [], tokens

    def _mcp(self, headers: dict[str, str], body: bytes) -> tuple[str, list[str], Any]:
        self.headers = headers
        if self.token is not None and headers.get("authorization") != f"Bearer {self.token}":
            where = f'resource_metadata="{self.base}/.well-known/oauth-protected-resource/mcp"'
            return "401 Unauthorized", [f"WWW-Authenticate: Bearer {where}"], {"error": "invalid_token"}
        message = json.loads(body)
        if "id" not in message:
            return "202 Accepted", [], None
        results: dict[str, Any] = {
            "initialize": {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "remote", "version": "1"},
            },
            "tools/list": {"tools": [{"name": "hello", "inputSchema": {"type": "object"}}]},
            "tools/call": {"content": [{"type": "text", "text": "hello from afar"}]},
        }
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
        result = results.get(message["method"])
        if result is None:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        else:
            answer["result"] = result
        return "200 OK", [], answer
