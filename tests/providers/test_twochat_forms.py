import pytest

from providers.base import Outcome, OutcomeUnknown
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition
from tests.providers.harness import ANA, outcomes, people
from tests.providers.provider_cases import TWOCHAT, TwoChatHarness

GROUP = TWOCHAT.group
NUMBER = TWOCHAT.own
ADD = "add-participant"

OLD, NEW = "551187654321", "5511987654321"
"""One Brazilian mobile without and with its ninth digit."""
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
