"""One connection from its first frame to its end, whatever carries it: token, greeting, then one of two protocols."""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.ports import Prompt

from .classic import ClassicFold, error_frame
from .guard import Bucket
from .hall import Hall
from .peers import Overrun, Peer
from .sessions import Hub
from .wire import (
    PROTOCOL,
    Auth,
    Call,
    ClassicFrame,
    ClassicMessage,
    ClassicPing,
    ClassicPong,
    ClientMessage,
    Fault,
    Hello,
    ServerFrame,
    Told,
    Welcome,
    WireError,
    decode_client,
    encode,
)
from .wire.frames import Failure

AUTH_SECONDS = 2.0
STALL_SECONDS = 30.0
"""How long one frame may take to go out before its reader counts as gone."""

UNAUTHORIZED, SLOW, BAD, POLICY, TOO_BIG = 4401, 4408, 1007, 1008, 1009
_LARGEST_FRAME = 1024 * 1024
_LONGEST_LINE = 16


class Gone(Exception):
    """The other side is not there any more."""


class Channel(Protocol):
    """A carrier of frames."""

    async def receive(self) -> str | bytes:
        """The next frame. Raises Gone."""
        ...

    async def send(self, data: str) -> None:
        """Send a frame; waits while the reader is slow. Raises Gone."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """End the connection. Never raises."""
        ...


@dataclass(slots=True)
class Closing(Exception):
    """End the connection with this code and reason."""

    code: int
    reason: str


@dataclass(slots=True)
class Reception:
    """What every connection of a server shares.

    `authenticate` gives the principal of a token that came from an address, or nothing.
    """

    hall: Hall
    authenticate: Callable[[str, str], str]
    version: str = ""
    project: str = ""
    stall: float = STALL_SECONDS
    auth_seconds: float = AUTH_SECONDS
    open: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])

    async def serve(self, channel: Channel, principal: str, address: str = "") -> None:
        """Serve one connection to its end. `principal` is empty while the token is still owed."""
        try:
            await self._serve(channel, principal or await self._authenticated(channel, address))
        except Gone:
            return
        except Closing as closing:
            await channel.close(closing.code, closing.reason)

    async def _serve(self, channel: Channel, principal: str) -> None:
        bucket = Bucket(rate=100, burst=300)
        first = await self.next_message(channel, bucket)
        while isinstance(first, Auth):
            first = await self.next_message(channel, bucket)
        if isinstance(first, Hello):
            await self._modern(channel, principal, first, bucket)
        else:
            await _Classic(self, channel, principal, bucket).serve(first)

    async def _authenticated(self, channel: Channel, address: str) -> str:
        try:
            async with asyncio.timeout(self.auth_seconds):
                data = await channel.receive()
        except TimeoutError:
            raise Closing(UNAUTHORIZED, "no token came") from None
        try:
            message = decode_client(data)
        except WireError:
            raise Closing(UNAUTHORIZED, "the first message must carry the token") from None
        principal = self.authenticate(message.token, address) if isinstance(message, Auth) else ""
        if not principal:
            raise Closing(UNAUTHORIZED, "the token is wrong")
        return principal

    async def next_message(self, channel: Channel, bucket: Bucket) -> ClientMessage:
        """The next message. Raises Gone, and Closing for what cannot be one."""
        data = await channel.receive()
        if len(data) > self.hall.limits.message:
            raise Closing(TOO_BIG, "the message is too big")
        if not bucket.take():
            raise Closing(POLICY, "too many messages")
        try:
            return decode_client(data)
        except WireError as error:
            await channel.send(encode(error_frame(f"not a message of this protocol: {error}")).decode())
            return await self.next_message(channel, bucket)

    # --- our own protocol -----------------------------------------------------------------------------------

    async def _modern(self, channel: Channel, principal: str, hello: Hello, bucket: Bucket) -> None:
        if PROTOCOL not in hello.protocols:
            failure = Failure(message=f"This server speaks protocol {PROTOCOL} only.", kind="protocol")
            await channel.send(encode(Fault(failure=failure)).decode())
            raise Closing(POLICY, "no common protocol")
        peer = Peer(self.hall, principal, hello.client or uuid.uuid4().hex)
        bench = self.hall.bench
        welcome = Welcome(
            protocol=PROTOCOL,
            version=self.version,
            project=self.project,
            choice=bench.choice,
            largest_message=self.hall.limits.message,
        )
        sender = asyncio.create_task(self._send_all(channel, welcome, peer.frames()))
        reader = asyncio.create_task(self._read_all(channel, peer, bucket))
        try:
            await asyncio.wait({sender, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sender, reader):
                task.cancel()
            ends = await asyncio.gather(sender, reader, return_exceptions=True)
            await peer.close()
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _read_all(self, channel: Channel, peer: Peer, bucket: Bucket) -> None:
        while True:
            data = await channel.receive()
            if len(data) > self.hall.limits.message:
                raise Closing(TOO_BIG, "the message is too big")
            if not bucket.take():
                raise Closing(POLICY, "too many messages")
            try:
                message = decode_client(data)
            except WireError as error:
                peer.fault(f"not a message of this protocol: {error}")
                continue
            if isinstance(message, Call):
                await peer.receive(message)
            elif isinstance(message, ClassicPing):
                await channel.send(encode(ClassicPong()).decode())
            else:
                peer.fault(f"a {type(message).__name__} has no place here")

    async def _send_all(self, channel: Channel, welcome: Welcome, frames: AsyncGenerator[ServerFrame]) -> None:
        await channel.send(encode(welcome).decode())
        try:
            async for frame in frames:
                for data in _texts(frame):
                    async with asyncio.timeout(self.stall):
                        await channel.send(data)
        except (TimeoutError, Overrun):
            raise Closing(SLOW, "you read too slowly; attach again") from None
        finally:
            await frames.aclose()


def _texts(frame: ServerFrame) -> list[str]:
    """A frame as text; a large part of a story in several."""
    data = encode(frame)
    if len(data) <= _LARGEST_FRAME or not isinstance(frame, Told) or len(frame.events) == 1:
        return [data.decode()]
    middle = len(frame.events) // 2
    return [
        *_texts(Told(session=frame.session, events=frame.events[:middle])),
        *_texts(Told(session=frame.session, events=frame.events[middle:])),
    ]


# --- the classic protocol -----------------------------------------------------------------------------------


class _Classic:
    """One conversation in the classic protocol; messages during a turn wait in line."""

    def __init__(self, reception: Reception, channel: Channel, principal: str, bucket: Bucket) -> None:
        self._reception = reception
        self._channel = channel
        self._principal = principal
        self._bucket = bucket
        self._hub: Hub | None = None
        self._line: deque[ClassicMessage] = deque()
        self._came = asyncio.Event()

    async def serve(self, first: ClientMessage) -> None:
        """Serve to the end of the connection; a running turn is interrupted then."""
        worker = asyncio.create_task(self._work())
        reader = asyncio.create_task(self._read(first))
        try:
            await asyncio.wait({worker, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (worker, reader):
                task.cancel()
            ends = await asyncio.gather(worker, reader, return_exceptions=True)
            if self._hub is not None:
                self._hub.interrupt("the client left")
                await self._hub.idle()
                await self._reception.hall.release(self._hub)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _read(self, message: ClientMessage) -> None:
        while True:
            match message:
                case ClassicMessage() if len(self._line) >= _LONGEST_LINE:
                    await self._send(error_frame("too many messages wait in line"))
                case ClassicMessage():
                    self._line.append(message)
                    self._came.set()
                case ClassicPing():
                    await self._send(ClassicPong())
                case Auth():
                    pass
                case _:
                    await self._send(error_frame("say hello first to speak the other protocol"))
            message = await self._reception.next_message(self._channel, self._bucket)

    async def _work(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            while self._line:
                try:
                    await self._turn(self._line.popleft())
                except ReinError as error:
                    await self._send(error_frame(str(error)))

    async def _turn(self, message: ClassicMessage) -> None:
        if self._hub is None:
            self._hub = await self._reception.hall.open("", self._principal)
        fold = ClassicFold()
        prompt = Prompt(text=message.content, system_prompt=message.system_prompt or None)
        async with aclosing(self._hub.story.follow(self._hub.run(prompt).after)) as events:
            async for event in events:
                for frame in fold.apply(event):
                    await self._send(frame)
                if fold.is_over:
                    break
        await self._hub.idle()

    async def _send(self, frame: ClassicFrame) -> None:
        try:
            async with asyncio.timeout(self._reception.stall):
                await self._channel.send(encode(frame).decode())
        except TimeoutError:
            raise Closing(SLOW, "you read too slowly") from None
