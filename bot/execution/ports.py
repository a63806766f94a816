"""The ports of the execution: the notifier (`handlers.delivery`) and the reviewer (`bot.services.revalidation`)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from bot.domain.outcomes import Tally
from bot.domain.requests import Request, RequestItem

RESULTS_PAGE_SIZE = 100
"""How many people one message of results holds."""


class Notifier(Protocol):
    """Tells people about a request. Every method but `progress` may be called twice and posts once.

    An error that may pass (Slack cannot be reached, is rate limiting, fails) is raised, and the call is repeated. One
    that will not pass (the channel is gone) is answered in the requester's direct messages instead.
    """

    async def open(self, request: Request, tally: Tally) -> None:
        """Post the parent message: who, what, where, why, and the state."""
        ...

    async def show_approval(self, request: Request, tally: Tally) -> None:
        """Show how a request that waits stands: for its approval, in a question with buttons; and for its time.

        Later, show there what was decided and by whom.
        """
        ...

    async def show_progress(self, request: Request, tally: Callable[[], Awaitable[Tally]]) -> None:
        """Show how far a running request is; left out when the last update was a moment ago, never raises."""
        ...

    async def post_results(self, request: Request, page: int, people: Sequence[RequestItem], total: int) -> None:
        """Post one page of results, at most `PAGE` of `total` people, into the thread; pages count from 0."""
        ...

    async def finish(self, request: Request, people: Sequence[RequestItem]) -> None:
        """Post the complete CSV where there is more than the thread shows, and the summary; end the parent message."""
        ...

    async def remind(self, request: Request, number: int) -> None:
        """Remind those who can decide that a request waits for them; reminders of a request count from 0."""
        ...

    async def close(self, request: Request, tally: Tally) -> None:
        """Say that a request ended without being carried out: denied, expired or withdrawn."""
        ...


class Reviewer(Protocol):
    """Looks at a request again when it begins."""

    async def exclusions(self, request: Request, people: Sequence[RequestItem]) -> Mapping[int, str]:
        """Give by position why some of `people`, who have no verdict yet, are not to be sent after all."""
        ...
