"""The one durable path of a request, from the first message to the last verdict.

`open` posts the parent message and, where a rule asks for it, the question for approval; `carry_out` does the work;
`close` says that nothing will be done. Each is a durable workflow: after a crash it goes on from its last finished
step. So every step may run twice, and reads from the journal what it did already.
"""

from collections.abc import Callable, Mapping
from functools import partial

import structlog

from bot.domain.groups import GroupRef, KnownGroup
from bot.domain.requests import RequestState
from bot.execution.batches import Batches
from bot.execution.connections import Connection
from bot.execution.engine import DurableWorkflow, sleep, step
from bot.execution.invites import Invites
from bot.execution.metrics import Metrics
from bot.execution.ports import RESULTS_PAGE_SIZE, Notifier, Reviewer
from bot.execution.provider_calls import ProviderCalls
from bot.execution.verdicts import VerdictRecorder
from bot.storage.requests import RequestStore

log = structlog.get_logger(__name__)


class Workflow:
    """Carries requests out.

    Args:
        journal: where requests and verdicts are kept.
        lines: by the connection's name.
        announcer: tells people.
        reviewer: tells, when a request begins, who is not to be sent after all.
        metrics: counts verdicts; where nobody reads them, counters of its own.
        known: returns a group with its subject, if that is known.

    Attributes:
        chunks: the steps in which people are sent.
        invites: the steps in which those who refused are invited.
    """

    def __init__(
        self,
        journal: RequestStore,
        lines: Mapping[str, Connection],
        announcer: Notifier,
        reviewer: Reviewer,
        *,
        metrics: Metrics | None = None,
        known: Callable[[GroupRef], KnownGroup] = KnownGroup.unnamed,
    ) -> None:
        self._journal = journal
        self._lines = lines
        self._announcer = announcer
        deeds, verdicts = ProviderCalls(known), VerdictRecorder(journal, metrics or Metrics())
        self.batches = Batches(journal, lines, announcer, reviewer, deeds=deeds, verdicts=verdicts)
        self.invites = Invites(journal, lines, deeds, verdicts)

    def durable(self) -> dict[str, DurableWorkflow]:
        """Give the workflows by the names under which the engine stores them."""
        return {"open": self.open, "carry_out": self.carry_out, "close": self.close, "remind": self.remind}

    async def open(self, request_id: str) -> None:
        """Post the parent message; then ask for approval or wait for its time, or go on."""
        if not await step("open", partial(self._open, request_id)):
            await self.carry_out(request_id)

    async def carry_out(self, request_id: str) -> None:
        """Give every person of the request an outcome, and post them."""
        plan = await step("look", partial(self.prepare, request_id))
        if plan is None:
            return
        for number in range(plan["chunks"]):
            if not await step("chunk", partial(self.batches.send, request_id, number)):
                break
        for wait in await step("leave the rest", partial(self.batches.mark_unanswered, request_id)):
            await sleep(wait)
            if not await step("verify", partial(self.batches.verify, request_id)):
                break
        for position in await step("list the refused", partial(self.invites.pending_positions, request_id)):
            await step("invite", partial(self.invites.send, request_id, position))
        for page in range(plan["pages"]):
            await step("post results", partial(self._post_page, request_id, page))
        await step("finish", partial(self._finish, request_id))

    async def close(self, request_id: str) -> None:
        """Say that the request ended without being carried out."""
        await step("close", partial(self._close, request_id))

    async def remind(self, request_id: str, number: int) -> None:
        """Remind those who can decide."""
        await step("remind", partial(self._remind, request_id, number))

    async def _open(self, request_id: str) -> bool:
        """Post the parent message, and ask for approval where a rule says so. True when the request waits now."""
        request = await self._journal.get(request_id)
        tally = await self._journal.tally(request_id)
        await self._announcer.open(request, tally)
        state = await self._journal.hold_if_required(request_id)
        if state is not RequestState.RECEIVED:
            await self._announcer.show_approval(await self._journal.get(request_id), tally)
        return state is not RequestState.RECEIVED

    async def prepare(self, request_id: str) -> dict[str, int] | None:
        """See how people stand already, and cut the rest into chunks.

        Gives how many chunks and pages follow; None where the request was withdrawn before it could begin.
        """
        await self._journal.transition(request_id, RequestState.RUNNING)
        request = await self._journal.get(request_id)
        if request.state is not RequestState.RUNNING:
            return None
        tally = await self._journal.tally(request_id)
        if request.rule is not None:
            await self._announcer.show_approval(request, tally)
        else:
            await self._announcer.show_progress(request, partial(self._journal.tally, request_id))
        return {"chunks": await self.batches.plan(request), "pages": -(-tally.total // RESULTS_PAGE_SIZE)}

    async def _post_page(self, request_id: str, page: int) -> None:
        request = await self._journal.get(request_id)
        total = (await self._journal.tally(request_id)).total
        await self._announcer.post_results(
            request,
            page,
            await self._journal.items_page(request_id, page * RESULTS_PAGE_SIZE, RESULTS_PAGE_SIZE),
            total,
        )

    async def _finish(self, request_id: str) -> None:
        await self._journal.transition(request_id, RequestState.DONE)
        request = await self._journal.get(request_id)
        await self._announcer.finish(request, await self._journal.items(request_id))

    async def _close(self, request_id: str) -> None:
        request = await self._journal.get(request_id)
        tally = await self._journal.tally(request_id)
        if request.rule is not None:
            await self._announcer.show_approval(request, tally)
        await self._announcer.close(request, tally)

    async def _remind(self, request_id: str, number: int) -> None:
        request = await self._journal.get(request_id)
        if request.state is RequestState.WAITING:
            await self._announcer.remind(request, number)
