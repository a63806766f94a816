"""One operation from the first look to the last, as the workflow carries it out, without its journal and its waits."""

from collections.abc import Callable, Mapping, Sequence

from bot.domain.operations import OPERATIONS
from bot.domain.verdicts import already_satisfied, unanswered, verdict_from_membership
from providers.base import (
    MembershipStatus,
    Operation,
    Outcome,
    PeopleResult,
    Person,
    Provider,
    ProviderError,
    Verdict,
    verdicts_for_error,
)


async def run_operation(
    adapter: Provider,
    group_id: str,
    operation: Operation,
    people: Sequence[Person],
    *,
    before_reading_back: Callable[[], None] = lambda: None,
) -> list[Verdict]:
    """Look, send those for whom something is to be done in chunks, and look again for those nothing is known of."""
    spec = OPERATIONS[operation]
    desired = spec.desired
    assert desired is not None
    before = await _membership(adapter, group_id, people)
    verdicts = {p.key: v for p in people if (v := already_satisfied(p.key, desired, before[p.key]))}
    rest = [p for p in people if p.key not in verdicts]
    limit = adapter.abilities[spec.action].max_batch or len(people)
    for start in range(0, len(rest), limit):
        chunk = rest[start : start + limit]
        result = await _send(adapter, group_id, operation, chunk)
        answered = {v.key: v for v in result.verdicts}
        assert answered.keys() == {p.key for p in chunk}
        assert len(answered) == len(result.verdicts)
        verdicts |= answered
        if result.error is not None and result.error.stops_sending:
            break
    verdicts |= {p.key: unanswered(p.key, 0, "stopped") for p in rest if p.key not in verdicts}
    before_reading_back()
    unknown = [p for p in people if verdicts[p.key].outcome is Outcome.UNKNOWN]
    now = await _membership(adapter, group_id, unknown)
    verdicts |= {p.key: v for p in unknown if (v := verdict_from_membership(p.key, desired, before[p.key], now[p.key]))}
    return list(verdicts.values())


async def _send(adapter: Provider, group_id: str, operation: Operation, people: Sequence[Person]) -> PeopleResult:
    try:
        result: PeopleResult = await getattr(adapter, operation)(group_id, people)
    except ProviderError as error:
        return PeopleResult(verdicts_for_error(error, people), error)
    return result


async def _membership(adapter: Provider, group_id: str, people: Sequence[Person]) -> Mapping[str, MembershipStatus]:
    try:
        return await adapter.membership(group_id, people) if people else {}
    except ProviderError:
        return dict.fromkeys((p.key for p in people), MembershipStatus.UNKNOWN)
