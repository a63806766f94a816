from typing import Literal

import pytest

from providers.base import (
    AccountRestricted,
    InvalidRequest,
    NumberCheck,
    Outcome,
    OutcomeUnknown,
    Person,
    ProviderError,
    ProviderFault,
    RateLimited,
    Usage,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, BEN, outcomes, people
from tests.providers.provider_cases import TWOCHAT, TwoChatHarness

GROUP = TWOCHAT.group
NUMBER = TWOCHAT.own
OLD, NEW = "551187654321", "5511987654321"
"""One Brazilian mobile without and with its ninth digit."""


async def test_a_number_is_asked_for_once_a_day_and_without_the_details_that_cost_more(twochat: TwoChatHarness) -> None:
    twochat.world.put_person(BEN, Disposition.NO_ACCOUNT)
    nameless = Person("7@lid", lid="7@lid")
    for _ in range(2):
        assert await twochat.adapter.check_numbers([*people(ANA, BEN), nameless]) == {
            f"+{ANA}": NumberCheck(True, f"+{ANA}"),
            f"+{BEN}": NumberCheck(False),
            "7@lid": NumberCheck(None, lid="7@lid"),
        }
    assert [(call.path.rpartition("/")[2], call.query) for call in twochat.server.calls] == [
        (f"+{ANA}", {}),
        (f"+{BEN}", {}),
    ]
    twochat.clock.advance(24 * 3600)
    await twochat.adapter.check_numbers(people(ANA))
    assert len(twochat.server.calls) == 3


@pytest.mark.parametrize(
    ("without_account", "check", "calls"),
    [
        ((), NumberCheck(True), 1),
        ((OLD,), NumberCheck(True), 1),
        ((NEW,), NumberCheck(True, f"+{OLD}"), 2),
        ((OLD, NEW), NumberCheck(False), 2),
    ],
)
async def test_another_form_of_a_number_is_asked_for_only_where_the_first_has_no_account(
    twochat: TwoChatHarness, without_account: tuple[str, ...], check: NumberCheck, calls: int
) -> None:
    for phone in without_account:
        twochat.world.put_person(phone, Disposition.NO_ACCOUNT)
    assert await twochat.adapter.check_numbers(people(NEW)) == {f"+{NEW}": check}
    assert len(twochat.server.calls) == calls


@pytest.mark.parametrize(
    "body", ['{"is_valid": false}', '{"is_valid": true}', '{"is_valid": false, "on_whatsapp": true}']
)
async def test_a_check_that_does_not_speak_of_whatsapp_tells_nothing(twochat: TwoChatHarness, body: str) -> None:
    twochat.server.faults = [InjectedFault("check-number", status=200, body=body)]
    for _ in range(2):
        assert await twochat.adapter.check_numbers(people(ANA)) == {f"+{ANA}": NumberCheck(None)}
    assert len(twochat.server.calls) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (InjectedFault("check-number", status=486, skip=1, times=-1), RateLimited),
        (InjectedFault("check-number", status=402, skip=1), AccountRestricted),
        (InjectedFault("check-number", status=404, skip=1), InvalidRequest),
        (InjectedFault("check-number", status=200, skip=1, body='{"success": true}'), ProviderFault),
    ],
)
async def test_what_was_answered_before_an_error_need_not_be_paid_for_again(
    twochat: TwoChatHarness, fault: InjectedFault, kind: type[ProviderError]
) -> None:
    twochat.server.faults = [fault]
    with pytest.raises(kind):
        await twochat.adapter.check_numbers(people(ANA, BEN))
    twochat.server.faults = []
    twochat.expected_breaches = ("answer to",)
    assert len(await twochat.adapter.check_numbers(people(ANA, BEN))) == 2
    answered = [call.path.rpartition("/")[2] for call in twochat.server.calls if call.status == 200]
    assert answered.count(f"+{ANA}") == 1


@pytest.mark.parametrize("place", ["/info", "/open/info"])
async def test_limits_are_found_at_either_place_and_the_right_one_is_remembered(
    twochat: TwoChatHarness,
    place: Literal["/info", "/open/info"],
) -> None:
    twochat.server.info_at = place
    twochat.server.credits = 100
    twochat.expected_breaches = ("/info",)
    await twochat.adapter.check_numbers(people(ANA))
    told = [await twochat.adapter.limits() for _ in range(2)][-1]
    spent = len(twochat.server.calls)
    assert told == [
        Usage("API requests", spent, 100),
        Usage("number checks", 1, 500_000),
        Usage("requests a minute", limit=80),
    ]
    assert [call.path for call in twochat.server.calls][1:] == ["/info", place, place][spent == 3 :]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"success": true}', []),
        ('{"success": true, "usage": {"api_request_count": 7}}', [Usage("API requests", 7)]),
    ],
)
async def test_limits_that_are_not_told_are_left_out(twochat: TwoChatHarness, body: str, told: list[Usage]) -> None:
    twochat.server.faults = [InjectedFault("/info", status=200, body=body)]
    assert await twochat.adapter.limits() == told


