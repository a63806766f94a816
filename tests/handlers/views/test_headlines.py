"""The headline of a request: what happened, to how many, and why if one reason explains it."""

from typing import Any

import pytest

from bot.domain.requests import RequestItem, RequestOptions
from handlers.views.headlines import headline
from providers.base import Cause, Operation, Outcome, Person
from tests.handlers.samples import EVIL, changed, mix, person

REJECTED = person(9, Outcome.INVALID, person=Person("555-CALL"))
GONE = {"cause": Cause.DISCONNECTED, "provider_message": "400 Not connected at Wasend: the session is STOPPED."}


@pytest.mark.parametrize(
    ("people", "text"),
    [
        (mix(5, [Outcome.ADDED]), "✅ Done: 5 of 5 added."),
        (mix(2, [Outcome.ADDED, Outcome.ALREADY_DONE]), "✅ Done: 2 of 2 are in the group."),
        ([*mix(3, [Outcome.ADDED]), REJECTED], "⚠️ 3 of 3 added; 1 entry couldn't be read."),
        ([REJECTED], "⚠️ Nothing was done; 1 entry couldn't be read."),
        (mix(4, [Outcome.FAILED], **GONE), "⚠️ No one was added: Wasend is disconnected."),
        (
            [*mix(4, [Outcome.FAILED], **GONE), REJECTED],
            "⚠️ No one was added: Wasend is disconnected; 1 entry couldn't be read.",
        ),
        (
            [*mix(2, [Outcome.ADDED]), *mix(1, [Outcome.NOT_ATTEMPTED], cause=Cause.NO_ADMIN)],
            "⚠️ 2 of 3 added: the connection's account isn't a group admin.",
        ),
        (mix(2, [Outcome.FAILED, Outcome.REFUSED]), "⚠️ No one was added."),
        (mix(2, [Outcome.REFUSED], provider_code="PRIVACY"), "⚠️ No one was added: refused by privacy settings."),
        (mix(2, [Outcome.FAILED], provider_code="E17"), "⚠️ No one was added."),
        (mix(2, [Outcome.UNKNOWN]), "⚠️ 0 of 2 added: couldn't be confirmed."),
        (mix(2, [Outcome.NOT_ATTEMPTED], provider_message="<!here> & 14155550100."), None),
    ],
)
def test_a_headline_names_the_result_and_the_one_reason(people: list[RequestItem], text: str | None) -> None:
    expected = text or "⚠️ No one was added: &lt;!here&gt; &amp; 141 ••• 0100."
    assert headline(changed(), people, "Wasend") == expected


@pytest.mark.parametrize(
    ("changes", "people", "text"),
    [
        (
            {"stopped_by": "U02BOB"},
            mix(2, [Outcome.ADDED, Outcome.NOT_ATTEMPTED]),
            "⚠️ 1 of 2 added: stopped by <@U02BOB>.",
        ),
        (
            {"operation": Operation.SETTINGS},
            [RequestItem(0, Person("name"), Operation.SETTINGS, outcome=Outcome.FAILED, cause=Cause.PERMISSION)],
            "⚠️ Nothing was changed: the connection's token or account has no permission for this.",
        ),
        (
            {"operation": Operation.CREATE, "group_id": ""},
            mix(2, [Outcome.FAILED], operation=Operation.CREATE, cause=Cause.DISCONNECTED),
            "⚠️ The group wasn't created: Wasend is disconnected.",
        ),
        (
            {"operation": Operation.INVITE},
            mix(2, [Outcome.INVITED], operation=Operation.INVITE),
            "✅ Done: 2 of 2 invited.",
        ),
        ({}, mix(2, [Outcome.INVITED]), "⚠️ No one was added: invited instead."),
        (
            {"operation": Operation.SYNC, "options": RequestOptions(look_only=True)},
            mix(2, [Outcome.NOT_ATTEMPTED]),
            "📋 Would add 2 people and remove 0.",
        ),
    ],
)
def test_a_headline_uses_the_words_of_its_operation(
    changes: dict[str, Any], people: list[RequestItem], text: str
) -> None:
    assert headline(changed(**changes), people, "Wasend") == text


def test_no_reason_breaks_a_headline() -> None:
    text = headline(changed(), mix(3, [Outcome.NOT_ATTEMPTED], provider_message=EVIL * 100), EVIL)
    assert "<" not in text
    assert len(text) < 250
