from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.commands.catalogue import COMMANDS
from bot.domain.audit import AuditEntry, EntryKind
from bot.domain.audit_chain import ChainHead, seal
from bot.domain.groups import KnownGroup
from bot.domain.outcomes import RequestSummary, Tally
from bot.domain.roster import RejectedEntry, RejectionCode, Roster
from handlers.commands.reply import message_payload
from handlers.views import answers, audit_list, command_help, groups, request_list
from handlers.views.answers import Unread
from handlers.views.blocks import Message
from providers.base import (
    Account,
    AccountState,
    Action,
    Group,
    GroupNotFound,
    Member,
    MembershipStatus,
    Operation,
    Outcome,
)
from tests.handlers.conftest import Post
from tests.handlers.samples import AT, EVIL, NAMES, REQUEST, changed

WIDE = Tally(tuple((outcome, 99_999) for outcome in Outcome), 99_999 * len(Outcome))
ADMINS = [Member("+14155550100", "", name, MembershipStatus.ADMIN) for name in NAMES * 3]


def groups_page(name: str) -> Message:
    found = [KnownGroup("c" * 60, "g" * 500, "", name)] * 40
    return groups.page(found, groups.GroupCursor(search=name[:500].replace("\ud800", ""), start=15))


def card(name: str) -> Message:
    group = KnownGroup("c" * 60, "g" * 150, "", name)
    told = Group(group.id, name, 1024, name * 50, announce_only=True, locked=False, ephemeral=90 * 86_400)
    account = Account(AccountState.RESTRICTED, name * 20)
    return groups.card(
        groups.GroupCardData(group, told, account, ADMINS, can=frozenset(Action), may_list=True, warning=name * 20)
    )


def unread_card(name: str) -> Message:
    reason = answers.provider_answer(GroupNotFound("The provider knows no such group.", provider_text=name))
    why = Unread(reason, not_found=True)
    facts = groups.GroupCardData(KnownGroup("c", "g", "", name), why, why, why, can=frozenset(), may_list=False)
    return groups.card(facts)


def test_an_accounts_state_is_told_once() -> None:
    told = groups.GroupCardData(
        KnownGroup("c", "g"),
        Unread(""),
        Account(AccountState.CONNECTED, "connected"),
        [],
        can=frozenset(),
        may_list=False,
    )

    assert "Connection `c`: connected\n" in groups.card(told).text


def test_members_are_counted_where_they_were_read_and_their_number_is_not_told() -> None:
    facts = groups.GroupCardData(
        KnownGroup("c", "g"), Group("g", "Team"), Unread(""), ADMINS[:2], can=frozenset(Action), may_list=False
    )

    assert "Members: 2\n" in groups.card(facts).text
    unread = groups.card(replace(facts, members=Unread("the provider didn't answer in time."))).text
    assert "Members: unknown\n" in unread
    assert "Admins: the provider didn't answer in time.\n" in unread


def test_a_providers_words_are_said_to_be_its() -> None:
    assert answers.provider_answer(GroupNotFound("It is gone.", provider_text="no <such> jid")) == (
        "It is gone. Provider said: “no &lt;such&gt; jid”"
    )
    account = Account(AccountState.DISCONNECTED, "pairing")
    assert answers.account(account) == "disconnected (provider said: “pairing”)"


def requests_page(name: str) -> Message:
    request = changed(group_name=name, operation=Operation.SYNC, reason=name)
    turn = request_list.RequestCursor(which="group", connection="c" * 60, group_id="g" * 150, before=(1.5, "R" * 17))
    return request_list.build(
        [RequestSummary(request, WIDE)] * 10, {REQUEST.id: "https://x.slack.com/" + "a" * 100}, turn, more=True
    )


def audit_page(name: str) -> Message:
    entry = AuditEntry(
        EntryKind.VERDICT,
        AT,
        "U01ALICE",
        typed=name,
        request_id=name[:40],
        operation="add",
        connection="support",
        group_id="g",
        outcome="failed",
        provider_code=name[:200],
        details={"reason": name, "code": name, "choice": name},
    )
    rows = [seal(entry, ChainHead(99_999 + number)) for number in range(15)]
    turn = audit_list.AuditCursor(
        person="1" * 60, connection="c" * 60, group_id="g" * 500, since=AT, until=AT, before=9
    )
    return audit_list.build(rows, turn, lambda *_: name, more=True)


@pytest.mark.parametrize("build", [groups_page, card, unread_card, requests_page, audit_page])
async def test_slack_takes_every_page_whatever_things_are_called(post: Post, build: Callable[[str], Message]) -> None:
    for name in NAMES:
        posted = await post(Message(**message_payload(build(name))))
        assert posted["blocks"]
        assert all(raw not in posted["text"] for raw in ("<!channel>", "<https://evil", "\x1b"))


async def test_slack_takes_every_explanation(post: Post) -> None:
    for command in COMMANDS:
        await post(Message(command_help.help_text(f"help {command.verb}"), []))
        await post(Message(command_help.usage(command, EVIL * 20), []))


def test_buttons_carry_where_they_lead() -> None:
    turn = audit_list.AuditCursor(person="U01ALICE", connection="c", group_id="g", since=AT, before=7)

    assert audit_list.AuditCursor.model_validate_json(turn.model_dump_json(exclude_none=True)) == turn
    for cursor in (audit_list.AuditCursor, groups.GroupCursor, groups.GroupAddress, request_list.RequestCursor):
        with pytest.raises(ValueError, match="JSON"):
            cursor.model_validate_json("RABC 7")


def test_a_row_that_was_changed_is_said_to_be() -> None:
    row = replace(seal(AuditEntry(EntryKind.STATE, AT), ChainHead()), payload="{")

    assert (
        "1: ⚠️ this row was altered" in audit_list.build([row], audit_list.AuditCursor(), lambda *_: "", more=False).text
    )


def test_a_rejected_entry_is_told_with_its_line() -> None:
    in_file = RejectedEntry("bogus", RejectionCode.NOT_A_NUMBER, 1200, in_file=True)
    several = RejectedEntry("typed", RejectionCode.TOO_LONG, 7)
    roster = Roster(rejected=(in_file, several, RejectedEntry("alone", RejectionCode.TOO_LONG)))

    lines = answers.rejected(roster)
    assert lines[1].startswith("• line 1,200 of the file, “bogus”: ")
    assert lines[2].startswith("• line 7, “typed”: ")
    assert lines[3].startswith("• “alone”: ")
    assert "Line 1,200 of the file, “bogus”" in answers.no_usable_numbers(roster)


def test_a_request_that_was_put_off_says_so() -> None:
    details = replace(REQUEST.options, run_at=datetime.now(UTC) + timedelta(days=1))

    assert "Starts <!date^" in answers.submitted(changed(options=details), Roster(), again=False)
