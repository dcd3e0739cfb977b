"""Requests: everything that a screen may ask of a harness elsewhere, one word each.

The comment behind each class names what its reply holds. A request that fails is answered with a `Failure`.
"""

from typing import Literal, TypeAlias

from rein_tui.harness.protocol.base import Word
from rein_tui.harness.protocol.decisions import Mode, PermissionReply, QuestionReply
from rein_tui.harness.protocol.policy import TrustReply
from rein_tui.harness.protocol.ports import MOST_LISTED, Prompt
from rein_tui.harness.protocol.workbench import ModelChoice

from .adjust_requests import AddFolder, AskAside, ChangeFolder, Clear, ListFiles, SetThinking, StopWork, SwitchSource
from .insight_requests import (
    ListExtensions,
    ListMcp,
    McpDo,
    ProbeModel,
    Rehearse,
    ReloadExtensions,
    SentRequest,
    SuggestMcp,
)
from .policy_requests import (
    PolicyAdd,
    PolicyCheck,
    PolicyCheckText,
    PolicyLint,
    PolicyOverviewWanted,
    PolicyPlaces,
    PolicyRevoke,
    PolicyTry,
)

# --- the workbench ------------------------------------------------------------------------------------------


class ListSessions(Word, frozen=True, kw_only=True, tag="sessions"):
    """Stored sessions, newest first, at most `limit`; with `running`, those open now, the last opened first.

    Reply: list of SessionInfo.
    """

    search: str = ""
    everywhere: bool = False
    limit: int = MOST_LISTED
    running: bool = False


class FetchFacts(Word, frozen=True, kw_only=True, tag="facts"):
    """Facts of a session without attaching to it, from this index on. Reply: FactsPart."""

    session: str
    start: int = 0


class ListCommands(Word, frozen=True, kw_only=True, tag="commands"):
    """Slash commands that files define. Reply: list of CommandInfo."""


class Rename(Word, frozen=True, kw_only=True, tag="rename"):
    """Give a session a title. Reply: null."""

    session: str
    title: str


class Delete(Word, frozen=True, kw_only=True, tag="delete"):
    """Delete a session; its turn is interrupted first. Reply: null."""

    session: str


class Undelete(Word, frozen=True, kw_only=True, tag="undelete"):
    """Take a deletion back. Reply: null."""

    session: str


class FindServers(Word, frozen=True, kw_only=True, tag="find_servers"):
    """Model servers on the server's machine. Reply: list of FoundServer."""


class ListModels(Word, frozen=True, kw_only=True, tag="models"):
    """What the current provider offers. Reply: list of ModelInfo."""


class Choose(Word, frozen=True, kw_only=True, tag="choose"):
    """Use this model from now on. Reply: ModelChoice."""

    choice: ModelChoice
    api_key: str = ""


class Open(Word, frozen=True, kw_only=True, tag="open"):
    """Attach to a session: a new one (empty id), a stored or a running one. Reply: Attached; then `told` frames.

    `role` owner gets it when nobody else owns the session. After a lost connection, `epoch` and `after` are what
    the client saw last: in the same epoch only later events are told, in another one all facts are.
    `key` makes a repeated request for a new session harmless. With `anew`, a session that is not stored begins under
    its id: one that nothing was said in leaves nothing behind when the server ends.
    """

    session: str = ""
    role: Literal["owner", "observer"] = "owner"
    epoch: str = ""
    after: int = 0
    system_prompt: str | None = None
    key: str = ""
    anew: bool = False


class Fork(Word, frozen=True, kw_only=True, tag="fork"):
    """A new session that shares the story up to the end of that turn. Reply: Attached; then `told` frames."""

    session: str
    turn: int
    key: str = ""


# --- one session --------------------------------------------------------------------------------------------


class Leave(Word, frozen=True, kw_only=True, tag="leave"):
    """Hear no more of a session. Reply: null."""

    session: str


class Claim(Word, frozen=True, kw_only=True, tag="claim"):
    """Become the owner, also when somebody else is; they become an observer. Reply: null."""

    session: str


class Start(Word, frozen=True, kw_only=True, tag="start"):
    """Wait until the session has begun (its SessionStart hooks are done). Reply: RunBegun."""

    session: str


class Run(Word, frozen=True, kw_only=True, tag="run"):
    """Begin a turn; owner only. Reply: RunBegun.

    While a turn runs this fails, or waits in line with `queue`. `key` makes a repeated request harmless.
    """

    session: str
    prompt: Prompt
    key: str = ""
    queue: bool = False


class Compact(Word, frozen=True, kw_only=True, tag="compact"):
    """Summarise the conversation, as a turn of its own; owner only. Reply: RunBegun."""

    session: str
    focus: str = ""
    from_turn: int = 0
    key: str = ""


class Interrupt(Word, frozen=True, kw_only=True, tag="interrupt"):
    """Stop the running turn; owner only. Reply: null."""

    session: str
    reason: str = ""


class Steer(Word, frozen=True, kw_only=True, tag="steer"):
    """Say something to the running turn; owner only. Reply: null."""

    session: str
    text: str


class SetMode(Word, frozen=True, kw_only=True, tag="set_mode"):
    """Change the permission mode; owner only. Reply: null."""

    session: str
    mode: Mode


class PlanRewind(Word, frozen=True, kw_only=True, tag="rewind_plan"):
    """What going back would do to files. Reply: RewindPlan."""

    session: str
    to_turn: int


class Rewind(Word, frozen=True, kw_only=True, tag="rewind"):
    """Go back to the end of a turn; owner only, between turns. Reply: Restored."""

    session: str
    to_turn: int
    conversation: bool = True
    code: bool = False
    also: tuple[str, ...] = ()


class AnswerPermission(Word, frozen=True, kw_only=True, tag="answer_permission"):
    """The answer to `ask_permission`; owner only, the first one counts. Reply: null."""

    session: str
    id: str
    reply: PermissionReply


class AnswerQuestion(Word, frozen=True, kw_only=True, tag="answer_question"):
    """The answer to `ask_question`; owner only, the first one counts. Reply: null."""

    session: str
    id: str
    reply: QuestionReply


class AnswerTrust(Word, frozen=True, kw_only=True, tag="answer_trust"):
    """The answer to `ask_trust`, by the connection that was asked. Reply: null."""

    session: str
    id: str
    reply: TrustReply


BenchRequest: TypeAlias = (
    ListSessions
    | FetchFacts
    | ListCommands
    | Rename
    | Delete
    | Undelete
    | FindServers
    | ListModels
    | Choose
    | ProbeModel
    | ListExtensions
    | ReloadExtensions
    | Open
    | Fork
)
"""What is asked of the house."""

OwnerRequest: TypeAlias = (
    Run
    | Compact
    | Interrupt
    | Steer
    | SetMode
    | Rewind
    | AnswerPermission
    | AnswerQuestion
    | PolicyAdd
    | PolicyRevoke
    | Rehearse
    | McpDo
    | AddFolder
    | ChangeFolder
    | AskAside
    | StopWork
    | SwitchSource
    | SetThinking
    | Clear
)
"""What only the owner of a session may ask."""

ObserverRequest: TypeAlias = (
    Leave
    | Claim
    | Start
    | PlanRewind
    | AnswerTrust
    | PolicyOverviewWanted
    | PolicyPlaces
    | PolicyLint
    | PolicyCheck
    | PolicyCheckText
    | PolicyTry
    | SentRequest
    | ListMcp
    | SuggestMcp
    | ListFiles
)
"""What everybody who is attached may ask."""

Request: TypeAlias = BenchRequest | OwnerRequest | ObserverRequest
