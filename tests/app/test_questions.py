"""Questions of the harness: one at a time, never answered by typing that was meant for the prompt."""

import asyncio

import pytest
from textual.widgets import Static

from rein_tui.harness.protocol.decisions import Option, PermissionRequest, Question, QuestionRequest
from rein_tui.harness.protocol.events import QuestionAnswered, TurnInterrupted
from rein_tui.modal_prompter import ModalPrompter
from rein_tui.widgets.permission_modal import PermissionModal
from rein_tui.widgets.question_modal import QuestionModal
from tests import stories
from tests.app.driving import Stage, on_stage


def is_asked(stage: Stage) -> bool:
    return isinstance(stage.app.screen, PermissionModal)


@pytest.mark.parametrize(("key", "answer"), [("y", "once"), ("s", "session"), ("n", "deny"), ("escape", "stop")])
async def test_keys_of_the_permission_question(key: str, answer: str):
    async with on_stage(lambda: [stories.fix()]) as stage:
        await stage.say("fix it")
        await stage.until(lambda: is_asked(stage))
        await stage.press(key)
        await stage.until(lambda: stage.harness.replies)
        assert stage.harness.replies[0].answer == answer
        if answer == "session":
            assert stage.harness.replies[0].rules == ("Edit(src/auth/**)",)


async def test_during_its_grace_a_question_takes_no_key():
    async with on_stage(lambda: [stories.fix()], grace=3600) as stage:
        await stage.say("fix it")
        await stage.until(lambda: is_asked(stage))
        await stage.press("y", "enter", "n", "escape")
        await stage.settled()
        assert is_asked(stage)
        assert not stage.harness.replies
        modal = stage.app.screen
        assert isinstance(modal, PermissionModal)
        modal.end_grace()
        await stage.press("y")
        await stage.until(lambda: stage.harness.replies)


async def test_a_question_waits_for_a_pause_in_typing_and_the_text_stays():
    async with on_stage(lambda: [[stories.Hold(), *stories.fix()]], typing_pause=3600) as stage:
        await stage.type("fix it")
        await stage.press("enter")
        await stage.settled()
        await stage.type("and th")
        stage.harness.go_on()
        await stage.settled()
        assert not is_asked(stage)
        assert stage.app.main.composer.text == "and th"


async def test_interrupting_withdraws_the_question():
    async with on_stage(lambda: [stories.fix()]) as stage:
        await stage.say("fix it")
        await stage.until(lambda: is_asked(stage))
        stage.harness.interrupt()
        await stage.until(lambda: not is_asked(stage))
        await stage.settled()
        assert isinstance(stage.harness.history()[-1], TurnInterrupted)
        assert len(stage.app.screen_stack) == 1


async def test_two_questions_come_one_after_the_other():
    request = next(beat.request for beat in stories.fix() if isinstance(beat, stories.PermissionRequested))
    async with on_stage() as stage:
        prompter = ModalPrompter(typing_pause=0, grace=0)
        prompter.bind(stage.app)
        asked = [asyncio.create_task(prompter.ask(request)) for _ in range(2)]
        await stage.until(lambda: is_asked(stage))
        await stage.settled()
        assert len(stage.app.screen_stack) == 2
        first = stage.app.screen
        await stage.press("y")
        await stage.until(lambda: is_asked(stage) and stage.app.screen is not first)
        await stage.press("n")
        replies = await asyncio.gather(*asked)
        assert [reply.answer for reply in replies] == ["once", "deny"]


async def test_foreign_text_in_a_question_is_harmless():
    base = next(beat.request for beat in stories.fix() if isinstance(beat, stories.PermissionRequested))
    nasty = PermissionRequest(
        id="x",
        call_id="x",
        tool="Ba[/red]sh",
        input={},
        summary="rm [/tmp/a] \x1b]0;x\x07\u202e",
        decision=base.decision,
    )
    async with on_stage() as stage:
        prompter = ModalPrompter(typing_pause=0, grace=0)
        prompter.bind(stage.app)
        asked = asyncio.create_task(prompter.ask(nasty))
        await stage.until(lambda: is_asked(stage))
        await stage.settled()
        assert "[/tmp/a]" in stage.text()
        assert "\x1b" not in stage.text()
        assert "\u202e" not in stage.text()
        await stage.press("n")
        await asked


