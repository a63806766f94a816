"""The invites of a request: people who refused a direct add are sent the group's link."""

import structlog

from bot.domain.requests import Request, RequestItem
from bot.execution.connections import Connection
from bot.execution.ports import Collaborators
from bot.execution.throttle import STOPPED, SlotUnavailable, send_slot
from providers.base import Outcome, ProviderError, Verdict

log = structlog.get_logger(__name__)


class Invites:
    """Invites people who refused, each at most once."""

    def __init__(self, collaborators: Collaborators) -> None:
        self._store = collaborators.store
        self._connections = collaborators.connections
        self._calls = collaborators.calls
        self._verdicts = collaborators.verdicts

    async def pending_positions(self, request_id: str) -> list[int]:
        """Return the positions of the people who refused and are to be invited, if the request asks for invites."""
        request = await self._store.get(request_id)
        if not request.options.invite_refused or request.stopped_by or request.connection not in self._connections:
            return []
        refused = await self._store.items_with_outcome(request_id, Outcome.REFUSED)
        return [p.position for p in refused if not p.invited]

    async def send(self, request_id: str, position: int) -> None:
        """Send an invite to a person who refused, once: after a crash it is unknown whether it was sent."""
        request = await self._store.get(request_id)
        [item] = await self._store.items_page(request_id, position, 1)
        connection = self._connections.get(request.connection)
        if item.outcome is not Outcome.REFUSED or connection is None:
            return
        if item.invited:
            failure = "an invite was started before the process stopped, and may have been sent"
        elif request.stopped_by:
            failure = f"not invited: {STOPPED}"
        else:
            failure = await self._invite(request, connection, item)
        if failure:
            message = f"{item.provider_message}; {failure}" if item.provider_message else failure
            verdict = Verdict(item.person.key, Outcome.REFUSED, item.evidence, item.provider_code, message)
            await self._verdicts.record(request, [item], [verdict])

    async def _invite(self, request: Request, connection: Connection, item: RequestItem) -> str:
        """Invite a person when a slot is free. Return why that failed, "" if it did not."""
        try:
            async with send_slot(self._store, connection.throttle, request, 1):
                await self._store.mark_invite_started(request.id, item.position)
                try:
                    verdict = await self._calls.invite(connection.provider, request, item.person)
                except ProviderError as error:
                    await connection.cool_down(error)
                    raise
        except SlotUnavailable as unavailable:
            return f"not invited: {unavailable}"
        except ProviderError as error:
            log.warning("invite_failed", request=request.id, error=type(error).__name__, code=error.code)
            unclear = error.outcome is Outcome.UNKNOWN
            return f"{'the invite may have been sent' if unclear else 'not invited'}: {error.explanation}"
        await self._verdicts.record(request, [item], [verdict])
        return ""
