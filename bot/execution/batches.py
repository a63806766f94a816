"""The chunks of a request: who is sent together, what came of it, and what reading back tells."""

from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from bot.domain.followups import Followup
from bot.domain.operations import DESIRED_STATES
from bot.domain.outcomes import already_satisfied, reconcile_retry, unanswered, verdict_from_membership, verify_only
from bot.domain.requests import Request, RequestItem
from bot.execution.connections import Connection
from bot.execution.membership import NOTHING_KNOWN, MembershipSnapshot, read_membership
from bot.execution.ports import Notifier, Reviewer
from bot.execution.provider_calls import CallResult, ProviderCalls
from bot.execution.send_slot import SLOT_UNAVAILABLE, STOPPED, send_slot
from bot.execution.verdicts import VerdictRecorder
from bot.storage.requests import RequestStore
from providers.base import (
    MembershipStatus,
    Operation,
    Outcome,
    PeopleResult,
    ProviderError,
    Verdict,
)

MAX_SUBMISSIONS = 2
"""How often a person is sent to the provider, when crashes interrupt: the second time is the last."""

_NO_CONNECTION = "The connection is not in the configuration any more."
_DAY_IS_FULL = "The connection may send nobody else on this day."
_NO_GROUP = "The group was not made, or nobody can tell which one it is."

log = structlog.get_logger(__name__)


class Batches:
    """The steps of the work, each of which may run twice: what it did already stands in the journal.

    Args:
        journal: where requests and verdicts are kept.
        lines: by the connection's name.
        announcer: is told of the progress.
        reviewer: tells who is not to be sent after all.
        deeds: carries out what is sent.
        verdicts: keeps what came of it.
    """

    def __init__(
        self,
        journal: RequestStore,
        lines: Mapping[str, Connection],
        announcer: Notifier,
        reviewer: Reviewer,
        *,
        deeds: ProviderCalls,
        verdicts: VerdictRecorder,
    ) -> None:
        self._journal = journal
        self._lines = lines
        self._announcer = announcer
        self._review = reviewer
        self._deeds = deeds
        self._verdicts = verdicts

    async def plan(self, request: Request) -> int:
        """Answer those who are as wanted already, and put the others into chunks. Gives the number of chunks."""
        line = self._lines.get(request.connection)
        people = await self._journal.unanswered_items(request.id)
        if line is None:
            await self._verdicts.record_and_stop(request, [], [], _NO_CONNECTION)
            return 0
        if left := await self._review.exclusions(request, people):
            verdicts = [_not_sent(p, left[p.position]) for p in people if p.position in left]
            await self._verdicts.record(request, people, verdicts)
            people = [p for p in people if p.position not in left]
        if not people:
            return 0
        try:
            now = await read_membership(self._journal, line, request, people)
        except ProviderError as error:
            if await self._look_failed(request, line, error):
                return 0
            now = NOTHING_KNOWN
        if request.options.look_only:
            await self._verdicts.record(
                request,
                people,
                [verify_only(p, DESIRED_STATES.get(p.operation), now.trusted.get(p.position)) for p in people],
            )
            return 0
        before = {p.position: now.trusted.get(p.position, p.before) for p in people}
        settled = {
            p.position: verdict
            for p in people
            if (verdict := _protected(request, p, now.listed.get(p.position, p.before)))
            or (verdict := already_satisfied(p.person.key, DESIRED_STATES.get(p.operation), before[p.position]))
        }
        rest = [p for p in people if p.position not in settled]
        chunks = line.plan_batches(rest)
        await self._journal.save_plan(request.id, before, chunks, settled)
        try:
            await line.check_numbers(rest, chunks)
        except ProviderError as error:
            if await self._look_failed(request, line, error):
                return 0
        return max(chunks.values(), default=-1) + 1

    async def send(self, request_id: str, number: int) -> bool:
        """Send one chunk and keep the verdicts. False when nobody else is to be sent."""
        request = await self._journal.get(request_id)
        line = self._lines.get(request.connection)
        if line is None or request.stopped_by:
            await self._verdicts.record_and_stop(request, [], [], STOPPED if line else _NO_CONNECTION)
            return False
        people = await self._journal.batch_items(request_id, number)
        interrupted = any(p.submissions for p in people)
        if interrupted:
            people = await self._after_interruption(request, line, people)
        if not people:
            return bool(await self._journal.unanswered_items(request_id))
        if request.operation is Operation.CREATE and (number or interrupted) and not request.group_id:
            await self._verdicts.record_and_stop(request, [], [], _NO_GROUP)
            return False
        try:
            sent, deed = await self._submit(request, line, people)
        except SLOT_UNAVAILABLE as refused:
            await self._verdicts.record_and_stop(request, [], [], str(refused))
            return False
        if deed.group_id:
            await self._journal.set_group_id(request_id, deed.group_id)
        verdicts, error = _reconcile(sent, deed.result), deed.result.error
        if error is not None:
            log.warning("chunk_failed", request=request_id, chunk=number, error=type(error).__name__, code=error.code)
        if error is not None and error.stops_sending:
            words = f"The sender was stopped before their turn: {error.explanation}"
            await self._verdicts.record_and_stop(request, sent, verdicts, words, cause=error.cause)
            return False
        if len(sent) < len(people):
            await self._verdicts.record_and_stop(request, sent, verdicts, _DAY_IS_FULL)
            return False
        await self._verdicts.record(request, sent, verdicts)
        await self._announcer.show_progress(request, partial(self._journal.tally, request_id))
        return True

    async def _submit(
        self, request: Request, line: Connection, people: Sequence[RequestItem]
    ) -> tuple[Sequence[RequestItem], CallResult]:
        """Wait for the sender's turn, and send as many as it grants. Raises where nobody is to be sent."""
        counted = sum(p.person.is_person for p in people)
        async with send_slot(self._journal, line, request, counted) as granted:
            sent = people[:granted] if counted else people
            await self._journal.mark_submitted(request.id, [p.position for p in sent])
            deed = await self._deeds.execute(line.provider, request, sent)
            if deed.result.error is not None:
                await line.cool_down(deed.result.error)  # within the turn: nobody else's call comes between
            return sent, deed

    async def mark_unanswered(self, request_id: str) -> list[float]:
        """Answer those whom no answer named. Gives the waits before each look for unknown people."""
        request = await self._journal.get(request_id)
        rest = await self._journal.unanswered_items(request_id)
        if rest:
            words = "The provider's answer did not name them."
            await self._verdicts.record(request, rest, [unanswered(p.person.key, p.submissions, words) for p in rest])
        line = self._lines.get(request.connection)
        if line is None or request.options.look_only or not await self._unknown(request):
            return []
        return list(line.verify_after)

    async def verify(self, request_id: str) -> bool:
        """Look for the unknown people in the group. False when nobody is unknown any more."""
        request = await self._journal.get(request_id)
        unknown = await self._unknown(request)
        line = self._lines.get(request.connection)
        if line is None or not unknown:
            return False
        try:
            now = await read_membership(self._journal, line, request, unknown)
        except ProviderError as error:
            log.warning("verify_failed", request=request_id, error=type(error).__name__, code=error.code)
            await line.cool_down(error)
            return True
        found = [verdict for p in unknown if (verdict := _read_back(p, now.trusted))]
        await self._verdicts.record(request, unknown, found)
        return len(found) < len(unknown)

    async def _look_failed(self, request: Request, line: Connection, error: ProviderError) -> bool:
        """Keep what a read that failed means for the sender. True where everybody is answered and nobody to be sent."""
        log.warning("look_failed", request=request.id, error=type(error).__name__, code=error.code)
        await line.cool_down(error)
        if error.stops_sending:
            await self._verdicts.record_and_stop(request, [], [], error.explanation, code=error.code, cause=error.cause)
        return error.stops_sending

    async def _unknown(self, request: Request) -> list[RequestItem]:
        """Give the unknown people whom a look into the group can tell about."""
        unknown = await self._journal.items_with_outcome(request.id, Outcome.UNKNOWN)
        return [p for p in unknown if p.operation in DESIRED_STATES] if request.group_id else []

    async def _after_interruption(
        self, request: Request, line: Connection, people: Sequence[RequestItem]
    ) -> list[RequestItem]:
        """Settle what an interrupted submission did, as far as the group tells. Gives those still to be sent.

        What may be repeated is: changes of people's standing, after a look, and settings, which are the same twice.
        """
        now: MembershipSnapshot | None = None
        try:
            now = await read_membership(self._journal, line, request, people)
        except ProviderError as error:
            if await self._look_failed(request, line, error):
                return []
        verdicts, again = [], []
        for p in people:
            seen = p.operation in DESIRED_STATES and request.group_id and now is not None
            repeatable = p.operation is Operation.SETTINGS or seen
            if verdict := _read_back(p, now.trusted if now else {}):
                verdicts.append(verdict)
            elif not p.submissions or (repeatable and p.submissions < MAX_SUBMISSIONS):
                again.append(p)
            else:
                verdicts.append(Verdict(p.person.key, Outcome.UNKNOWN))
        await self._verdicts.record(request, people, verdicts)
        return again


