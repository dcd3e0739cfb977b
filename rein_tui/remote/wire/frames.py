"""Frames: greeting, calls and replies, the story in numbered events, questions to the owner."""

from typing import Literal, TypeAlias

import msgspec

from rein_tui.harness.protocol.base import Word
from rein_tui.harness.protocol.decisions import Mode, PermissionRequest, QuestionRequest
from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.events import Event, Fact
from rein_tui.harness.protocol.policy import TrustRequest
from rein_tui.harness.protocol.ports import SessionInfo
from rein_tui.harness.protocol.workbench import ModelChoice

from .requests import Request

Role: TypeAlias = Literal["owner", "observer"]

# --- from the client ----------------------------------------------------------------------------------------


class Auth(Word, frozen=True, kw_only=True, tag="auth"):
    """The token, as the first message of a client that cannot send an Authorization header."""

    token: str


class Hello(Word, frozen=True, kw_only=True, tag="hello"):
    """A client that speaks this protocol: the versions it knows, and who it is.

    `client` stays the same when the client connects again: the seat of an owner is kept for it for a while.
    """

    protocols: tuple[int, ...] = (1,)
    client: str = ""


class Call(Word, frozen=True, kw_only=True, tag="call"):
    """One request; its reply carries the same id."""

    id: int
    request: Request


# --- to the client ------------------------------------------------------------------------------------------


class Welcome(Word, frozen=True, kw_only=True, tag="welcome"):
    """The server's side of the greeting. `largest_message` is in bytes of JSON."""

    protocol: int
    version: str
    project: str = ""
    choice: ModelChoice | None = None
    largest_message: int = 0


class Reply(Word, frozen=True, kw_only=True, tag="reply"):
    """The answer to one call: a result, or null and why there is none."""

    id: int
    result: msgspec.Raw
    failure: Failure | None = None


class Fault(Word, frozen=True, kw_only=True, tag="fault"):
    """Something was wrong with what the client sent, or with the connection; no call is answered by it."""

    failure: Failure


class Envelope(Word, frozen=True, kw_only=True):
    """One event with its number in the session's story; numbers grow, and may leave gaps where deltas were void."""

    seq: int
    event: Event


class Told(Word, frozen=True, kw_only=True, tag="told"):
    """More of a session's story."""

    session: str
    events: tuple[Envelope, ...]


class Attached(Word, frozen=True, kw_only=True, tag="attached"):
    """The session that the client is attached to. What was told up to `seq` is its past.

    Numbers are comparable within one `epoch` only: another one means that the server started anew.
    """

    info: SessionInfo
    mode: Mode
    role: Role
    epoch: str
    seq: int
    is_running: bool = False
    has_permissions: bool = True
    effort: str = ""
    thinking: bool = True


class RunBegun(Word, frozen=True, kw_only=True, tag="run_begun"):
    """The turn's events are numbered above `after`. `position` counts the turns before it when it waits in line."""

    after: int
    position: int = 0


class FactsPart(Word, frozen=True, kw_only=True, tag="facts_part"):
    """Some facts; `next` is where to go on, or 0 at the end."""

    facts: tuple[Fact, ...]
    next: int = 0


class AskPermission(Word, frozen=True, kw_only=True, tag="ask_permission"):
    """The owner is asked whether a call may run. Told again after a lost connection."""

    session: str
    request: PermissionRequest


class AskQuestion(Word, frozen=True, kw_only=True, tag="ask_question"):
    """The owner is asked something else."""

    session: str
    request: QuestionRequest


class AskTrust(Word, frozen=True, kw_only=True, tag="ask_trust"):
    """Who opens the first session is asked whether they trust the folder; `session` is empty then."""

    session: str
    request: TrustRequest


class Withdrawn(Word, frozen=True, kw_only=True, tag="withdrawn"):
    """A question is off the table: answered, interrupted, or out of time."""

    session: str
    id: str


class RoleChanged(Word, frozen=True, kw_only=True, tag="role_changed"):
    """The client's role in a session changed: somebody claimed it, or its owner left."""

    session: str
    role: Role


class OwnerGone(Word, frozen=True, kw_only=True, tag="owner_gone"):
    """Nobody owns the session any more; for `kept` seconds the seat is kept for an owner whose connection broke."""

    session: str
    kept: float = 0.0


class SessionGone(Word, frozen=True, kw_only=True, tag="session_gone"):
    """A session was deleted or closed; nothing more will be told of it."""

    session: str
    reason: str = ""


Question: TypeAlias = AskPermission | AskQuestion | AskTrust

ServerFrame: TypeAlias = (
    Welcome
    | Reply
    | Fault
    | Told
    | AskPermission
    | AskQuestion
    | AskTrust
    | Withdrawn
    | RoleChanged
    | OwnerGone
    | SessionGone
)
