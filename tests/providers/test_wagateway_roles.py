from collections.abc import AsyncIterator

import pytest

from providers.base import (
    AccountDisconnected,
    Evidence,
    GroupNotFound,
    MembershipStatus,
    NotGroupAdmin,
    Outcome,
    OutcomeUnknown,
    Person,
    ProviderError,
    ProviderFault,
    Verdict,
)
from sandbox.providers.server import InjectedFault
from sandbox.providers.world import Disposition, Effect
from tests.providers.wagateway_bench import CHECK, GROUP, INVITE, ROOT, Bench, people, present, wagateway

ANA, BEN, CLEO, DORA = "14155550101", "14155550102", "14155550103", "14155550104"
READ_GROUP = f"GET {ROOT}/groups/{GROUP}"
VERBS = ["remove", "promote", "demote"]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with wagateway() as bench:
        bench.world.put_group(GROUP, "Launch team", [ANA, BEN, CLEO])
        yield bench
        assert bench.transport.broken == []


def line(verb: str, phone: str) -> str:
    member = f"{ROOT}/groups/{GROUP}/members/{phone}@s.whatsapp.net"
    return f"DELETE {member}" if verb == "remove" else f"POST {member}/{verb}"


async def call(bench: Bench, verb: str, *phones: str) -> tuple[list[Outcome], ProviderError | None]:
    result = await getattr(bench.adapter, verb)(GROUP, people(*phones))
    assert [verdict.key for verdict in result.verdicts] == [f"+{phone}" for phone in phones]
    unknown = [verdict for verdict in result.verdicts if verdict.outcome is Outcome.UNKNOWN]
    assert all(verdict.evidence is Evidence.NONE for verdict in unknown)
    return [verdict.outcome for verdict in result.verdicts], result.error


@pytest.mark.parametrize(
    ("verb", "standings"),
    [
        ("remove", [MembershipStatus.ABSENT, MembershipStatus.ABSENT]),
        ("promote", [MembershipStatus.ADMIN, MembershipStatus.ADMIN]),
        ("demote", [MembershipStatus.MEMBER, MembershipStatus.MEMBER]),
    ],
)
async def test_without_a_look_before_one_call_for_each_person_leaves_open_what_changed(
    bench: Bench, verb: str, standings: list[MembershipStatus]
) -> None:
    bench.world.promote(GROUP, ANA)
    assert await call(bench, verb, ANA, BEN) == ([Outcome.UNKNOWN] * 2, None)
    assert bench.lines() == [line(verb, ANA), line(verb, BEN)]
    assert list((await present(bench, ANA, BEN)).values()) == standings


REPORTED = {
    "remove": {ANA: Outcome.REMOVED, BEN: Outcome.REMOVED, DORA: Outcome.ALREADY_DONE},
    "promote": {ANA: Outcome.PROMOTED, BEN: Outcome.ALREADY_DONE},
    "demote": {ANA: Outcome.ALREADY_DONE, BEN: Outcome.DEMOTED},
}


@pytest.mark.parametrize("verb", VERBS)
async def test_after_a_look_the_answer_reports_what_became_of_each_person(bench: Bench, verb: str) -> None:
    bench.world.promote(GROUP, BEN)
    await present(bench, *REPORTED[verb])
    result = await getattr(bench.adapter, verb)(GROUP, people(*REPORTED[verb]))
    assert result.verdicts == tuple(
        Verdict(f"+{phone}", outcome, Evidence.REPORTED, "204") for phone, outcome in REPORTED[verb].items()
    )


async def test_what_the_answer_reports_stands_though_the_stored_list_is_late() -> None:
    async with wagateway(read_lag=60.0) as bench:
        bench.world.put_group(GROUP, "Launch team", [ANA, BEN])
        await present(bench, ANA)
        assert await call(bench, "remove", ANA) == ([Outcome.REMOVED], None)
        assert await present(bench, ANA) == {ANA: MembershipStatus.MEMBER}
        assert ANA not in bench.world.groups[GROUP].members


@pytest.mark.parametrize("verb", VERBS)
async def test_a_role_that_the_list_does_not_tell_leaves_open_whether_it_changed(bench: Bench, verb: str) -> None:
    bench.world.groups[GROUP].members[ANA].role = "superadmin"
    await present(bench, ANA)
    told = Outcome.REMOVED if verb == "remove" else Outcome.UNKNOWN
    assert await call(bench, verb, ANA) == ([told], None)


async def test_one_look_serves_one_change_in_its_group(bench: Bench) -> None:
    await present(bench, ANA)
    other = bench.world.put_group("120363000000000002@g.us", "Others", [BEN])
    result = await bench.adapter.remove(other.id, people(ANA))
    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.UNKNOWN]
    assert "not in the group" in result.verdicts[0].provider_message
    assert await call(bench, "remove", ANA) == ([Outcome.REMOVED], None)
    assert await call(bench, "remove", ANA) == ([Outcome.UNKNOWN], None)


