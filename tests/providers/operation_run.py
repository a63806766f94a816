"""One operation from the first look to the last, as the workflow carries it out, without its journal and its waits."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.operations import OPERATIONS
from bot.domain.requests import Request, RequestItem
from bot.domain.verdicts import unanswered
from bot.execution.membership import (
    NOTHING_KNOWN,
    MembershipSnapshot,
    look_up,
    needless_item,
    observed_verdict,
    reconciled_verdicts,
)
from providers.base import (
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
    """Look, send the people for whom it is needed in chunks, and look again for the ones who are still unknown."""
    items = [RequestItem(position, person, operation) for position, person in enumerate(people)]
    first = await _look(adapter, group_id, items)
    items = [replace(p, before=first.trusted.get(p.position, p.before)) for p in items]
    request = replace(_request(operation, group_id), hidden=first.hidden)
    verdicts = {p.person.key: v for p in items if (v := needless_item(request, p, first))}
    rest = [p for p in items if p.person.key not in verdicts]
    limit = adapter.abilities[OPERATIONS[operation].action].max_batch or len(people)
    for start in range(0, len(rest), limit):
        chunk = rest[start : start + limit]
        result = await _send(adapter, group_id, operation, [p.person for p in chunk])
        assert len({v.key for v in result.verdicts}) == len(result.verdicts) == len(chunk)
        verdicts |= {v.key: v for v in reconciled_verdicts(chunk, result, is_late=adapter.late_lists)}
        if result.error is not None and result.error.stops_sending:
            break
    verdicts |= {p.person.key: unanswered(p.person.key, 0, "stopped") for p in rest if p.person.key not in verdicts}
    before_reading_back()
    unknown = [p for p in items if verdicts[p.person.key].outcome is Outcome.UNKNOWN]
    now = await _look(adapter, group_id, unknown)
    verdicts |= {p.person.key: v for p in unknown if (v := observed_verdict(request, p, now))}
    return [verdicts[p.key] for p in people]


def _request(operation: Operation, group_id: str) -> Request:
    return Request("R1", operation, "support", group_id, "team", "U1", "C1", "", None, 0, datetime.now(UTC))


async def _send(adapter: Provider, group_id: str, operation: Operation, people: Sequence[Person]) -> PeopleResult:
    try:
        result: PeopleResult = await getattr(adapter, operation)(group_id, people)
    except ProviderError as error:
        return PeopleResult(verdicts_for_error(error, people), error)
    return result


async def _look(adapter: Provider, group_id: str, people: Sequence[RequestItem]) -> MembershipSnapshot:
    try:
        return await look_up(adapter, group_id, people) if people else NOTHING_KNOWN
    except ProviderError:
        return NOTHING_KNOWN