async def test_a_page_in_place_of_an_answer_is_not_taken_for_a_missing_group(twochat: TwoChatHarness) -> None:
    twochat.server.faults = [InjectedFault(status=404, body="<html><body>nginx</body></html>", times=-1)]
    twochat.expected_breaches = ("/open/info",)
    for call in (twochat.adapter.group(GROUP), twochat.adapter.limits(), twochat.adapter.account()):
        with pytest.raises(ProviderFault, match="Check base_url"):
            await call


@pytest.mark.parametrize(("headers", "rest"), [({}, 10.0), ({"Retry-After": "3"}, 3.0)])
async def test_a_busy_number_rests_for_seconds_and_not_like_a_limited_one(
    twochat: TwoChatHarness, headers: dict[str, str], rest: float
) -> None:
    twochat.server.faults = [InjectedFault("add-participant", status=486, times=-1, headers=headers)]
    with pytest.raises(RateLimited) as caught:
        await twochat.adapter.add(GROUP, people(ANA))
    assert caught.value.cooldown == rest


ADD = "add-participant"
PAIRS = [(OLD, NEW), (NEW, OLD), ("5215512345678", "525512345678"), ("541123456789", "5491123456789")]


def sent(twochat: TwoChatHarness) -> list[str]:
    """Return what was asked for, call by call: the numbers of a change, and those that were checked."""
    return [
        " ".join(call.body["participants"]) if call.method == "POST" else f"check {call.path.rpartition('/')[2]}"
        for call in twochat.server.calls
        if call.path != f"/open/whatsapp/group/{GROUP}"
    ]


async def test_a_number_is_named_as_typed_where_the_list_shows_it_so_too(twochat: TwoChatHarness) -> None:
    twochat.world.put_group(GROUP, "Launch team", [NUMBER, OLD, NEW])
    await twochat.adapter.membership(GROUP, people(NEW))
    assert outcomes(await twochat.adapter.remove(GROUP, people(NEW))) == {NEW: Outcome.REMOVED}
    assert [*twochat.group.members] == [NUMBER, OLD]


async def test_two_typed_forms_of_one_member_are_sent_once(twochat: TwoChatHarness) -> None:
    twochat.world.put_group(GROUP, "Launch team", [NUMBER, OLD])
    await twochat.adapter.membership(GROUP, people(NEW))
    await twochat.adapter.remove(GROUP, people(NEW, OLD))
    assert sent(twochat) == [f"+{OLD}"]


@pytest.mark.parametrize("with_entry", [True, False])
@pytest.mark.parametrize(("known", "typed"), PAIRS)
async def test_a_number_that_is_known_in_its_other_form_is_added_in_that(
    twochat: TwoChatHarness, known: str, typed: str, with_entry: bool
) -> None:
    twochat.server.unaccepted_have_entries = with_entry
    twochat.world.put_person(typed, Disposition.NO_ACCOUNT)
    result = await twochat.adapter.add(GROUP, people(ANA, typed))
    assert outcomes(result) == {ANA: Outcome.ADDED, typed: Outcome.ADDED}
    assert sent(twochat) == [f"+{ANA} +{typed}", f"check +{typed}", f"check +{known}", f"+{known}"]
    assert {*twochat.group.members} == {NUMBER, ANA, known}
    assert outcomes(await twochat.adapter.remove(GROUP, people(typed))) == {typed: Outcome.REMOVED}


async def test_a_number_with_one_form_costs_no_further_call(twochat: TwoChatHarness) -> None:
    twochat.world.put_person(ANA, Disposition.NO_ACCOUNT)
    await twochat.adapter.add(GROUP, people(ANA))
    assert sent(twochat) == [f"+{ANA}"]


@pytest.mark.parametrize("status", [402, 429, 503])
async def test_a_check_that_fails_leaves_the_first_answer(twochat: TwoChatHarness, status: int) -> None:
    twochat.world.put_person(NEW, Disposition.NO_ACCOUNT)
    twochat.server.faults = [InjectedFault("check-number", status=status, times=-1)]
    result = await twochat.adapter.add(GROUP, people(ANA, NEW))
    assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.FAILED}
    assert result.error is None


async def test_a_second_add_that_loses_its_answer_leaves_only_those_in_it_unknown(twochat: TwoChatHarness) -> None:
    twochat.world.put_person(NEW, Disposition.NO_ACCOUNT)
    twochat.server.faults = [InjectedFault(ADD, when="after", status=-1, skip=1)]
    result = await twochat.adapter.add(GROUP, people(ANA, NEW))
    assert outcomes(result) == {ANA: Outcome.ADDED, NEW: Outcome.UNKNOWN}
    assert isinstance(result.error, OutcomeUnknown)
    assert OLD in twochat.group.members
