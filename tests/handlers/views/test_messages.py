"""What a request says in Slack, at its extremes: Slack's own validation is the judge."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from bot.domain.approvals import Choice, Vote
from bot.domain.outcomes import MEANINGS, Tally
from bot.domain.requests import State
from handlers.views import approval_card, request_message, results
from handlers.views.message import Message
from providers.base import Outcome, Person
from sandbox.slack.mrkdwn import texts
from sandbox.slack.server import SlackServer
from tests.handlers.conftest import Post
from tests.handlers.samples import AT, EMOJI, EVIL, NAMES, RIGHT_TO_LEFT, RULE, changed, mix, person, worst

NUMBERS = (0, 1, 20, 21, 99, 100, 101, 1024)
LONG = "because <!here> & so on, " * 125
VOTES = (Vote("U02BOB", Choice.APPROVE, AT), Vote("U03CAROL", Choice.DENY, AT))


def pages(people: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(people), 100):
        yield people[start : start + 100]


def read_aloud(message: Message) -> str:
    """Give what somebody gets who gets the text alone."""
    assert message.text.strip()
    return message.text


def assert_words_beside_icons(text: str) -> None:
    """Hold every line to saying something without its icons and signs."""
    for line in text.splitlines():
        assert any(c.isascii() and c.isalpha() for c in line) or "%" in line, line


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("number", NUMBERS)
async def test_a_parent_message_says_who_what_where_and_how_far(post: Post, state: State, number: int) -> None:
    answered = number if state is State.DONE else number // 2
    tally = Tally.of([*(p.outcome for p in mix(answered)), *[None] * (number - answered)])
    message = request_message.build(changed(state=state), tally)
    await post(message)

    text = read_aloud(message)
    assert ("1 person" if number == 1 else f"{number:,} people") in text
    assert f"{answered:,} of {number:,} answered" in text
    for said in ("Add", "launch-team", "<@U01ALICE>", "`support`", "RABCDEFGHIJKLMNOP", state.value):
        assert said.casefold() in text.casefold()
    assert_words_beside_icons(text)


@pytest.mark.parametrize("name", NAMES)
async def test_no_name_breaks_a_message(post: Post, name: str) -> None:
    request = changed(group_name=name, reason=LONG, rule=RULE, state=State.WAITING)
    tally = Tally.of(p.outcome for p in mix(3))
    for message in (
        request_message.build(request, tally),
        approval_card.build(request, tally, VOTES),
        results.build(request, mix(3), total=3),
        results.build(request, mix(30), total=30),
        results.summary(request, mix(3)),
    ):
        await post(message)


async def test_a_long_reason_is_cut_and_every_message_has_it(post: Post) -> None:
    request = changed(reason="a reason " + "x" * 3000, rule=RULE, state=State.WAITING)
    tally = Tally.of([None])
    for message in (request_message.build(request, tally), approval_card.build(request, tally, ())):
        posted = await post(message)
        assert "a reason xxx" in read_aloud(message)
        assert "…" in message.text
        assert ">a reason xxx" in posted["blocks"][0]["text"]["text"]


async def test_hostile_words_are_shown_and_do_nothing(post: Post, slack: SlackServer) -> None:
    request = changed(group_name=EVIL, reason=EVIL)
    people = [person(0, Outcome.FAILED, person=Person(EVIL), provider_code="<!here>", provider_message=EVIL)]
    for message in (request_message.build(request, Tally.of([None])), results.build(request, people, total=1)):
        posted = await post(message)
        for said in (posted["text"], *texts(posted["blocks"])):
            assert "<!" not in said
            assert "<https" not in said
            assert not any(c in said for c in "\x00\x07\x1b\u202e")
        assert "&lt;!channel&gt; &amp;" in posted["text"]
    assert slack.oddities == []


async def test_right_to_left_names_do_not_turn_the_line_around(post: Post) -> None:
    message = request_message.build(changed(group_name=RIGHT_TO_LEFT), Tally.of([None]))
    await post(message)

    assert f"to \u2068{RIGHT_TO_LEFT}\u2069, asked by" in message.text


async def test_an_emoji_is_never_cut_in_two(post: Post) -> None:
    for name in ("😀" * 60, *("x" * length + EMOJI * 40 for length in range(30))):
        posted = await post(request_message.build(changed(group_name=name), Tally.of([None])))
        shown = posted["text"].split(" to ", 1)[1].split(", asked", 1)[0]
        assert len(shown.encode("utf-16-le")) // 2 <= 100
        assert shown.endswith("…")
        assert not shown.endswith("\N{ZERO WIDTH JOINER}…")


@pytest.mark.parametrize("state", [s for s in State if s is not State.RECEIVED])
async def test_a_card_says_alone_what_is_asked_and_what_became_of_it(post: Post, state: State) -> None:
    request = changed(reason="the launch", rule=RULE, state=state)
    message = approval_card.build(request, Tally.of([None] * 40), VOTES[:1])
    posted = await post(message)

    text = read_aloud(message)
    for said in ("<@U01ALICE> asks to add 40 people to launch-team", "the launch", "<@U02BOB> approved", "<#C0LAUNCH>"):
        assert said in text
    buttons = [e["text"]["text"] for b in posted["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert buttons == (["Approve", "Deny"] if state is State.WAITING else [])
    assert ("2 approvals by `lead` or `owner`" in text) == (state is State.WAITING)
    assert_words_beside_icons(text)


async def test_a_deadline_is_readable_where_the_date_cannot_be_drawn(post: Post) -> None:
    asked_at = datetime(2026, 3, 1, 16, 5, tzinfo=timezone(timedelta(hours=2)))
    message = approval_card.build(changed(rule=RULE, state=State.WAITING, asked_at=asked_at), Tally.of([None]), ())
    await post(message)

    assert "|2026-03-02 14:05 UTC>" in message.text


async def test_a_button_tells_a_screen_reader_what_it_decides_on(post: Post) -> None:
    request = changed(rule=RULE, state=State.WAITING, group_name="n" * 200)
    posted = await post(approval_card.build(request, Tally.of([None] * 40), ()))

    labels = [e["accessibility_label"] for e in posted["blocks"][-2]["elements"]]
    assert [label.split("n" * 10)[0] for label in labels] == ["Approve: add 40 people to ", "Deny: add 40 people to "]


@pytest.mark.parametrize("state", [State.DENIED, State.EXPIRED])
async def test_an_ending_says_that_nothing_was_sent(post: Post, state: State) -> None:
    message = approval_card.ending(changed(state=state), VOTES)
    await post(message)

    assert state.value in message.text.casefold()
    assert "by <@U03CAROL>" in message.text
    assert "Nothing was sent" in message.text


@pytest.mark.parametrize("number", NUMBERS[1:])
async def test_everybody_stands_in_the_results(post: Post, number: int) -> None:
    shown: list[str] = []
    for page in pages(mix(number)):
        message = results.build(changed(), page, total=number)
        posted = await post(message)
        assert "launch-team" in read_aloud(message)
        assert_words_beside_icons(message.text)
        if number <= 20:
            shown += message.text.splitlines()[1:]
        else:
            table = next(b for b in posted["blocks"] if b["type"] == "table")
            shown += ["  ".join(cell["text"] for cell in row) for row in table["rows"]]
    assert len(shown) == number
    for p, line in zip(mix(number), shown, strict=True):
        assert p.outcome is not None
        assert line.startswith("+1 415-555-")
        assert line.endswith(f"  {MEANINGS[p.outcome].icon} {MEANINGS[p.outcome].words}")


@pytest.mark.parametrize("number", [1, 20, 21, 100])
async def test_a_page_of_the_longest_lines_is_not_too_long_for_slack(post: Post, number: int) -> None:
    await post(results.build(changed(group_name=EVIL * 20), worst(number), total=number))


async def test_a_line_has_the_providers_words_only_where_something_is_left_to_do(post: Post) -> None:
    people = mix(len(Outcome), provider_code="408", provider_message="they recently left")
    message = results.build(changed(), people, total=len(people))
    await post(message)

    for outcome, line in zip(Outcome, message.text.splitlines()[1:], strict=True):
        assert line.endswith(": 408 they recently left") == (not MEANINGS[outcome].done)


async def test_a_rejected_entry_shows_what_was_typed_and_why(post: Post) -> None:
    rejected = person(0, Outcome.INVALID, person=Person("415 bogus"), provider_message="there is no phone number in it")
    message = results.build(changed(), [rejected], total=1)
    posted = await post(message)

    line = "“415 bogus”  ❓ not a valid number: there is no phone number in it"
    assert line in posted["blocks"][0]["text"]["text"]
    assert line in message.text


async def test_somebody_known_by_a_lid_alone_is_shown_by_it(post: Post) -> None:
    message = results.build(changed(), [person(0, person=Person("123@lid", lid="123@lid"))], total=1)
    await post(message)

    assert "123@lid  ✅ added" in message.text


@pytest.mark.parametrize("number", [1, 20, 40, 1024])
async def test_a_summary_counts_everybody_and_says_what_to_do(post: Post, number: int) -> None:
    people = mix(number)
    message = results.summary(changed(duplicates=2), people)
    await post(message)

    done = sum(MEANINGS[p.outcome].done for p in people if p.outcome)
    text = read_aloud(message)
    assert text.startswith("<@U01ALICE> ")
    assert f"{done:,} in the group" in text
    assert "2 entries named somebody twice" in text
    for p in people:
        assert p.outcome is not None
        assert MEANINGS[p.outcome].words in text
        assert MEANINGS[p.outcome].advice in text
    assert_words_beside_icons(text)
