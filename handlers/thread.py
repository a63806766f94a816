"""The workflow's voice in Slack: the parent message, the approval card, and the thread with its results."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.domain.outcomes import Tally
from bot.domain.requests import Participant, Request
from bot.runtime.decisions import Decisions
from bot.runtime.postings import Posting
from handlers.budget import Budget
from handlers.poster import File, Place, Poster
from handlers.views import approval_card, request_message, results
from handlers.views.message import Message

log = structlog.get_logger(__name__)


class SlackThread:
    """Implements `bot.announcer.Announcer`.

    Args:
        poster: posts once.
        budget: how often a request may speak.
        decisions: who decided what, for the approval card.
        approvals_channel: where questions for approval go; empty: the thread of the request.
    """

    def __init__(self, poster: Poster, budget: Budget, decisions: Decisions, approvals_channel: str = "") -> None:
        self._poster = poster
        self._budget = budget
        self._decisions = decisions
        self._approvals_channel = approvals_channel

    async def open(self, request: Request, tally: Tally) -> None:
        """Post the parent message."""
        await self._post(request, "parent", request_message.build(request, tally), Place(request.channel))

    async def show_approval(self, request: Request, tally: Tally) -> None:
        """Post the question for approval, or show in it what was decided.

        Where the channel for approvals is closed to the bot, it is asked in the thread: an approver may be there.
        """
        card = approval_card.build(request, tally, await self._decisions.of(request.id))
        posted = await self._poster.find(request, "approval")
        if posted is not None:
            await self._update(request, posted, card)
        else:
            thread = await self._thread(request)
            elsewhere = self._approvals_channel not in {"", request.channel}
            places = [Place(self._approvals_channel), thread] if elsewhere else [thread]
            await self._post(request, "approval", card, *places)
        await self._update_parent(request, tally)

    async def progress(self, request: Request, tally: Callable[[], Awaitable[Tally]]) -> None:
        """Show how far the request is, when there is room for an update."""
        if not self._budget.take_update(request.id):
            return
        try:
            async with asyncio.timeout(10):
                parent = await self._poster.find(request, "parent")
                if parent is not None:
                    await self._poster.update(parent, request_message.build(request, await tally()))
        except Exception:
            # Progress is a courtesy: whatever fails, the request goes on.
            log.warning("progress_not_shown", request=request.id, exc_info=True)

    async def results(self, request: Request, page: int, people: Sequence[Participant], total: int) -> None:
        """Post one page of results into the thread."""
        content = results.build(request, people, total=total)
        await self._post(request, f"results-{page}", content, await self._thread(request))

    async def finish(self, request: Request, people: Sequence[Participant]) -> None:
        """Post the CSV where the thread shows tables, the summary, and the end of the parent message."""
        thread = await self._thread(request)
        if len(people) > results.MOST_LINES:
            await self._budget.room(request.id)
            comment = f"The complete results of request `{request.id}`, one line for each person."
            file = File(f"{request.id}.csv", results.csv_file(request, people), comment)
            await self._poster.upload(request, "csv", file, thread)
        await self._post(request, "summary", results.summary(request, people), thread)
        await self._update_parent(request, results.tally_of(people))
        self._budget.forget(request.id)

    async def close(self, request: Request, tally: Tally) -> None:
        """Say in the thread that nothing was done."""
        content = approval_card.ending(request, await self._decisions.of(request.id))
        await self._post(request, "closed", content, await self._thread(request))
        await self._update_parent(request, tally)
        self._budget.forget(request.id)

    async def _thread(self, request: Request) -> Place:
        parent = await self._poster.find(request, "parent")
        return Place(parent.channel, parent.ts) if parent else Place(request.channel)

    async def _update_parent(self, request: Request, tally: Tally) -> None:
        parent = await self._poster.find(request, "parent")
        if parent is not None:
            await self._update(request, parent, request_message.build(request, tally))

    async def _update(self, request: Request, posting: Posting, content: Message) -> None:
        await self._budget.room(request.id)
        await self._poster.update(posting, content)

    async def _post(self, request: Request, name: str, content: Message, *places: Place) -> None:
        await self._budget.room(request.id)
        await self._poster.post(request, name, content, *places)
