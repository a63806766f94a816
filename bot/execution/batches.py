"""The batches of a request: planning, sending, and verifying what is unknown."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from bot.domain.operations import OPERATIONS
from bot.domain.requests import Request, RequestItem
from bot.domain.verdicts import unanswered
from bot.execution.connections import Connection
from bot.execution.membership import (
    NOTHING_KNOWN,
    MembershipSnapshot,
    needless_item,
    not_attempted,
    observed_verdict,
    read_membership,
    reconciled_verdicts,
    verified_item,
)
from bot.execution.ports import Collaborators
from bot.execution.provider_calls import CallResult
from bot.execution.throttle import STOPPED, SlotUnavailable, send_slot
from providers.base import Operation, Outcome, ProviderError, Verdict

MAX_SUBMISSIONS = 2
"""How often a person is sent to the provider when crashes interrupt the call."""

_NO_CONNECTION = "The connection is no longer in the configuration."
_DAILY_LIMIT = "The connection has reached its daily limit."
_NO_GROUP = "The group wasn't created, or it is unknown which one it is."
_NOT_NAMED = "The provider's answer didn't name this person."

log = structlog.get_logger(__name__)


class Batches:
    """The steps in which people are sent. Each may run twice, and reads from the store what it did already."""

    def __init__(self, collaborators: Collaborators) -> None:
        self._store = collaborators.store
        self._connections = collaborators.connections
        self._notifier = collaborators.notifier
        self._reviewer = collaborators.reviewer
        self._calls = collaborators.calls
        self._verdicts = collaborators.verdicts

    async def plan(self, request: Request) -> int:
        """Answer the people for whom nothing is sent, and divide the others into batches.

        Return the number of batches.
        """
        connection = self._connections.get(request.connection)
        people = await self._store.unanswered_items(request.id)
        if connection is None:
            await self._verdicts.record_and_stop(request, [], [], _NO_CONNECTION)
            return 0
        if excluded := await self._reviewer.exclusions(request, people):
            verdicts = [not_attempted(p, excluded[p.position]) for p in people if p.position in excluded]
            await self._verdicts.record(request, people, verdicts)
            people = [p for p in people if p.position not in excluded]
        if not people:
            return 0
        try:
            now = await read_membership(self._store, connection, request, people)
        except ProviderError as error:
            if await self._stop_after_failed_read(request, connection, error):
                return 0
            now = NOTHING_KNOWN
        if request.options.look_only:
            await self._verdicts.record(request, people, [verified_item(request, p, now) for p in people])
            return 0
        before = {p.position: now.trusted.get(p.position, p.before) for p in people}
        needless = {p.position: verdict for p in people if (verdict := needless_item(request, p, now))}
        remaining = [p for p in people if p.position not in needless]
        batches = connection.plan_batches(remaining)
        await self._store.save_plan(request.id, before, batches, needless, hidden=now.hidden)
        try:
            await connection.check_numbers(remaining, batches)
        except ProviderError as error:
            if await self._stop_after_failed_read(request, connection, error):
                return 0
        return max(batches.values(), default=-1) + 1

    async def send(self, request_id: str, number: int, following: int = 0) -> bool:
        """Send one batch and record the verdicts; `following` others are planned after it.

        Return False if no other batch must be sent.
        """
        request = await self._store.get(request_id)
        connection = self._connections.get(request.connection)
        if connection is None or request.stopped_by:
            await self._verdicts.record_and_stop(request, [], [], STOPPED if connection else _NO_CONNECTION)
            return False
        people = await self._store.batch_items(request_id, number)
        interrupted = any(p.submissions for p in people)
        if interrupted:
            people = await self._recover(request, connection, people)
        if not people:
            return bool(await self._store.unanswered_items(request_id))
        if request.operation is Operation.CREATE and (number or interrupted) and not request.group_id:
            await self._verdicts.record_and_stop(request, [], [], _NO_GROUP)
            return False
        try:
            sent, call = await self._submit(request, connection, people)
        except SlotUnavailable as unavailable:
            await self._verdicts.record_and_stop(request, [], [], str(unavailable))
            return False
        if call.group_id:
            await self._store.set_group_id(request_id, call.group_id)
        verdicts, error = (
            reconciled_verdicts(sent, call.result, is_late=connection.provider.late_lists),
            call.result.error,
        )
        if error is not None:
            log.warning("batch_failed", request=request_id, batch=number, error=type(error).__name__, code=error.code)
        if error is not None and error.stops_sending:
            message = f"Sending stopped before this person was sent: {error.explanation}"
            await self._verdicts.record_and_stop(request, sent, verdicts, message, cause=error.cause)
            return False
        if len(sent) < len(people):
            await self._verdicts.record_and_stop(request, sent, verdicts, _DAILY_LIMIT)
            return False
        await self._verdicts.record(request, sent, verdicts)
        self._notifier.show_progress(request, connection.seconds_for(following, wait=True))
        return True

    async def _submit(
        self, request: Request, connection: Connection, people: Sequence[RequestItem]
    ) -> tuple[Sequence[RequestItem], CallResult]:
        """Wait for a slot and send as many people as it grants. Raises `SlotUnavailable`."""
        counted = sum(p.person.is_person for p in people)
        async with send_slot(self._store, connection.throttle, request, counted) as granted:
            sent = people[:granted] if counted else people
            await self._store.mark_submitted(request.id, [p.position for p in sent])
            call = await self._calls.execute(connection.provider, request, sent)
            if call.result.error is not None:
                await connection.cool_down(call.result.error)  # within the slot, so that no other call is sent first
            return sent, call

    async def mark_unanswered(self, request_id: str) -> list[float]:
        """Answer the people whom no verdict named. Return the seconds to wait before each verification."""
        request = await self._store.get(request_id)
        people = await self._store.unanswered_items(request_id)
        if people:
            verdicts = [unanswered(p.person.key, p.submissions, _NOT_NAMED) for p in people]
            await self._verdicts.record(request, people, verdicts)
        connection = self._connections.get(request.connection)
        if connection is None or request.options.look_only or not await self._verifiable(request):
            return []
        await self._announce_check(request, connection.verify_after)
        return list(connection.verify_after)

    async def verify(self, request_id: str, waits: Sequence[float] = ()) -> bool:
        """Look up the unknown people in the group. Return False if none is left.

        `waits` are the seconds before each of the next verifications.
        """
        request = await self._store.get(request_id)
        unknown = await self._verifiable(request)
        connection = self._connections.get(request.connection)
        if connection is None or not unknown:
            return False
        try:
            now = await read_membership(self._store, connection, request, unknown)
        except ProviderError as error:
            log.warning("verify_failed", request=request_id, error=type(error).__name__, code=error.code)
            await connection.cool_down(error)
            await self._announce_check(request, waits)
            return True
        verdicts = [verdict for p in unknown if (verdict := observed_verdict(request, p, now))]
        await self._verdicts.record(request, unknown, verdicts)
        if len(verdicts) == len(unknown):
            return False
        await self._announce_check(request, waits)
        return True

    async def _announce_check(self, request: Request, waits: Sequence[float]) -> None:
        if waits:
            await self._notifier.show_check(request, datetime.now(UTC) + timedelta(seconds=waits[0]))

    async def _stop_after_failed_read(self, request: Request, connection: Connection, error: ProviderError) -> bool:
        """Pause the account if a failed read demands it. Return True if everyone is answered and sending ends."""
        log.warning("read_failed", request=request.id, error=type(error).__name__, code=error.code)
        await connection.cool_down(error)
        if error.stops_sending:
            await self._verdicts.record_and_stop(request, [], [], error.explanation, code=error.code, cause=error.cause)
        return error.stops_sending

    async def _verifiable(self, request: Request) -> list[RequestItem]:
        """Return the unknown people whose result the member list can show."""
        unknown = await self._store.items_with_outcome(request.id, Outcome.UNKNOWN)
        return [p for p in unknown if OPERATIONS[p.operation].desired] if request.group_id else []

    async def _recover(
        self, request: Request, connection: Connection, people: Sequence[RequestItem]
    ) -> list[RequestItem]:
        """Answer people of an interrupted batch as far as the group shows. Return the people still to be sent.

        Two things are sent again: changes of membership or role, after reading the group; and settings, since
        setting one twice changes nothing.
        """
        now: MembershipSnapshot | None = None
        try:
            now = await read_membership(self._store, connection, request, people)
        except ProviderError as error:
            if await self._stop_after_failed_read(request, connection, error):
                return []
        verdicts, again = [], []
        for p in people:
            spec = OPERATIONS[p.operation]
            repeatable = spec.repeatable or (spec.desired and request.group_id and now is not None)
            if verdict := observed_verdict(request, p, now or NOTHING_KNOWN):
                verdicts.append(verdict)
            elif not p.submissions or (repeatable and p.submissions < MAX_SUBMISSIONS):
                again.append(p)
            else:
                verdicts.append(Verdict(p.person.key, Outcome.UNKNOWN))
        await self._verdicts.record(request, people, verdicts)
        return again
