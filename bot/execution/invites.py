"""The invites of a request: those who refuse a direct add are asked whether they would join."""

from collections.abc import Mapping

import structlog

from bot.domain.requests import Request, RequestItem
from bot.execution.connections import Connection
from bot.execution.provider_calls import ProviderCalls
from bot.execution.send_slot import SLOT_UNAVAILABLE, STOPPED, send_slot
from bot.execution.verdicts import VerdictRecorder
from bot.storage.requests import RequestStore
from providers.base import Outcome, ProviderError, Verdict

log = structlog.get_logger(__name__)


class Invites:
    """Invites those who refused, each at most once.

    Args:
        journal: where requests and verdicts are kept.
        lines: by the connection's name.
        deeds: carries out what is sent.
        verdicts: keeps what came of it.
    """

    def __init__(
        self, journal: RequestStore, lines: Mapping[str, Connection], deeds: ProviderCalls, verdicts: VerdictRecorder
    ) -> None:
        self._journal = journal
        self._lines = lines
        self._deeds = deeds
        self._verdicts = verdicts

    async def pending_positions(self, request_id: str) -> list[int]:
        """Give the positions of those who refused and are to be invited, where the request says so."""
        request = await self._journal.get(request_id)
        if not request.options.invite_refused or request.stopped_by or request.connection not in self._lines:
            return []
        return [
            p.position for p in await self._journal.items_with_outcome(request_id, Outcome.REFUSED) if not p.invited
        ]

    async def send(self, request_id: str, position: int) -> None:
        """Send an invite to somebody who refused, once: after a crash nobody can tell whether it went out."""
        request = await self._journal.get(request_id)
        [person] = await self._journal.items_page(request_id, position, 1)
        line = self._lines.get(request.connection)
        if person.outcome is not Outcome.REFUSED or line is None:
            return
        if person.invited:
            words = "an invite was begun before the process stopped, and may have gone out"
        elif request.stopped_by:
            words = f"not invited: {STOPPED}"
        else:
            words = await self._invite(request, line, person)
        if words:
            said = f"{person.provider_message}; {words}" if person.provider_message else words
            verdict = Verdict(person.person.key, Outcome.REFUSED, person.evidence, person.provider_code, said)
            await self._verdicts.record(request, [person], [verdict])

    async def _invite(self, request: Request, line: Connection, person: RequestItem) -> str:
        """Invite somebody in their turn. Gives why that failed; empty where it did not."""
        try:
            async with send_slot(self._journal, line, request, 1):
                await self._journal.mark_invite_started(request.id, person.position)
                try:
                    verdict = await self._deeds.invite(line.provider, request, person.person)
                except ProviderError as error:
                    await line.cool_down(error)
                    raise
        except SLOT_UNAVAILABLE as refused:
            return f"not invited: {refused}"
        except ProviderError as error:
            log.warning("invite_failed", request=request.id, error=type(error).__name__, code=error.code)
            open_ = error.outcome is Outcome.UNKNOWN
            return f"{'the invite may have gone out' if open_ else 'not invited'}: {error.explanation}"
        await self._verdicts.record(request, [person], [verdict])
        return ""