def _protected(request: Request, p: RequestItem, listed: MembershipStatus) -> Verdict | None:
    """Judge an admin whom a sync was to remove: what the list shows is enough to leave them alone."""
    syncs_away = request.operation is Operation.SYNC and p.operation is Operation.REMOVE
    if syncs_away and listed is MembershipStatus.ADMIN and request.options.follow != Followup.UNDO:
        return _not_sent(p, "An admin of the group by now: a sync removes no admins.")
    return None


def _not_sent(p: RequestItem, words: str) -> Verdict:
    return Verdict(p.person.key, Outcome.NOT_ATTEMPTED, provider_message=words)


def _read_back(p: RequestItem, now: Mapping[int, MembershipStatus]) -> Verdict | None:
    aim = DESIRED_STATES.get(p.operation)
    return (
        verdict_from_membership(p.person.key, aim, p.before, now.get(p.position, MembershipStatus.UNKNOWN))
        if aim
        else None
    )


def _reconcile(people: Sequence[RequestItem], result: PeopleResult) -> list[Verdict]:
    """Correct verdicts by what each person's own history tells; this chunk counts as one more submission.

    Settings cannot be looked at after an interruption, so the failure of one tells nothing about the time before.
    """
    by_key = {p.person.key: p for p in people}
    return [
        reconcile_retry(
            verdict,
            DESIRED_STATES.get(by_key[verdict.key].operation),
            before=by_key[verdict.key].before,
            submissions=by_key[verdict.key].submissions + 1,
            call_failed=result.error is not None or by_key[verdict.key].operation is Operation.SETTINGS,
        )
        for verdict in result.verdicts
    ]
