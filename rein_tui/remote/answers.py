"""What each request does: the server's side of workbench.Workbench, ports.Harness and ports.Permissions."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from rein_tui.harness.protocol.errors import StartError, StoreError
from rein_tui.harness.protocol.events import Fact
from rein_tui.harness.protocol.ports import Insight, Permissions, SessionInfo
from rein_tui.harness.protocol.workbench import Extensible, Searches

from .adjusting import adjusted, files_of
from .insight import about_house, about_session
from .sessions import Hub, NotYours
from .wire import Attached, FactsPart, encode
from .wire import adjust_requests as adjust
from .wire import insight_requests as insight
from .wire import requests as ask

if TYPE_CHECKING:
    from .peers import Peer

_PART = 512 * 1024
"""Bytes of facts in one part; at least one fact."""


async def answer(peer: "Peer", request: ask.Request) -> object:
    """The result of a request. Raises ReinError."""
    match request:
        case ask.Open() | ask.Fork():
            return await _attach(peer, request)
        case ask.ListSessions() | ask.FetchFacts() | ask.Rename() | ask.Delete() | ask.Undelete():
            return await _stored(peer, request)
        case ask.FindServers():
            return await peer.hall.bench.find_servers()
        case ask.ListModels():
            return await peer.hall.bench.models()
        case ask.Choose():
            await peer.hall.bench.choose(request.choice, request.api_key)
            return peer.hall.bench.choice
        case ask.AnswerTrust() | ask.AnswerQuestion(session=""):
            _check_counted(peer.questions.answer(request.id, request.reply))
            return None
        case insight.ProbeModel() | insight.ListExtensions() | insight.ReloadExtensions():
            return await about_house(peer.hall.bench, request)
        case ask.PlanRewind() | insight.SentRequest() | ask.ListCommands():
            return answer_now(peer, request)
        case ask.Leave():
            peer.unfollow(request.session)
            return None
        case _:
            return await _in_session(peer, _session(peer, request), request)


def answer_now(peer: "Peer", request: ask.Request) -> object:
    """The result of one of the few requests that are answered without waiting. Raises ReinError."""
    match request:
        case ask.FetchFacts():
            return _part(peer.hall.bench.facts(request.session), request.start)
        case ask.ListCommands():
            bench = peer.hall.bench
            if isinstance(bench, Extensible):
                bench.look_for_commands()
            return tuple(bench.commands())
        case ask.PlanRewind():
            return peer.hall.hub(request.session, peer.principal).harness.rewind_plan(request.to_turn)
        case insight.SentRequest():
            harness = peer.hall.hub(request.session, peer.principal).harness
            return harness.request_of(request.turn, request.step) if isinstance(harness, Insight) else None
        case _:
            raise TypeError(f"{type(request).__name__} has to be waited for")


# --- the workbench ------------------------------------------------------------------------------------------


async def _attach(peer: "Peer", request: ask.Open | ask.Fork) -> object:
    if isinstance(request, ask.Fork):
        return _taken(peer, await peer.hall.fork(request.session, request.turn, peer.principal, request.key))
    hub = await peer.hall.open(
        request.session,
        peer.principal,
        peer.questions,
        system_prompt=request.system_prompt,
        key=request.key,
        anew=request.anew,
    )
    if request.role == "owner":
        hub.seat.wish(peer, comes_back=bool(request.epoch))
    peer.follow(hub, request.after if request.epoch == hub.story.epoch else 0)
    return hub.attached(peer)


def _taken(peer: "Peer", hub: Hub) -> Attached:
    """A session that this party has just begun is told to it from its start, and is its own."""
    hub.seat.wish(peer)
    peer.follow(hub, 0)
    return hub.attached(peer)


async def _stored(
    peer: "Peer", request: ask.ListSessions | ask.FetchFacts | ask.Rename | ask.Delete | ask.Undelete
) -> object:
    bench = peer.hall.bench
    if isinstance(request, ask.ListSessions):
        return await _listed(peer, request)
    if not peer.hall.may_see(request.session, peer.principal):
        raise StoreError("There is no such session.", where=request.session)
    match request:
        case ask.FetchFacts():
            return _part(bench.facts(request.session), request.start)
        case ask.Rename():
            bench.rename(request.session, request.title)
        case ask.Delete():
            await peer.hall.drop(request.session, "session deleted")
            peer.unfollow(request.session, gone="deleted")
            bench.delete(request.session)
        case ask.Undelete():
            bench.undelete(request.session)
    return None


async def _listed(peer: "Peer", request: ask.ListSessions) -> list[SessionInfo]:
    live = {hub.id: hub.info for hub in peer.hall.hubs(peer.principal)}
    if request.running:
        return list(reversed(live.values()))
    bench, wanted = peer.hall.bench, (request.search, request.everywhere, request.limit)
    if request.search and isinstance(bench, Searches):
        stored = await bench.find(*wanted)
    else:
        stored = bench.sessions(*wanted)
    return [live.get(info.id, info) for info in stored if peer.hall.may_see(info.id, peer.principal)]


def _part(facts: Sequence[Fact], start: int) -> FactsPart:
    """Facts from `start` on, as many as fit one part."""
    taken: list[Fact] = []
    size = 0
    for fact in islice(facts, start, None):
        size += len(encode(fact))
        if taken and size > _PART:
            return FactsPart(facts=tuple(taken), next=start + len(taken))
        taken.append(fact)
    return FactsPart(facts=tuple(taken))


# --- one session --------------------------------------------------------------------------------------------


def _session(peer: "Peer", request: ask.OwnerRequest | ask.ObserverRequest) -> Hub:
    hub = peer.followed(request.session)
    if hub is None:
        raise StoreError("You are not attached to this session.", where=request.session)
    if isinstance(request, ask.OwnerRequest) and not (hub.seat.fill() and hub.seat.owner is peer):
        hint = "/claim makes it yours."
        raise NotYours("You only watch this session.", hint=hint)
    return hub


async def _in_session(peer: "Peer", hub: Hub, request: ask.OwnerRequest | ask.ObserverRequest) -> object:
    match request:
        case ask.Claim():
            hub.seat.claim(peer)
        case ask.Start():
            return await hub.begun()
        case ask.Run():
            return hub.run(request.prompt, request.key, queue=request.queue)
        case ask.Compact():
            return hub.compact(request.focus, request.from_turn, request.key)
        case ask.Interrupt():
            hub.interrupt(request.reason)
        case ask.Steer():
            hub.harness.steer(request.text)
        case ask.SetMode():
            await hub.harness.set_mode(request.mode)
        case ask.Rewind():
            if hub.is_running:
                raise StartError("A turn is running.", hint="Stop it first (Esc).")
            return await hub.harness.rewind(
                request.to_turn,
                conversation=request.conversation,
                code=request.code,
                also=frozenset(request.also),
            )
        case ask.AnswerPermission() | ask.AnswerQuestion():
            _check_counted(hub.questions.answer(request.id, request.reply))
        case insight.Rehearse() | insight.ListMcp() | insight.SuggestMcp() | insight.McpDo():
            return await about_session(hub.harness, request)
        case adjust.AddFolder() | adjust.ChangeFolder() | adjust.AskAside() | adjust.StopWork():
            return await adjusted(hub.harness, request)
        case adjust.SwitchSource() | adjust.SetThinking():
            return await adjusted(hub.harness, request)
        case adjust.ListFiles():
            return await files_of(hub.harness)
        case adjust.Clear():
            return _taken(peer, await peer.hall.clear(hub, request.key))
        case _:
            return await _about_rules(hub, request)
    return None


def _check_counted(counted: bool) -> None:
    if not counted:
        raise StartError("This question is answered already, or was withdrawn.")


async def _about_rules(hub: Hub, request: ask.OwnerRequest | ask.ObserverRequest) -> object:
    rules: Permissions | None = hub.harness.permissions
    if rules is None:
        raise StartError("This session has no rules to look at.")
    match request:
        case ask.PolicyOverviewWanted():
            return await rules.overview()
        case ask.PolicyPlaces():
            return await rules.places()
        case ask.PolicyLint():
            return await rules.lint()
        case ask.PolicyCheck():
            return await rules.check(request.query)
        case ask.PolicyCheckText():
            return await rules.check_text(request.text)
        case ask.PolicyTry():
            return await rules.try_rules(request.wish, request.query)
        case ask.PolicyAdd():
            return await rules.add(request.rule, request.behavior, request.scope)
        case ask.PolicyRevoke():
            return await rules.revoke(request.rule)
        case _:
            raise TypeError(f"no answer to {type(request).__name__}")
