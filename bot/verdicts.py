"""The verdicts of a request as they come: kept in the journal, and counted."""

from collections.abc import Sequence

from bot.domain.outcomes import left_over
from bot.domain.requests import Participant, Request
from bot.runtime.journal import Journal
from bot.runtime.metrics import Metrics
from providers.base import Cause, Verdict


class Verdicts:
    """Keeps verdicts.

    Args:
        journal: where they are kept.
        metrics: counts them.
    """

    def __init__(self, journal: Journal, metrics: Metrics) -> None:
        self._journal = journal
        self._metrics = metrics

    async def keep_and_stop(
        self,
        request: Request,
        sent: Sequence[Participant],
        verdicts: Sequence[Verdict],
        words: str,
        *,
        code: str = "",
        cause: Cause = Cause.UNKNOWN,
    ) -> None:
        """Keep verdicts and answer everybody else in one commit: so a stop is not forgotten by a crash after it."""
        answered = {verdict.key for verdict in verdicts}
        rest = [p for p in await self._journal.open_people(request.id) if p.person.key not in answered]
        left = [left_over(p.person.key, p.submissions, words, code, cause) for p in rest]
        await self.keep(request, [*sent, *rest], [*verdicts, *left])

    async def keep(self, request: Request, people: Sequence[Participant], verdicts: Sequence[Verdict]) -> None:
        """Keep the verdicts of some people of a request, in one commit."""
        positions = {p.person.key: p.position for p in people}
        await self._journal.judge(request.id, {positions[v.key]: v for v in verdicts})
        for verdict in verdicts:
            self._metrics.verdict(verdict.outcome, request.connection)
