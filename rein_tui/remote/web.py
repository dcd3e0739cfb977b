"""`rein-tui web`: the full screen in a browser, through textual-serve, behind our token.

Every page and socket needs a cookie that only the login form gives out; the token never stands in a URL. Host and
Origin are checked as the server does. Each browser tab is one screen, a program of its own.
"""

import argparse
import asyncio
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

from rein_tui.cli.options import parse_options
from rein_tui.harness.places import Places

from .guard import Buckets, Doors, Tokens
from .server_run import Listening
from .tokens import tokens_of
from .web_pages import login_page, policy_of, screen_page

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_COOKIE = "rein_tui_screen"
_MOST_SCREENS = 16
_MOST_LOGINS = 64
_LARGEST_FORM = 4096


class Gatehouse:
    """The guard of the web screen: an aiohttp middleware and the login page."""

    def __init__(self, tokens: Tokens, doors: Doors, *, secure: bool) -> None:
        self._tokens = tokens
        self._doors = doors
        self._secure = secure
        self._cookies: list[str] = []
        self._failures = Buckets(rate=0.2, burst=10)
        self._screens = 0

    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through that names this server, comes from its own pages and carries the cookie."""
        if len(request.headers.getall("Host", [])) != 1 or request.host.lower() not in self._doors.hosts:
            raise web.HTTPMisdirectedRequest(text="This server does not go by that name.")
        if any(origin.lower() not in self._doors.origins for origin in request.headers.getall("Origin", [])):
            raise web.HTTPForbidden(text="Pages of another origin are not served.")
        if request.path == "/login":
            return await self._login(request)
        if not self._is_known(request.cookies.get(_COOKIE, "")):
            if request.path == "/":
                raise web.HTTPSeeOther("/login")
            raise web.HTTPUnauthorized(text="Open / and give the token.")
        if request.path != "/ws":
            return _sealed(await handler(request))
        return await self._screen(request, handler)

    def _is_known(self, cookie: str) -> bool:
        return any(secrets.compare_digest(known.encode(), cookie.encode()) for known in self._cookies)

    async def _screen(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._screens >= _MOST_SCREENS:
            raise web.HTTPServiceUnavailable(text=f"{_MOST_SCREENS} screens are open.")
        self._screens += 1
        try:
            return await handler(request)
        finally:
            self._screens -= 1

    async def _login(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return _page("")
        failures = self._failures.of(request.remote or "")
        if request.method != "POST" or failures.is_empty:
            raise web.HTTPTooManyRequests(text="Too many wrong tokens; wait a little.")
        if request.content_length is None or request.content_length > _LARGEST_FORM:
            raise web.HTTPRequestEntityTooLarge(_LARGEST_FORM, request.content_length or 0)
        form = await request.post()
        token = form.get("token", "")
        if not isinstance(token, str) or not self._tokens.principal(token.strip()):
            failures.take()
            return _page("That is not the token.", 401)
        cookie = secrets.token_urlsafe(32)
        self._cookies = [*self._cookies[-_MOST_LOGINS:], cookie]
        response = web.HTTPSeeOther("/")
        response.set_cookie(_COOKIE, cookie, httponly=True, samesite="Strict", secure=self._secure, path="/")
        raise response


def _page(problem: str, status: int = 200) -> web.StreamResponse:
    response = web.Response(text=login_page(problem), content_type="text/html", status=status)
    response.headers["Content-Security-Policy"] = policy_of()
    return _sealed(response)


def _sealed(response: web.StreamResponse) -> web.StreamResponse:
    if not response.prepared:
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"  # with no-referrer, forms would send Origin: null
        response.headers["Cache-Control"] = "no-store"
    return response


class WebScreen(Server):
    """textual-serve's server with a gatehouse in front."""

    def __init__(self, command: str, url: str, gatehouse: Gatehouse, listening: Listening) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]  PathLike without its parameter
            command, host=listening.host, port=listening.port, title="rein-tui", public_url=url
        )
        self._gatehouse = gatehouse

    async def handle_index(self, request: web.Request) -> web.StreamResponse:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The page of one screen. Its socket is at the name by which the browser came here."""
        scheme = "wss" if request.secure else "ws"
        wish = request.query.get("fontsize", "")
        size = min(max(int(wish), 6), 60) if wish.isdecimal() and len(wish) < 4 else 16
        nonce = secrets.token_urlsafe(16)
        text = screen_page(f"{scheme}://{request.host}/ws", size, nonce)
        headers = {"Content-Security-Policy": policy_of(nonce)}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def application(self) -> web.Application:
        """The application, guarded."""
        app = await self._make_app()
        gatehouse = self._gatehouse

        @web.middleware
        async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await gatehouse.check(request, handler)

        app.middlewares.append(checked)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: `run_web` does."""


def run_web(arguments: Sequence[str], places: Places) -> int:
    """Serve the screen to browsers until SIGINT or SIGTERM. Raises ReinError."""
    parser = argparse.ArgumentParser(
        prog="rein-tui web",
        description="The full screen in a browser. What stands behind -- are flags for the screen itself.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="beyond loopback only with TLS")
    parser.add_argument("--port", type=int, default=8766)
    parser.add_argument("--token-file", type=Path, metavar="FILE")
    parser.add_argument("--tls-cert", default="", metavar="FILE")
    parser.add_argument("--tls-key", default="", metavar="FILE")
    parser.add_argument("--allow-host", action="append", metavar="NAME", help="a further Host name of this server")
    own = list(arguments)
    flags = own[own.index("--") + 1 :] if "--" in own else []
    args = parser.parse_args(own[: own.index("--")] if "--" in own else own)
    parse_options(flags)
    listening = Listening(args.host, args.port, args.tls_cert, args.tls_key, tuple(args.allow_host or ()))
    listening.check()
    command = shlex.join([sys.executable, "-m", "rein_tui", *flags])
    listener, listening = listening.bound()
    made = places.data / "run" / f"web-{listening.port}.token"
    with listener, tokens_of(args.token_file, made) as (tokens, said):
        asyncio.run(_serve(command, Tokens(tokens), listener, listening, said))
    return 0


async def _serve(command: str, tokens: Tokens, listener: socket.socket, listening: Listening, said: str) -> None:
    gatehouse = Gatehouse(tokens, listening.doors, secure=bool(listening.cert))
    screen = WebScreen(command, listening.url, gatehouse, listening)
    runner = web.AppRunner(await screen.application(), access_log=None)
    await runner.setup()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await web.SockSite(runner, listener, ssl_context=listening.tls()).start()
        sys.stdout.write(f"rein-tui shows the screen on {listening.url}\n{said}\n")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await runner.cleanup()
