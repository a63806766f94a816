"""What a contract documents is told: an adapter that knows nothing does not keep to it."""

import pytest

from providers.base import Action, MembershipStatus, ProviderError, verdicts_for_error
from tests.providers.conformance.cases import CASES, STATES
from tests.providers.conformance.kits import ADMIN, EVERYBODY, KITS, MEMBER, NO_ACCOUNT, OPEN, Kit, desk, people
from tests.providers.conformance.papers import quotes
from tests.providers.conformance.promises import PROMISES
from tests.providers.conformance.rounds import carry_out
from tests.providers.conformance.tasks import TASKS, WEEK

KEPT = [(kit, name) for kit in KITS.values() for name, case in CASES.items() if case.is_for(kit)]
READ_BACK = [(kit, name) for kit, name in KEPT if CASES[name].read_back]
ALL = pytest.mark.parametrize("kit", KITS.values(), ids=str)


def able_to(action: Action) -> list[Kit]:
    return [kit for kit in KITS.values() if action in kit.abilities]


def named(cases: list[tuple[Kit, str]]) -> list[str]:
    return [f"{kit.name}-{case}" for kit, case in cases]


@ALL
def test_what_is_promised_stands_in_the_contract(kit: Kit) -> None:
    promises = PROMISES[kit.name]
    assert promises.stops.keys() == STATES.keys()
    assert [promise.quote for promise in promises.people.values() if not quotes(kit.name, promise.quote)] == []
    assert [stop.quote for stop in promises.stops.values() if not quotes(kit.name, stop.quote)] == []


@pytest.mark.parametrize(("kit", "name"), KEPT, ids=named(KEPT))
async def test_what_an_answer_says_of_a_person_is_told_with_its_evidence(kit: Kit, name: str) -> None:
    case, promise = CASES[name], PROMISES[kit.name].people[name]
    async with desk(kit, variant=case.variant, checked=False) as at:
        case.prepare(at)
        try:
            (verdict,) = (await case.ask(at)).verdicts
        except ProviderError as error:
            (verdict,) = verdicts_for_error(error, people(case.phone))
    assert (verdict.outcome, verdict.evidence) == (promise.outcome, promise.evidence)


@pytest.mark.parametrize(("kit", "name"), READ_BACK, ids=named(READ_BACK))
async def test_what_an_answer_leaves_open_the_member_list_tells(kit: Kit, name: str) -> None:
    case = CASES[name]
    async with desk(kit, checked=False) as at:
        (verdict,) = await carry_out(at.adapter, kit.group, case.operation, people(case.phone))
    assert verdict.outcome is case.read_back


@ALL
async def test_a_member_list_tells_how_everybody_stands(kit: Kit) -> None:
    inside = {MEMBER: MembershipStatus.MEMBER, ADMIN: MembershipStatus.ADMIN}
    if not PROMISES[kit.name].roles:
        inside = dict.fromkeys(inside, MembershipStatus.PRESENT)
    async with desk(kit, checked=False) as at:
        standings = await at.adapter.membership(kit.group, people(*EVERYBODY))
        listed = {member.phone: member.status async for member in at.adapter.members(kit.group)}
    assert standings == {f"+{phone}": inside.get(phone, MembershipStatus.ABSENT) for phone in EVERYBODY}
    own = {kit.own: MembershipStatus.ADMIN} if kit.own else {}
    assert listed == {f"+{phone}": standing for phone, standing in (own | inside).items()}


@ALL
async def test_a_group_is_told_of_with_all_that_its_provider_says(kit: Kit) -> None:
    async with desk(kit, checked=False) as at:
        at.group.announce_only, at.group.locked, at.group.ephemeral = True, True, WEEK
        told = await at.adapter.group(kit.group)
    truth = {"description": "Rota", "announce_only": True, "locked": True, "ephemeral": WEEK}
    truth["size"] = len(at.group.members)
    known = {name: getattr(told, name) for name in truth if getattr(told, name) is not None}
    assert (told.subject, known) == ("Launch team", {name: truth[name] for name in PROMISES[kit.name].facts})


@pytest.mark.parametrize("kit", able_to(Action.CHECK_NUMBERS), ids=str)
async def test_a_check_tells_of_every_number_whether_it_is_on_whatsapp(kit: Kit) -> None:
    async with desk(kit, checked=False) as at:
        checks = await at.adapter.check_numbers(people(*EVERYBODY))
    assert {key: (check.on_whatsapp, check.phone) for key, check in checks.items()} == {
        f"+{phone}": (False, "") if phone == NO_ACCOUNT else (True, f"+{phone}") for phone in EVERYBODY
    }


@pytest.mark.parametrize("kit", able_to(Action.LIMITS), ids=str)
async def test_limits_say_how_much_there_is(kit: Kit) -> None:
    async with desk(kit, checked=False) as at:
        assert [usage for usage in await at.adapter.limits() if usage.limit] != []


@pytest.mark.parametrize("kit", able_to(Action.CREATE), ids=str)
async def test_a_new_group_is_named_by_its_id(kit: Kit) -> None:
    async with desk(kit, checked=False) as at:
        created = await at.adapter.create("New team", people(OPEN))
    assert created.group is not None
    assert created.group.id in at.world.groups.keys() - {kit.group}


@pytest.mark.parametrize("kit", able_to(Action.JOIN), ids=str)
async def test_a_group_that_is_joined_is_named_by_its_id(kit: Kit) -> None:
    (join,) = (task for task in TASKS if task.action is Action.JOIN)
    async with desk(kit, checked=False) as at:
        joined = await join.do(at)
    assert joined.id == kit.other