async def ask(stage: Stage, *questions: Question) -> "asyncio.Task[dict[str, str]]":
    prompter = ModalPrompter(typing_pause=0, grace=0)
    prompter.bind(stage.app)

    async def answers() -> dict[str, str]:
        return (await prompter.question(QuestionRequest(id="q", questions=questions))).answers

    task = asyncio.create_task(answers())
    await stage.until(lambda: isinstance(stage.app.screen, QuestionModal))
    await stage.settled()
    return task


COLOURS = Question(question="Which colour?", options=(Option(label="red"), Option(label="[/blue]")))
TOPPINGS = Question(
    question="Which toppings?",
    options=(Option(label="olives"), Option(label="capers"), Option(label="basil")),
    multi_select=True,
)
NAME = Question(question="What name?")


async def test_one_option_by_number_and_by_enter():
    async with on_stage() as stage:
        task = await ask(stage, COLOURS)
        await stage.press("2")
        assert await task == {"Which colour?": "[/blue]"}
        task = await ask(stage, COLOURS)
        await stage.press("enter")
        assert await task == {"Which colour?": "red"}


async def test_several_options():
    async with on_stage() as stage:
        task = await ask(stage, TOPPINGS)
        await stage.press("space", "down", "down", "space", "enter")
        assert await task == {"Which toppings?": "olives, basil"}


async def test_words_of_their_own_and_several_questions():
    async with on_stage() as stage:
        task = await ask(stage, COLOURS, NAME)
        await stage.press("tab", *"green", "enter")
        await stage.settled()
        await stage.press(*"Ann", "enter")
        assert await task == {"Which colour?": "green", "What name?": "Ann"}


async def test_a_form_says_who_asks_and_what_for():
    async with on_stage() as stage:
        prompter = ModalPrompter(typing_pause=0, grace=0)
        prompter.bind(stage.app)
        field = Question(question="name (required)", header="name")
        request = QuestionRequest(id="q", questions=(field,), title="shop asks: Who are you?")
        task = asyncio.create_task(prompter.question(request))
        await stage.until(lambda: isinstance(stage.app.screen, QuestionModal))
        await stage.settled()
        shown = str(stage.app.screen.query_one("#question", Static).content)
        await stage.press("escape")
        await task
    assert shown == "shop asks: Who are you?\n\nname (required)"


async def test_a_form_begins_with_what_is_given_and_takes_nothing_for_an_answer():
    given = Question(question="First line?", given="It was dark.", optional=True)
    empty = Question(question="Nickname?", optional=True)
    ticked = Question(question="Which?", options=TOPPINGS.options, multi_select=True, given="capers, basil")
    chosen = Question(question="Colour?", options=COLOURS.options, given="[/blue]")
    async with on_stage() as stage:
        task = await ask(stage, given, empty, ticked, chosen)
        for _ in range(4):
            await stage.press("enter")
            await stage.settled()
        answers = {"First line?": "It was dark.", "Nickname?": "", "Which?": "capers, basil", "Colour?": "[/blue]"}
        assert await task == answers


async def test_what_must_be_said_is_waited_for_and_a_step_back_keeps_it():
    async with on_stage() as stage:
        task = await ask(stage, NAME, COLOURS)
        await stage.press("enter")
        assert not task.done()
        await stage.press(*"Ann", "enter", "shift+tab")
        await stage.settled()
        await stage.press("end", "a", "enter", "2")
        assert await task == {"What name?": "Anna", "Which colour?": "[/blue]"}


async def test_a_no_where_that_is_an_answer():
    async with on_stage() as stage:
        prompter = ModalPrompter(typing_pause=0, grace=0)
        prompter.bind(stage.app)
        for can_decline in (True, False):
            request = QuestionRequest(id="q", questions=(NAME,), can_decline=can_decline)
            task = asyncio.create_task(prompter.question(request))
            await stage.until(lambda: isinstance(stage.app.screen, QuestionModal))
            await stage.settled()
            await stage.press("ctrl+d")
            if not can_decline:
                await stage.press("escape")
            reply = await task
            assert (reply.declined, reply.cancelled) == (can_decline, not can_decline)


async def test_no_answer():
    async with on_stage(lambda: [stories.questioning()]) as stage:
        await stage.say("make an example")
        await stage.until(lambda: isinstance(stage.app.screen, QuestionModal))
        await stage.press("escape")
        await stage.settled()
        answered = [fact for fact in stage.harness.history() if isinstance(fact, QuestionAnswered)]
        assert answered[0].reply.cancelled
