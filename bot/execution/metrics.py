"""What /metrics tells: how many requests and verdicts there were. No names, no numbers, no groups."""

from prometheus_client import CollectorRegistry, Counter, generate_latest

from providers.base import Operation, Outcome


class Metrics:
    """The counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "rollcall_requests", "Requests taken in", ["operation", "connection"], registry=self._registry
        )
        self._verdicts = Counter(
            "rollcall_verdicts", "Verdicts given to people", ["outcome", "connection"], registry=self._registry
        )

    def request(self, operation: Operation, connection: str) -> None:
        """Count a request that was taken in."""
        self._requests.labels(operation, connection).inc()

    def verdict(self, outcome: Outcome, connection: str) -> None:
        """Count a verdict; a person verified later counts again with the better outcome."""
        self._verdicts.labels(outcome, connection).inc()

    def exposition(self) -> bytes:
        """Write all counters in Prometheus' text format."""
        return generate_latest(self._registry)
