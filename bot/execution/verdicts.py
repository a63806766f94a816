"""Verdicts: stored, and counted for /metrics."""

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from bot.domain.requests import Request, RequestItem
from bot.domain.verdicts import unanswered
from bot.storage.requests import RequestStore
from providers.base import Cause, Operation, Outcome, Verdict


class Metrics:
    """The counters of one process, in a registry of their own. They hold no names, numbers or groups."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "rollcall_requests", "Requests submitted", ["operation", "connection"], registry=self._registry
        )
        self._verdicts = Counter(
            "rollcall_verdicts", "Verdicts on people", ["outcome", "connection"], registry=self._registry
        )
        self._stuck = Gauge("rollcall_stuck_steps", "Steps that keep failing and are retried", registry=self._registry)
        self._given_up = Counter(
            "rollcall_steps_given_up", "Steps that ended with an error", ["step"], registry=self._registry
        )

    def watch_stuck(self, stuck: Callable[[], int]) -> None:
        """Report what this function returns as the number of stuck steps."""
        self._stuck.set_function(stuck)

    def given_up(self, step: str) -> None:
        """Count a step that was given up."""
        self._given_up.labels(step).inc()

    def request(self, operation: Operation, connection: str) -> None:
        """Count a submitted request."""
        self._requests.labels(operation, connection).inc()

    def verdict(self, outcome: Outcome, connection: str) -> None:
        """Count a verdict. A person who is verified later counts again, with the better outcome."""
        self._verdicts.labels(outcome, connection).inc()

    def exposition(self) -> bytes:
        """Return all counters in Prometheus' text format."""
        return generate_latest(self._registry)


class VerdictRecorder:
    """Stores and counts verdicts."""

    def __init__(self, store: RequestStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    async def record(self, request: Request, people: Sequence[RequestItem], verdicts: Sequence[Verdict]) -> None:
        """Record the verdicts on some people of a request, in one commit."""
        positions = {p.person.key: p.position for p in people}
        await self._store.save_verdicts(request.id, {positions[v.key]: v for v in verdicts})
        for verdict in verdicts:
            self._metrics.verdict(verdict.outcome, request.connection)

    async def record_and_stop(
        self,
        request: Request,
        sent: Sequence[RequestItem],
        verdicts: Sequence[Verdict],
        message: str,
        *,
        code: str = "",
        cause: Cause = Cause.UNKNOWN,
    ) -> None:
        """Record the verdicts of a call and answer everyone else, in one commit.

        A crash after the commit then cannot forget that the request stopped.

        Args:
            request: the request.
            sent: the people of the call.
            verdicts: their verdicts.
            message: why the others are not sent.
            code: the provider's code for that.
            cause: the kind of that.
        """
        answered = {verdict.key for verdict in verdicts}
        rest = [p for p in await self._store.unanswered_items(request.id) if p.person.key not in answered]
        unsent = [unanswered(p.person.key, p.submissions, message, code, cause) for p in rest]
        await self.record(request, [*sent, *rest], [*verdicts, *unsent])
