"""What the execution works with: its two ports, and one object for the collaborators of its steps.

`Notifier` is implemented in `handlers.delivery`, `Reviewer` in `bot.services.revalidation`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.outcomes import Tally
from bot.domain.requests import Request, RequestItem
from bot.execution.connections import Connection
from bot.execution.provider_calls import ProviderCalls
from bot.execution.retries import Retries
from bot.execution.verdicts import VerdictRecorder
from bot.storage.requests import RequestStore


class Notifier(Protocol):
    """Posts about a request. Every other method than `show_progress` may be called twice and posts once.

    A transient error (Slack is unreachable, limits the rate, fails) is raised, and the call is repeated. A refusal has
    a fallback: the text without blocks, then the requester's direct messages. Anything else, such as an answer that
    isn't Slack's, is raised too, and the call is repeated a few times.
    """

    async def open(self, request: Request, tally: Tally) -> None:
        """Post the parent message: who, what, where, why, and the state."""
        ...

    async def show_approval(self, request: Request, tally: Tally) -> None:
        """Post the approval question with its buttons, or the time for which a request waits.

        A later call shows the decision and who made it.
        """
        ...

    def show_progress(self, request: Request, seconds_left: float | None = None) -> None:
        """Show the progress of a running request within some seconds, with the estimated rest of its duration."""
        ...

    async def show_check(self, request: Request, at: datetime) -> None:
        """Show the results that are known, and when the unknown ones are verified."""
        ...

    async def post_results(self, request: Request, people: Sequence[RequestItem]) -> None:
        """Post the results with the follow-ups."""
        ...

    async def finish(self, request: Request, people: Sequence[RequestItem]) -> None:
        """Upload the results as a CSV, if there are many and the thread may have the file; end the parent message.

        The parent message is ended even if the upload raises an error.
        """
        ...

    async def report_failure(self, request: Request, step: str, reference: str) -> None:
        """Report that a step was given up, with the reference under which the log has its error."""
        ...

    async def remind(self, request: Request, number: int) -> None:
        """Remind the approvers that a request is waiting; the reminders of a request count from 0."""
        ...

    async def close(self, request: Request, tally: Tally) -> None:
        """Show that a request ended without being carried out: denied, expired or withdrawn."""
        ...


class Reviewer(Protocol):
    """Reviews a request again when it starts."""

    async def exclusions(self, request: Request, people: Sequence[RequestItem]) -> Mapping[int, str]:
        """Return, by position, why some of `people` must not be sent. None of `people` has a verdict yet."""
        ...


@dataclass(frozen=True, slots=True)
class Collaborators:
    """What the steps of a request share.

    Attributes:
        store: the requests and their verdicts.
        connections: the connections, by name.
        notifier: posts to Slack.
        reviewer: excludes people when a request starts.
        calls: makes the calls to providers.
        verdicts: records verdicts.
        retries: repeats a step after an error.
    """

    store: RequestStore
    connections: Mapping[str, Connection]
    notifier: Notifier
    reviewer: Reviewer
    calls: ProviderCalls
    verdicts: VerdictRecorder
    retries: Retries
