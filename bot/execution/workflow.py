"""The durable path of a request, from the first message to the last verdict.

`open` posts the parent message and, if a rule requires it, the approval question; `carry_out` does the work; `close`
shows that nothing will be done. Each is a durable workflow: after a crash it continues from its last finished step. So
every step may run twice, and reads from the store what it did already.
"""

from functools import partial

from bot.domain.requests import RequestState
from bot.execution.batches import Batches
from bot.execution.engine import DurableWorkflow, sleep, step
from bot.execution.invites import Invites
from bot.execution.ports import RESULTS_PAGE_SIZE, Collaborators


class Workflow:
    """Carries requests out.

    The names of workflows and steps, and the keys of the plan, are stored: they are older than today's terms and must
    not change.

    Attributes:
        batches: the steps that send people.
        invites: the steps that invite people who refused.
    """

    def __init__(self, collaborators: Collaborators) -> None:
        self._store = collaborators.store
        self._notifier = collaborators.notifier
        self.batches = Batches(collaborators)
        self.invites = Invites(collaborators)

    def durable(self) -> dict[str, DurableWorkflow]:
        """Return the workflows by the names under which the engine stores them."""
        return {"open": self.open, "carry_out": self.carry_out, "close": self.close, "remind": self.remind}

    async def open(self, request_id: str) -> None:
        """Post the parent message; then wait for the approval or the time of the request, or carry it out."""
        if not await step("open", partial(self._open, request_id)):
            await self.carry_out(request_id)

    async def carry_out(self, request_id: str) -> None:
        """Find an outcome for every person of the request, and post the results."""
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
        """Show that the request ended without being carried out."""
        await step("close", partial(self._close, request_id))

    async def remind(self, request_id: str, number: int) -> None:
        """Remind the approvers."""
        await step("remind", partial(self._remind, request_id, number))

    async def _open(self, request_id: str) -> bool:
        """Post the parent message, and the approval question if a rule requires it. Return True if it has to wait."""
        request = await self._store.get(request_id)
        tally = await self._store.tally(request_id)
        await self._notifier.open(request, tally)
        state = await self._store.hold_if_required(request_id)
        if state is not RequestState.RECEIVED:
            await self._notifier.show_approval(await self._store.get(request_id), tally)
        return state is not RequestState.RECEIVED

    async def prepare(self, request_id: str) -> dict[str, int] | None:
        """Start the request, and plan its batches.

        Return the number of batches and of pages of results; None if the request was withdrawn before it started.
        """
        await self._store.transition(request_id, RequestState.RUNNING)
        request = await self._store.get(request_id)
        if request.state is not RequestState.RUNNING:
            return None
        tally = await self._store.tally(request_id)
        if request.rule is not None:
            await self._notifier.show_approval(request, tally)
        else:
            await self._notifier.show_progress(request, partial(self._store.tally, request_id))
        return {"chunks": await self.batches.plan(request), "pages": -(-tally.total // RESULTS_PAGE_SIZE)}

    async def _post_page(self, request_id: str, page: int) -> None:
        request = await self._store.get(request_id)
        total = (await self._store.tally(request_id)).total
        people = await self._store.items_page(request_id, page * RESULTS_PAGE_SIZE, RESULTS_PAGE_SIZE)
        await self._notifier.post_results(request, page, people, total)

    async def _finish(self, request_id: str) -> None:
        await self._store.transition(request_id, RequestState.DONE)
        request = await self._store.get(request_id)
        await self._notifier.finish(request, await self._store.items(request_id))

    async def _close(self, request_id: str) -> None:
        request = await self._store.get(request_id)
        tally = await self._store.tally(request_id)
        if request.rule is not None:
            await self._notifier.show_approval(request, tally)
        await self._notifier.close(request, tally)

    async def _remind(self, request_id: str, number: int) -> None:
        request = await self._store.get(request_id)
        if request.state is RequestState.WAITING:
            await self._notifier.remind(request, number)