async def test_a_look_from_before_a_lost_answer_judges_nobody(bench: Bench) -> None:
    await present(bench, ANA)
    bench.server.faults = [InjectedFault(line("remove", ANA), "after", status=502)]
    with pytest.raises(OutcomeUnknown):
        await bench.adapter.remove(GROUP, people(ANA))
    assert await call(bench, "remove", ANA) == ([Outcome.UNKNOWN], None)
    bench.transport.broken.clear()


async def test_nothing_is_sent_while_the_form_of_the_number_is_open(bench: Bench) -> None:
    bench.server.faults = [InjectedFault(CHECK, status=200, body='{"query": "5511987654321"}')]
    with pytest.raises(ProviderFault):
        await bench.adapter.remove(GROUP, people("5511987654321"))
    assert bench.lines() == [CHECK]


async def test_removing_somebody_who_is_not_there_says_the_same(bench: Bench) -> None:
    assert await call(bench, "remove", DORA) == ([Outcome.UNKNOWN], None)
    assert [event.effect for event in bench.world.events] == [Effect.NOT_A_MEMBER]


@pytest.mark.parametrize("verb", ["promote", "demote"])
async def test_a_role_for_somebody_who_is_not_there_fails_for_them_alone(bench: Bench, verb: str) -> None:
    outcomes, error = await call(bench, verb, DORA, ANA, "14155550105")
    assert (outcomes, error) == ([Outcome.FAILED, Outcome.UNKNOWN, Outcome.FAILED], None)
    assert bench.lines() == [line(verb, DORA), READ_GROUP, line(verb, ANA), line(verb, "14155550105")]


async def test_a_role_in_a_group_that_is_not_there_stops_the_sender(bench: Bench) -> None:
    del bench.world.groups[GROUP]
    with pytest.raises(GroupNotFound):
        await bench.adapter.promote(GROUP, people(ANA, BEN))
    assert bench.lines() == [line("promote", ANA), READ_GROUP]


@pytest.mark.parametrize("verb", VERBS)
async def test_an_error_that_stops_the_sender_keeps_what_is_known(bench: Bench, verb: str) -> None:
    bench.server.faults = [InjectedFault(line(verb, BEN), status=501)]
    outcomes, error = await call(bench, verb, ANA, BEN, CLEO)
    assert outcomes == [Outcome.UNKNOWN, Outcome.FAILED, Outcome.NOT_ATTEMPTED]
    assert isinstance(error, AccountDisconnected)
    assert bench.lines() == [line(verb, ANA), line(verb, BEN)]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(-1, Outcome.UNKNOWN), (503, Outcome.UNKNOWN), (409, Outcome.UNKNOWN), (400, Outcome.FAILED)],
)
async def test_an_error_of_one_person_does_not_stop_the_others(status: int, outcome: Outcome) -> None:
    async with wagateway() as bench:
        bench.world.put_group(GROUP, "Launch team", [ANA, BEN, CLEO])
        bench.server.faults = [InjectedFault(line("remove", ANA), status=status)]
        assert await call(bench, "remove", ANA, BEN) == ([outcome, Outcome.UNKNOWN], None)
        assert bench.lines() == [line("remove", ANA), line("remove", BEN)]


async def test_an_account_that_is_no_admin_is_told_before_anything_is_done(bench: Bench) -> None:
    bench.world.groups[GROUP].account_is_admin = False
    with pytest.raises(NotGroupAdmin):
        await bench.adapter.remove(GROUP, people(ANA, BEN))
    assert bench.lines() == [line("remove", ANA), INVITE]


async def test_a_member_is_removed_by_the_form_that_whatsapp_has_of_the_number(bench: Bench) -> None:
    typed, listed = "5511987654321", "551187654321"
    bench.world.put_person(typed, Disposition.NO_ACCOUNT)
    bench.world.put_group(GROUP, "Launch team", [listed, ANA])
    await call(bench, "remove", typed)
    assert bench.lines() == [CHECK, CHECK, line("remove", listed)]
    assert await present(bench, typed) == {typed: MembershipStatus.ABSENT}


async def test_who_was_seen_in_the_group_is_addressed_without_a_check(bench: Bench) -> None:
    typed, listed = "5511987654321", "551187654321"
    bench.world.put_group(GROUP, "Launch team", [listed, ANA])
    assert await present(bench, typed) == {typed: MembershipStatus.MEMBER}
    before = len(bench.lines())
    assert await call(bench, "promote", typed) == ([Outcome.PROMOTED], None)
    assert bench.lines()[before:] == [line("promote", listed)]


async def test_a_person_known_by_lid_alone_is_removed_by_phone_or_found_invalid(bench: Bench) -> None:
    ana, nobody = Person("a", lid=bench.lid(ANA)), Person("b", lid="77@lid")
    result = await bench.adapter.remove(GROUP, [nobody, ana])
    assert [verdict.outcome for verdict in result.verdicts] == [Outcome.INVALID, Outcome.UNKNOWN]
    assert ANA not in bench.world.groups[GROUP].members
