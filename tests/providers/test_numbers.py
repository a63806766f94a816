"""Numbers that WhatsApp has in another form, number checks, and people known by a LID alone, at every provider."""

from collections.abc import Sequence

import pytest

from providers.base import Action, Evidence, InvalidRequest, MembershipStatus, NumberCheck, Operation, Outcome, Person
from providers.cache import DAY_SECONDS
from sandbox.providers.world import Disposition, Effect
from tests.providers.harness import (
    ANA,
    BEN,
    Harness,
    ProviderCase,
    open_provider,
    outcomes,
    outcomes_with_evidence,
    people,
)
from tests.providers.operation_run import run_operation
from tests.providers.provider_cases import PROVIDER_CASES, TWOCHAT, WACR, WAGATEWAY, WASEND

FORMS = [
    ("5511987654321", "551187654321"),
    ("551187654321", "5511987654321"),
    ("525512345678", "5215512345678"),
    ("541123456789", "5491123456789"),
]
"""Numbers as they are typed, and as WhatsApp has them."""

UNKNOWN_LID = Person("77@lid", lid="77@lid")

ALL = tuple(PROVIDER_CASES.values())
CHECKING = tuple(provider for provider in ALL if Action.CHECK_NUMBERS in provider.abilities)


def each(providers: Sequence[ProviderCase]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("provider", providers, ids=str)


def added(harness: Harness) -> list[str]:
    """Return who was added, each as often as it happened."""
    return [event.phone for event in harness.world.events if event.effect is Effect.ADDED]


@pytest.mark.parametrize(("typed", "known"), FORMS)
@each(ALL)
async def test_a_member_is_found_and_changed_by_either_form(provider: ProviderCase, typed: str, known: str) -> None:
    async with open_provider(provider) as harness:
        group = harness.world.put_group(provider.group, "Launch team", [*provider.members, known, ANA])
        assert (await harness.membership(typed))[typed].is_member
        for operation, role in ((Operation.PROMOTE, "admin"), (Operation.DEMOTE, "member")):
            if Action(operation) in provider.abilities:
                await getattr(harness.adapter, operation)(provider.group, people(typed))
                assert group.members[known].role == role
        await harness.adapter.remove(provider.group, people(typed))
        assert harness.roles() == {phone: "member" for phone in (*provider.members, ANA) if phone != provider.own}
        assert harness.breaches() == []


@pytest.mark.parametrize("alias", [True, False], ids=["both forms lead to it", "one form leads to it"])
@pytest.mark.parametrize(("typed", "known"), FORMS)
@each(CHECKING)
async def test_a_number_is_added_in_the_form_that_has_an_account(
    provider: ProviderCase, typed: str, known: str, alias: bool
) -> None:
    async with open_provider(provider) as harness:
        harness.world.put_group(provider.group, "Launch team", [*provider.members, BEN])
        if alias:
            harness.world.put_person(known, Disposition.OPEN, also=typed)
        else:
            harness.world.put_person(typed, Disposition.NO_ACCOUNT)
        verdicts = await run_operation(harness.adapter, provider.group, Operation.ADD, people(ANA, typed))
        assert outcomes(verdicts) == {ANA: Outcome.ADDED, typed: Outcome.ADDED}
        assert sorted(added(harness)) == sorted([ANA, known])
        assert harness.breaches() == []


@each(CHECKING)
async def test_a_number_without_an_account_in_any_form_is_not_on_whatsapp(provider: ProviderCase) -> None:
    async with open_provider(provider) as harness:
        typed, other = FORMS[0]
        for phone in (typed, other):
            harness.world.put_person(phone, Disposition.NO_ACCOUNT)
        result = await harness.adapter.add(provider.group, people(typed))
        assert outcomes_with_evidence(result) == {typed: (Outcome.NOT_ON_WHATSAPP, Evidence.REPORTED)}
        assert result.error is None
        assert added(harness) == []


@each(CHECKING)
async def test_numbers_are_checked_once_a_day(provider: ProviderCase) -> None:
    async with open_provider(provider) as harness:
        typed, known = FORMS[0]
        for phone in (BEN, typed):
            harness.world.put_person(phone, Disposition.NO_ACCOUNT)
        expected = {
            f"+{ANA}": NumberCheck(True, f"+{ANA}"),
            f"+{BEN}": NumberCheck(False),
            f"+{typed}": NumberCheck(True, f"+{known}"),
        }
        for seconds, again in ((0.0, False), (DAY_SECONDS - 1.0, False), (1.0, True)):
            harness.clock.advance(seconds)
            before = len(harness.server.calls)
            assert await harness.adapter.check_numbers(people(ANA, BEN, typed, ANA)) == expected
            asked = len(harness.server.calls) - before
            assert bool(asked) == (again or seconds == 0.0)
        assert await harness.adapter.check_numbers([UNKNOWN_LID]) == {"77@lid": NumberCheck(None, lid="77@lid")}
        assert await harness.adapter.check_numbers([]) == {}
        assert harness.breaches() == []


@pytest.mark.parametrize(
    ("provider", "evidence"),
    [(TWOCHAT, Evidence.NONE), (WACR, Evidence.NONE), (WAGATEWAY, Evidence.REPORTED)],
    ids=str,
)
async def test_an_unknown_lid_is_invalid_and_the_others_are_changed(provider: ProviderCase, evidence: Evidence) -> None:
    async with open_provider(provider) as harness:
        for operation in (Operation.ADD, Operation.REMOVE):
            result = await getattr(harness.adapter, operation)(provider.group, [UNKNOWN_LID, *people(ANA)])
            assert outcomes_with_evidence(result)["77@lid"] == (Outcome.INVALID, evidence)
            assert (ANA in harness.group.members) == (operation is Operation.ADD)
        found = await harness.adapter.membership(provider.group, [UNKNOWN_LID])
        assert found["77@lid"] is not MembershipStatus.MEMBER
        assert harness.breaches() == []


@each(ALL)
async def test_no_text_goes_to_an_unknown_lid(provider: ProviderCase) -> None:
    async with open_provider(provider) as harness:
        with pytest.raises(InvalidRequest):
            await harness.adapter.send_to_person(UNKNOWN_LID, "Hello")
        assert harness.world.sent == []
        assert harness.breaches() == []


@each((TWOCHAT, WACR))
async def test_without_people_nothing_is_called(provider: ProviderCase) -> None:
    async with open_provider(provider) as harness:
        assert await harness.adapter.membership(provider.group, []) == {}
        assert (await harness.adapter.add(provider.group, [])).verdicts == ()
        assert harness.server.calls == []


@each((TWOCHAT, WASEND))
async def test_more_people_than_one_call_takes_are_not_sent(provider: ProviderCase) -> None:
    async with open_provider(provider) as harness:
        with pytest.raises(ValueError, match="at most 10"):
            await harness.adapter.add(provider.group, people(*(f"1415555{n:04}" for n in range(11))))
        assert harness.server.calls == []
