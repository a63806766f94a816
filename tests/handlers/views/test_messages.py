"""What a request says in Slack, at its extremes: Slack's own validation is the judge."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from slack_sdk.models.views import View

from bot.domain.access import Target
from bot.domain.approvals import Approval, ApprovalState, Choice, RefusalCode, Refused, Vote
from bot.domain.followups import LABELS, Followup
from bot.domain.outcomes import OUTCOME_TEXTS, Tally
from bot.domain.requests import Request, RequestItem, RequestOptions, RequestState
from handlers.views import approval_card, details, followup_buttons, reason_modal, request_message, results
from handlers.views.approval_card import MissingVotes
from handlers.views.blocks import Message
from handlers.views.followup_buttons import FollowupLink
from handlers.views.headlines import headline, tally_of
from handlers.views.operation_texts import capitalize, outcome_label
from handlers.views.text import format_time
from providers.base import Ability, Action, Cause, GroupChange, Operation, Outcome, Person, ProviderCapability
from sandbox.slack.blocks import check_view
from sandbox.slack.chat import oddities, texts
from sandbox.slack.server import SlackServer
from tests.handlers.conftest import Post
from tests.handlers.samples import AT, EMOJI, EVIL, NAMES, RIGHT_TO_LEFT, RULE, changed, mix, person, worst

NUMBERS = (0, 1, 20, 21, 50, 51, 100, 101, 1024)
LONG = "because <!here> & so on, " * 125
VOTES = (Vote("U02BOB", Choice.APPROVE, AT), Vote("U03CAROL", Choice.DENY, AT, "<!here> no"))
SUCCESSES = frozenset(o for o, text in OUTCOME_TEXTS.items() if text.done)
LINK = "https://sandbox.slack.com/archives/C0LAUNCH/p1"
FOLLOWED = tuple(
    FollowupLink(
        changed(id=f"R{followup.value}", options=RequestOptions(parent="RABCDEFGHIJKLMNOP", follow=followup)), LINK
    )
    for followup in Followup
)
AUDIENCE = results.Audience("Wasend")
AGAIN = followup_buttons.build(changed(state=RequestState.DENIED), mix(1), Tally.of([None]), ())


def facts(request: Request, people: Sequence[RequestItem], total: int, **known: Any) -> details.DetailsData:
    tally = Tally.of([None] * total)
    needs = [(Action.ADD, Ability(ProviderCapability.GROUPS_WRITE, ("groups:write",))), (Action.SEND_TO_PERSON, None)]
    return replace(details.DetailsData(request, tally, people, 0, full=True, needs=needs), **known)


def judged(view: View) -> dict[str, Any]:
    """Let Slack judge a modal, and give it as it would be opened."""
    definition: dict[str, Any] = view.to_dict()
    check_view(definition)
    assert [odd for said in texts(definition["blocks"]) for odd in oddities(said)] == []
    return definition


def read_aloud(message: Message) -> str:
    """Return the text that a screen reader or a notification gets, which must not be empty."""
    assert message.text.strip()
    return message.text


def assert_words_beside_icons(text: str) -> None:
    """Hold every line to saying something without its icons and signs."""
    for line in text.splitlines():
        assert any(c.isascii() and c.isalpha() for c in line) or "%" in line, line


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            ApprovalState.DENIED,
            f"is already denied, by <@U02BOB> ({format_time(AT)}), <@U03CAROL> ({format_time(AT)}). Your",
        ),
        (ApprovalState.EXPIRED, f"expired {format_time(AT + timedelta(hours=24))}. Nothing was done."),
        (ApprovalState.WITHDRAWN, "<@U01ALICE> withdrew this request. Nothing was done."),
    ],
)
def test_a_late_click_is_told_who_decided_and_when(state: ApprovalState, words: str) -> None:
    ended = Approval("U01ALICE", Target(("launch-team",)), RULE, AT, VOTES, state)

    assert words in approval_card.not_counted(Refused(RefusalCode.CLOSED, "It is over.", ended), "R1")
    assert approval_card.not_counted(Refused(RefusalCode.CLOSED, "It is over."), "R1") == "It is over.\nRequest `R1`"


@pytest.mark.parametrize(
    ("deciders", "words"),
    [
        (("S1", "U1"), "Only leads. Ask <!subteam^S1> or <@U1>."),
        ((), "Only leads. No eligible approver remains"),
    ],
)
def test_who_may_not_decide_is_told_whom_to_ask(deciders: tuple[str, ...], words: str) -> None:
    refused = Refused(RefusalCode.NOT_AN_APPROVER, "Only leads.", eligible_approvers=deciders)

    assert approval_card.not_counted(refused, "R1").startswith(words)


@pytest.mark.parametrize("state", RequestState)
@pytest.mark.parametrize("number", NUMBERS)
async def test_a_parent_message_says_who_what_where_and_how_far(post: Post, state: RequestState, number: int) -> None:
    answered = number if state is RequestState.DONE else number // 2
    tally = Tally.of([*(p.outcome for p in mix(answered)), *[None] * (number - answered)])
    done = state is RequestState.DONE
    result = headline(changed(), mix(number), "Wasend") if done else ""
    message = request_message.build(changed(state=state), tally, result=result)
    await post(message)

    text = read_aloud(message)
    assert ("1 person" if number == 1 else f"{number:,} people") in text
    assert result in text
    assert (f"🏃 Running · {answered:,} of {number:,}\n" in text) == (state is RequestState.RUNNING)
    for said in ("Add", "launch-team", "<@U01ALICE>", "`support`", "RABCDEFGHIJKLMNOP", "" if done else state.value):
        assert said.casefold() in text.casefold()
    assert_words_beside_icons(text)


@pytest.mark.parametrize("name", NAMES)
async def test_no_name_breaks_a_message(post: Post, name: str) -> None:
    request = changed(group_name=name, reason=LONG, rule=RULE, state=RequestState.WAITING)
    tally = Tally.of(p.outcome for p in mix(3))
    for message in (
        request_message.build(request, tally, LINK),
        approval_card.build(
            request, tally, VOTES, warning=name * 5, link=LINK, undecided=MissingVotes(["S0LEADS"] * 50, 2)
        ),
        approval_card.overridden(request, Vote("U02BOB", Choice.OVERRIDE, AT, name), ("U03CAROL", "S0LEADS")),
        approval_card.reminder(request, MissingVotes(["U03CAROL"] * 50, 1), 2),
        approval_card.ending(replace(request, state=RequestState.DENIED), VOTES, again=AGAIN, followed=FOLLOWED),
        results.reply(request, mix(30), AUDIENCE, FOLLOWED),
        results.reply(request, mix(3, list(Outcome)[-3:], person=Person(name, "+14155550100", name=name)), AUDIENCE),
    ):
        await post(message)
    for view in (
        details.build(facts(request, worst(50), 1024)),
        reason_modal.build(Choice.DENY, request, tally),
        reason_modal.refused(Choice.OVERRIDE, "Too late."),
    ):
        judged(view)


async def test_a_long_reason_is_cut_and_every_message_has_it(post: Post) -> None:
    request = changed(reason="a reason " + "x" * 3000, rule=RULE, state=RequestState.WAITING)
    tally = Tally.of([None])
    for message in (request_message.build(request, tally), approval_card.build(request, tally, ())):
        posted = await post(message)
        assert "a reason xxx" in read_aloud(message)
        assert "…" in message.text
        assert ">a reason xxx" in posted["blocks"][0]["text"]["text"]


async def test_hostile_words_are_shown_and_do_nothing(post: Post, slack: SlackServer) -> None:
    request = changed(group_name=EVIL, reason=EVIL)
    people = [person(0, Outcome.FAILED, person=Person(EVIL), provider_code="<!here>", provider_message=EVIL)]
    for message in (request_message.build(request, Tally.of([None])), results.reply(request, people, AUDIENCE)):
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

    assert f"to \u2068{RIGHT_TO_LEFT}\u2069, requested by" in message.text


async def test_an_emoji_is_never_cut_in_two(post: Post) -> None:
    for name in ("😀" * 60, *("x" * length + EMOJI * 40 for length in range(30))):
        posted = await post(request_message.build(changed(group_name=name), Tally.of([None])))
        shown = posted["text"].split(" to ", 1)[1].split(", requested", 1)[0]
        assert len(shown.encode("utf-16-le")) // 2 <= 100
        assert shown.endswith("…")
        assert not shown.endswith("\N{ZERO WIDTH JOINER}…")


@pytest.mark.parametrize("state", [s for s in RequestState if s is not RequestState.RECEIVED])
async def test_a_card_says_alone_what_is_asked_and_what_became_of_it(post: Post, state: RequestState) -> None:
    request = changed(reason="the launch", rule=RULE, state=state)
    message = approval_card.build(request, Tally.of([None] * 40), VOTES[:1])
    posted = await post(message)

    text = read_aloud(message)
    for said in ("<@U01ALICE> asks to add 40 people to launch-team", "the launch", "<@U02BOB> approved", "<#C0LAUNCH>"):
        assert said in text
    buttons = [e["text"]["text"] for b in posted["blocks"] if b["type"] == "actions" for e in b["elements"]]
    pressed = ["Approve", "Deny", "Details", "Override", "Withdraw"]
    assert buttons == (pressed if state is RequestState.WAITING else [])
    assert ("2 approvals by `lead` or `owner`" in text) == (state is RequestState.WAITING)
    assert_words_beside_icons(text)


async def test_a_deadline_is_readable_where_the_date_cannot_be_drawn(post: Post) -> None:
    asked_at = datetime(2026, 3, 1, 16, 5, tzinfo=timezone(timedelta(hours=2)))
    message = approval_card.build(
        changed(rule=RULE, state=RequestState.WAITING, asked_at=asked_at), Tally.of([None]), ()
    )
    await post(message)

    assert "|2026-03-02 14:05 UTC>" in message.text


async def test_a_button_tells_a_screen_reader_what_it_decides_on(post: Post) -> None:
    request = changed(rule=RULE, state=RequestState.WAITING, group_name="n" * 200)
    posted = await post(approval_card.build(request, Tally.of([None] * 40), ()))

    labels = [e["accessibility_label"] for e in posted["blocks"][-2]["elements"]]
    assert [label.split("n" * 10)[0] for label in labels] == [
        f"{verb}: add 40 people to " for verb in ("Approve", "Deny", "Details", "Override", "Withdraw")
    ]
    assert all(len(label) <= 75 for label in labels)


@pytest.mark.parametrize("state", [RequestState.DENIED, RequestState.EXPIRED])
async def test_an_ending_says_that_nothing_was_sent(post: Post, state: RequestState) -> None:
    message = approval_card.ending(changed(state=state), VOTES)
    await post(message)

    assert state.value in message.text.casefold()
    assert "by <@U03CAROL>" in message.text
    assert "Nothing was sent" in message.text


@pytest.mark.parametrize("number", NUMBERS[1:])
async def test_a_reply_names_the_people_with_problems_first_and_counts_the_others(post: Post, number: int) -> None:
    people = mix(number)
    posted = await post(results.reply(changed(duplicates=2), people, AUDIENCE))

    shown = "\n".join(texts(posted["blocks"])).splitlines()
    assert_words_beside_icons(posted["text"])
    assert shown[0].startswith("<@U01ALICE> *")
    problems = [p for p in people if p.outcome not in SUCCESSES]
    listed = [line for line in shown if line.startswith("• +1 415-555-")]
    more = [int(line[2:].split(" more  ")[0].replace(",", "")) for line in shown if " more  " in line]
    assert len(listed) + sum(more) == len(problems)
    assert number > 200 or more == []
    for outcome in {p.outcome for p in problems if p.outcome}:
        text = OUTCOME_TEXTS[outcome]
        said = f"  {text.icon} {text.label}. {capitalize(text.advice)}."
        assert any(line.endswith(said) for line in shown), said
    counted = next(i for i, line in enumerate(shown) if line.startswith(f"{OUTCOME_TEXTS[Outcome.ADDED].icon} "))
    assert all(not line.startswith("• ") for line in shown[counted:])
    for outcome in {p.outcome for p in people if p.outcome}:
        count = sum(p.outcome is outcome for p in people)
        assert f"{count:,} {outcome_label(outcome, Operation.ADD)}" in shown[counted]
    assert "2 duplicates ignored" in shown


@pytest.mark.parametrize("reason", ["busy", EVIL * 10, None])
async def test_a_thousand_people_with_long_names_fit_into_one_message(post: Post, reason: str | None) -> None:
    people = [
        person(
            n,
            Outcome.FAILED,
            person=Person(f"+1415555{n:04}", f"+1415555{n:04}", name="<&>*_`~" * 40),
            provider_message=reason or f"reason {n}" * 30,
        )
        for n in range(1000)
    ]
    posted = await post(results.reply(changed(group_name=EVIL * 20), people, AUDIENCE, FOLLOWED))
    await post(results.reply(changed(), worst(1000), replace(AUDIENCE, short=True), FOLLOWED))

    assert len(posted["text"]) < 4000
    for said in (posted["text"], *texts(posted["blocks"])):
        assert "<&" not in said
        assert "<!" not in said
    assert "Details and Export CSV have the complete list." in "".join(texts(posted["blocks"]))
    numbers = [int(n.replace(",", "")) for n in re.findall(r"• ([\d,]+) more", "\n".join(texts(posted["blocks"])))]
    listed = "".join(texts(posted["blocks"])).count("• +1 41")
    assert listed + sum(numbers) == 1000


async def test_a_problem_shows_the_name_the_reason_and_the_next_step(post: Post) -> None:
    people = [
        person(0, Outcome.FAILED, person=Person("x", "+14155550100", name="R <b>"), cause=Cause.DISCONNECTED),
        person(1, Outcome.INVALID, person=Person("415 bogus"), provider_message="There is no phone number in it."),
        person(2, Outcome.FAILED, person=Person("123@lid", lid="123@lid"), provider_code="E17"),
        person(3),
    ]
    posted = await post(results.reply(changed(), people, AUDIENCE))

    assert posted["text"].splitlines()[1:] == [
        "• 123@lid  ⚠️ failed: E17. Check the reason before you retry.",
        "• +1 415-555-0100 R &lt;b&gt;  ⚠️ failed: Wasend is disconnected. Reconnect the WhatsApp account; then retry.",
        "• “415 bogus”  ❓ not a valid number: There is no phone number in it. Fix the number.",
        "✅ 1 added · ❓ 1 not a valid number · ⚠️ 2 failed",
    ]


def test_an_invite_is_advised_only_if_it_can_be_sent() -> None:
    people = [person(0, Outcome.REFUSED)]
    assert "Send an invite." in results.reply(changed(), people, AUDIENCE).text
    assert "invite" not in results.reply(changed(), people, replace(AUDIENCE, able={Action.ADD})).text


THINGS = {
    Operation.SETTINGS: RequestOptions(change=GroupChange(subject=RIGHT_TO_LEFT, locked=True)),
    Operation.SEND: RequestOptions(text=EVIL * 50),
    Operation.INVITE: RequestOptions(),
    Operation.CREATE: RequestOptions(subject=EMOJI * 40),
}


@pytest.mark.parametrize("operation", THINGS)
async def test_what_is_about_the_group_itself_is_not_told_as_if_it_were_people(
    post: Post, operation: Operation
) -> None:
    request = changed(operation=operation, options=THINGS[operation], rule=RULE, state=RequestState.WAITING)
    lines = [
        RequestItem(n, Person(thing), operation, outcome=Outcome.CHANGED) for n, thing in enumerate(("name", "lock"))
    ]
    tally = tally_of(lines)
    done = replace(request, state=RequestState.DONE)
    for message in (
        request_message.build(request, tally),
        approval_card.build(request, tally, ()),
        results.reply(done, lines, AUDIENCE),
    ):
        await post(message)
    definition = judged(details.build(facts(done, lines, 2, tally=tally)))

    assert operation is Operation.CREATE or "people" not in str(definition)
    assert "2 of 2 " in results.reply(done, lines, AUDIENCE).text


@pytest.mark.parametrize("number", NUMBERS)
def test_details_fit_into_a_modal_at_every_size(number: int) -> None:
    people = mix(number)
    shown = []
    for page in range(max(1, -(-number // details.PAGE))):
        part = people[page * details.PAGE : (page + 1) * details.PAGE]
        definition = judged(details.build(facts(changed(rule=RULE), part, number, page=page, votes=VOTES * 20)))
        shown += [line for block in texts(definition["blocks"]) for line in block.splitlines()]
        turns = [e["value"] for b in definition["blocks"] if b["type"] == "actions" for e in b["elements"]]
        assert all(details.parse(turn)[0] == "RABCDEFGHIJKLMNOP" for turn in turns)
    assert len([line for line in shown if line.startswith("+1 415-555-")]) == number


def test_details_tell_what_is_needed_who_decides_and_what_was_left_out() -> None:
    request = changed(rule=RULE, duplicates=3, stopped_by="U03CAROL", reason="the launch", state=RequestState.DONE)
    people = [person(0), person(1, Outcome.INVALID, person=Person("415 bogus"), provider_message="no number in it")]
    known = {"votes": VOTES, "deciders": ("U02BOB", "S0LEADS"), "warning": "<careful>", "followed": FOLLOWED}
    said = "\n".join(texts(judged(details.build(facts(request, people, 2, **known)))["blocks"]))

    for words in (
        "3 duplicates ignored",
        "“415 bogus”  ❓ not a valid number: no number in it",
        "Needs: add, with the capability `groups:write`, and `groups:write` on the connection `support`",
        "Needs: send a text to a person, which the connection `support` doesn't support",
        "2 approvals by `lead` or `owner` (<@U02BOB> <!subteam^S0LEADS>)",
        "<@U03CAROL> denied <!date^",
        "“&lt;!here&gt; no”",
        "Warning for this group: &lt;careful&gt;",
        "Stopped by <@U03CAROL>",
        f"Undo: <{LINK}|request> `Rundo`",
    ):
        assert words in said


@pytest.mark.parametrize("choice", [Choice.DENY, Choice.OVERRIDE])
def test_a_reason_comes_back_with_its_request_and_its_choice(choice: Choice) -> None:
    definition = judged(reason_modal.build(choice, changed(reason=LONG), Tally.of([None])))
    typed = {"reason": {"value": {"type": "plain_text_input", "value": " because\n"}}}

    filled = reason_modal.parse({**definition, "state": {"values": typed}})
    assert filled == reason_modal.ReasonForm("RABCDEFGHIJKLMNOP", choice, "because")


async def test_a_summary_offers_what_makes_sense_and_nothing_twice(post: Post) -> None:
    people = mix(20)
    posted = await post(results.reply(changed(state=RequestState.DONE), people, AUDIENCE))
    buttons = [e for b in posted["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert [b["text"]["text"] for b in buttons] == [*LABELS.values(), "Export CSV"]
    assert all(b["accessibility_label"].startswith(f"{b['text']['text']}: add ") for b in buttons)
    assert [followup_buttons.parse(b["action_id"]) for b in buttons[:-1]] == list(Followup)
    assert [b["text"]["text"] for b in buttons if "confirm" in b] == ["Undo", "Run again"]

    after = await post(results.reply(changed(state=RequestState.DONE), people, AUDIENCE, FOLLOWED[:2]))
    left = [e["text"]["text"] for b in after["blocks"] if b["type"] == "actions" for e in b["elements"]]
    assert left == [*list(LABELS.values())[2:], "Export CSV"]
    assert f"Retry failed: <{LINK}|request> `Rretry`, requested by <@U01ALICE>" in after["text"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "not attempted: The sender rests. Press Resume to continue."),
        ({"stopped_by": "U03CAROL"}, "Stopped by <@U03CAROL>"),
        ({"options": RequestOptions(look_only=True)}, "not attempted: The sender rests."),
    ],
)
async def test_a_summary_says_why_somebody_was_not_attempted(post: Post, changes: dict[str, Any], told: str) -> None:
    left = mix(2, [Outcome.NOT_ATTEMPTED], provider_message="The sender rests")
    posted = await post(results.reply(changed(state=RequestState.DONE, **changes), left, AUDIENCE))

    assert told in posted["text"]
    assert ("Press Resume" in posted["text"]) == ("options" not in changes)


async def test_a_running_request_can_be_stopped_and_says_who_did(post: Post) -> None:
    running = await post(request_message.build(changed(state=RequestState.RUNNING), Tally.of([None])))
    stopped = await post(
        request_message.build(changed(state=RequestState.RUNNING, stopped_by="U02BOB"), Tally.of([None]))
    )

    pressed = [
        [e["text"]["text"] for b in m["blocks"] if b["type"] == "actions" for e in b["elements"]]
        for m in (running, stopped)
    ]
    assert pressed == [["Stop", "Details"], ["Details"]]
    assert "Stopped by <@U02BOB>" in stopped["text"]


async def test_numbers_are_short_where_they_are_to_be(post: Post) -> None:
    people = [
        person(101, Outcome.FAILED, provider_message="14155550101 is at +1 (415) 555-0101 busy"),
        person(102, Outcome.INVALID, person=Person("415 555 010 bogus 1")),
    ]
    posted = await post(results.reply(changed(), people, replace(AUDIENCE, short=True)))
    assert "+1 415 ••• 0101  ⚠️ failed: 141 ••• 0101 is at" in str(posted["blocks"])
    assert "555" not in str(posted)


@pytest.mark.parametrize(
    ("operation", "asked", "words"),
    [
        (
            Operation.SETTINGS,
            RequestOptions(change=GroupChange(subject="Spring <Fair>", announce_only=True)),
            "Spring &lt;Fair",
        ),
        (Operation.SEND, RequestOptions(text="Doors open at nine"), "Doors open at nine"),
        (Operation.INVITE, RequestOptions(text="Come in"), "Come in"),
        (Operation.ADD, RequestOptions(invite_refused=True), "gets an invite link"),
    ],
)
async def test_who_approves_reads_what_they_approve(
    post: Post, operation: Operation, asked: RequestOptions, words: str
) -> None:
    request = changed(rule=RULE, state=RequestState.WAITING, operation=operation, options=asked)
    tally = Tally.of([None], things=1)
    for message in (approval_card.build(request, tally, ()), request_message.build(request, tally)):
        assert words in message.text
        assert words in str((await post(message))["blocks"])


async def test_an_interim_reply_shows_what_is_known_and_who_is_being_verified(post: Post) -> None:
    running = changed(state=RequestState.RUNNING)
    people = [
        person(0, Outcome.UNKNOWN, person=Person("x", "+14155550100", name="Rita")),
        person(1, Outcome.NOT_ON_WHATSAPP),
        person(2),
        person(3, None),
    ]
    posted = await post(results.reply(running, people, AUDIENCE, next_check=AT))
    first = await post(results.reply(running, people[:1], AUDIENCE))

    assert posted["text"].splitlines() == [
        "<@U01ALICE> Results so far: 2 of 4",
        "• +1 415-555-0001  ❓ not on WhatsApp. Check the number.",
        f"• +1 415-555-0100 Rita  🔎 being verified: next check {format_time(AT)}.",
        "✅ 1 added · ❓ 1 not on WhatsApp",
    ]
    assert first["text"].splitlines()[1:] == ["• +1 415-555-0100 Rita  🔎 being verified: after everyone was sent."]
    assert not any(block["type"] == "actions" for block in posted["blocks"])
