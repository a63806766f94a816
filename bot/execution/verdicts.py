"""The verdicts of a request as they come: kept in the journal, and counted."""

from collections.abc import Sequence

from bot.domain.outcomes import unanswered
from bot.domain.requests import Request, RequestItem
from bot.execution.metrics import Metrics
from bot.storage.requests import RequestStore
from providers.base import Cause, Verdict


class VerdictRecorder:
    """Keeps verdicts.

    Args:
        journal: where they are kept.
        metrics: counts them.
    """

    def __init__(self, journal: RequestStore, metrics: Metrics) -> None:
        self._journal = journal
        self._metrics = metrics

    async def record_and_stop(
        self,
        request: Request,
        sent: Sequence[RequestItem],
        verdicts: Sequence[Verdict],
        words: str,
        *,
        code: str = "",
        cause: Cause = Cause.UNKNOWN,
    ) -> None:
        """Keep verdicts and answer everybody else in one commit: so a stop is not forgotten by a crash after it."""
        answered = {verdict.key for verdict in verdicts}
        rest = [p for p in await self._journal.unanswered_items(request.id) if p.person.key not in answered]
        left = [unanswered(p.person.key, p.submissions, words, code, cause) for p in rest]
        await self.record(request, [*sent, *rest], [*verdicts, *left])

    async def record(self, request: Request, people: Sequence[RequestItem], verdicts: Sequence[Verdict]) -> None:
        """Keep the verdicts of some people of a request, in one commit."""
        positions = {p.person.key: p.position for p in people}
        await self._journal.save_verdicts(request.id, {positions[v.key]: v for v in verdicts})
        for verdict in verdicts:
            self._metrics.verdict(verdict.outcome, request.connection)
