"""The HTTP face of a hall: the classic endpoints, one WebSocket for both protocols, the schema.

Made by `create_app`; the guard in front of it has looked at token, Host, Origin and sizes before anything here runs.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from msgspec import Meta

from rein_tui.harness.protocol.base import JsonObject, Word
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.messages import ToolSpec
from rein_tui.harness.protocol.ports import Prompt

from .classic import answered
from .connection import Channel, Gone, Reception
from .guard import PRINCIPAL, address_of
from .sessions import Busy
from .wire import ClassicAnswer, encode, wire_schema

SOCKET_PATH = "/ws/chat"


class ChatRequest(Word, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/chat`."""

    message: Annotated[str, Meta(min_length=1)]
    session_id: str | None = None
    system_prompt: str | None = None


@dataclass(slots=True)
class Desk:
    """What the endpoints show besides sessions."""

    tools: Callable[[], Awaitable[tuple[ToolSpec, ...]]]
    settings: Callable[[], JsonObject]
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list[Callable[[], Awaitable[None]]])


def create_app(reception: Reception, desk: Desk) -> FastAPI:
    """The application without its guard. Closing it lets every turn end in order."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        yield
        await reception.hall.close()
        for close in desk.closers:
            await close()

    app = FastAPI(
        title="rein-tui", version=reception.version, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    _Endpoints(reception, desk, app).add()
    return app


class _Endpoints:
    def __init__(self, reception: Reception, desk: Desk, app: FastAPI) -> None:
        self._reception = reception
        self._desk = desk
        self._app = app
        self._schema: bytes = b""

    def add(self) -> None:
        """Add every route."""
        get, post = self._app.get, self._app.post
        get("/health", **_spec("Is the server up", {"200": _object({"status": {"const": "ok"}}, "status")}, False))(
            self.health
        )
        tools = _object({"tools": {"type": "array", "items": {"$ref": "#/components/schemas/ToolSpec"}}}, "tools")
        get("/api/tools", **_spec("The tools of the model, with schemas", {"200": tools}))(self.tools)
        get("/api/settings", **_spec("Settings in force, secrets masked", {"200": {"type": "object"}}))(self.settings)
        answer: JsonObject = {"$ref": "#/components/schemas/ClassicAnswer"}
        chat = _spec("One turn; what would ask is denied", {"200": answer})
        for status in ("400", "404", "408", "409", "413", "415", "422", "502", "503"):
            chat["responses"][status] = _response(_DETAIL, "Refused or failed")
        chat["openapi_extra"] |= {"requestBody": {"required": True, "content": _json({"$ref": _ref("ChatRequest")})}}
        post("/api/chat", **chat)(self.chat)
        get("/openapi.json", **_spec("This schema", {"200": {"type": "object"}}))(self.openapi)
        self._app.websocket(SOCKET_PATH)(self.socket)

    async def health(self) -> Response:
        """Alive; says nothing else."""
        return _answer({"status": "ok"})

    async def tools(self) -> Response:
        """Tools with their schemas."""
        try:
            return _answer({"tools": await self._desk.tools()})
        except ReinError as error:
            return _answer({"detail": str(error)}, 503)

    async def settings(self) -> Response:
        """Settings, secrets masked."""
        return _answer(self._desk.settings())

    async def chat(self, request: Request) -> Response:
        """One turn, not streamed."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return _answer({"detail": "The body must be application/json."}, 415)
        try:
            wanted = msgspec.json.decode(await request.body(), type=ChatRequest)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return _answer({"detail": str(error)}, 422)
        principal = request.scope["state"][PRINCIPAL]
        hall = self._reception.hall
        try:
            hub = await hall.open(wanted.session_id or "", principal)
        except ReinError as error:
            return _answer({"detail": error.message}, 404 if wanted.session_id else 503)
        try:
            prompt = Prompt(text=wanted.message, system_prompt=wanted.system_prompt or None)
            fold = await answered(hub, hub.run(prompt))
        except Busy as error:
            return _answer({"detail": error.message}, 409)
        if fold.interrupted:
            return _answer({"detail": f"The turn was stopped: {fold.interrupted}"}, 503)
        if fold.problem:
            return _answer({"detail": fold.problem}, 502)
        return _answer(fold.answer())

    async def openapi(self) -> Response:
        """The schema of the endpoints and of everything on the socket."""
        if not self._schema:
            self._schema = encode(schema_of(self._app))
        return Response(self._schema, media_type="application/json")

    async def socket(self, websocket: WebSocket) -> None:
        """One connection, in either protocol."""
        await websocket.accept()
        principal, address = websocket.scope["state"][PRINCIPAL], address_of(websocket.scope)
        await self._reception.serve(_Socket(websocket), principal, address)


class _Socket(Channel):
    """connection.Channel over FastAPI's WebSocket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes:
        """The next frame. Raises Gone."""
        try:
            message = await self._websocket.receive()
        except (RuntimeError, OSError) as error:
            raise Gone from error
        if message["type"] != "websocket.receive":
            raise Gone
        text: str | None = message.get("text")
        return text if text is not None else message["bytes"]

    async def send(self, data: str) -> None:
        """Send a frame; waits while the reader is slow. Raises Gone."""
        try:
            await self._websocket.send_text(data)
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise Gone from error

    async def close(self, code: int, reason: str) -> None:
        """End the connection."""
        try:
            await self._websocket.close(code, reason)
        except (WebSocketDisconnect, RuntimeError, OSError):
            return


# --- the schema ---------------------------------------------------------------------------------------------

_DETAIL: JsonObject = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}


def schema_of(app: FastAPI) -> JsonObject:
    """OpenAPI 3.1 of the endpoints; `x-websocket` holds the messages of both protocols on the socket."""
    from fastapi.openapi.utils import get_openapi

    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    roots, words = wire_schema("#/components/schemas/{name}")
    _, more = msgspec.json.schema_components(
        [ChatRequest, ClassicAnswer, ToolSpec], ref_template="#/components/schemas/{name}"
    )
    components = schema.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **words, **more}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["x-websocket"] = {"path": SOCKET_PATH, "messages": roots}
    return schema


def _spec(summary: str, answers: JsonObject, secured: bool = True) -> dict[str, Any]:
    responses: dict[str, Any] = {status: _response(schema, summary) for status, schema in answers.items()}
    refusals = ("401", "403", "421", "429", "503") if secured else ("403", "421", "429")
    responses |= {status: _response(_DETAIL, "Refused") for status in refusals}
    extra: dict[str, Any] = {"security": [{"token": []}]} if secured else {}
    return {"summary": summary, "responses": responses, "openapi_extra": extra, "response_class": Response}


def _response(schema: JsonObject, description: str) -> JsonObject:
    return {"description": description, "content": _json(schema)}


def _json(schema: JsonObject) -> JsonObject:
    return {"application/json": {"schema": schema}}


def _object(properties: JsonObject, *required: str) -> JsonObject:
    return {"type": "object", "properties": properties, "required": list(required)}


def _ref(name: str) -> str:
    return f"#/components/schemas/{name}"


def _answer(value: object, status: int = 200) -> Response:
    return Response(encode(value), status, media_type="application/json")
