"""The wire: what a screen and a harness on different machines say to each other, as words.

It knows the harness's words and nothing else; neither sockets nor sessions. One JSON object is one text frame.
After the token (header, or an `auth` message), a client that speaks this protocol says `hello`; one that speaks the
classic protocol just begins. From then on a `call` carries one request and is answered by one `reply` of the same
id, while `told` frames bring the stories that the client attached to.
"""

from .classic import (
    ClassicAnswer,
    ClassicError,
    ClassicFrame,
    ClassicMessage,
    ClassicPing,
    ClassicPong,
    ClassicText,
    ClassicToolResult,
    ClassicToolUse,
    ClassicTurnComplete,
    ClassicUsage,
)
from .codec import ClientMessage, WireError, decode_client, decode_server, encode, wire_schema
from .frames import (
    AskPermission,
    AskQuestion,
    AskTrust,
    Attached,
    Auth,
    Call,
    Envelope,
    FactsPart,
    Fault,
    Hello,
    OwnerGone,
    Question,
    Reply,
    Role,
    RoleChanged,
    RunBegun,
    ServerFrame,
    SessionGone,
    Told,
    Welcome,
    Withdrawn,
)
from .requests import Request

PROTOCOL = 1
"""The version of the protocol that is spoken here."""

__all__ = [
    "PROTOCOL",
    "AskPermission",
    "AskQuestion",
    "AskTrust",
    "Attached",
    "Auth",
    "Call",
    "ClassicAnswer",
    "ClassicError",
    "ClassicFrame",
    "ClassicMessage",
    "ClassicPing",
    "ClassicPong",
    "ClassicText",
    "ClassicToolResult",
    "ClassicToolUse",
    "ClassicTurnComplete",
    "ClassicUsage",
    "ClientMessage",
    "Envelope",
    "FactsPart",
    "Fault",
    "Hello",
    "OwnerGone",
    "Question",
    "Reply",
    "Request",
    "Role",
    "RoleChanged",
    "RunBegun",
    "ServerFrame",
    "SessionGone",
    "Told",
    "Welcome",
    "WireError",
    "Withdrawn",
    "decode_client",
    "decode_server",
    "encode",
    "wire_schema",
]
