"""The durable path of a request, from the first message to the last verdict.

`open` posts the parent message and, if a rule requires it, the approval question; `carry_out` does the work; `close`
shows that nothing will be done. Each is a durable workflow: after a crash it continues from its last finished step. So
every step may run twice, and reads from the store what it did already.
"""

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from bot.domain.requests import RequestState
from bot.execution.batches import Batches
from bot.execution.engine import DurableWorkflow, sleep, step
from bot.execution.invites import Invites
from bot.execution.ports import Collaborators

T = TypeVar("T")


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
        self._verdicts = collaborators.verdicts
        self._retries = collaborators.retries
        self.batches = Batches(collaborators)
        self.invites = Invites(collaborators)

    def durable(self) -> dict[str, DurableWorkflow]:
        """Return the workflows by the names under which the engine stores them."""
        return {"open": self.open, "carry_out": self.carry_out, "close": self.close, "remind": self.remind}

    async def open(self, request_id: str) -> None:
        """Post the parent message; then wait for the approval or the time of the request, or carry it out."""
        held = partial(self._hold, request_id)
        if not await self._step("open", request_id, partial(self._open, request_id), held):
            await self.carry_out(request_id)

    async def carry_out(self, request_id: str) -> None:
        """Find an outcome for every person of the request, and post the results."""
        unplanned = partial(self._plan_nothing, request_id)
        plan = await self._step("look", request_id, partial(self.prepare, request_id), unplanned)
        if plan is None:
            return
        unsent = partial(self._answer_everyone, request_id, result=False)
        for number in range(plan["chunks"]):
            send = partial(self.batches.send, request_id, number, plan["chunks"] - number - 1)
            if not await self._step("chunk", request_id, send, unsent):
                break
        mark = partial(self.batches.mark_unanswered, request_id)
        unverified = partial(self._answer_everyone, request_id, result=list[float]())
        waits = await self._step("leave the rest", request_id, mark, unverified)
        for number, wait in enumerate(waits):
            await sleep(wait)
            verify = partial(self.batches.verify, request_id, waits[number + 1 :])
            if not await self._step("verify", request_id, verify, partial(self._report, request_id, "verify", True)):
                break
        list_refused = partial(self.invites.pending_positions, request_id)
        uninvited = partial(self._report, request_id, "invite", list[int]())
        for position in await self._step("list the refused", request_id, list_refused, uninvited):
            invite = partial(self.invites.send, request_id, position)
            await self._step("invite", request_id, invite, partial(self._report, request_id, "invite", None))
        for _ in range(plan.get("pages", 0)):  # in a plan of an older version, whose steps dbos expects
            await step("post results", _posted_in_pages)
        finish = partial(self._finish, request_id)
        await self._step("finish", request_id, finish, partial(self._report, request_id, "summary", None))

    async def close(self, request_id: str) -> None:
        """Show that the request ended without being carried out."""
        close = partial(self._close, request_id)
        await self._step("close", request_id, close, partial(self._report, request_id, "close", None))

    async def remind(self, request_id: str, number: int) -> None:
        """Remind the approvers."""
        remind = partial(self._remind, request_id, number)
        await self._step("remind", request_id, remind, partial(self._report, request_id, "remind", None))

    async def _step(
        self,
        name: str,
        request_id: str,
        function: Callable[[], Coroutine[Any, Any, T]],
        otherwise: Callable[[str], Awaitable[T]],
    ) -> T:
        """Run a durable step, which is repeated after an error; `otherwise` gives its result if it is given up."""
        return await step(name, partial(self._retries.run, name, request_id, function, otherwise))

    async def _report(self, request_id: str, what: str, result: T, reference: str) -> T:
        """Report that a step was given up, and return its result."""
        await self._notifier.report_failure(await self._store.get(request_id), what, reference)
        return result

    async def _hold(self, request_id: str, reference: str) -> bool:
        """Hold the request if required, though its message couldn't be posted. Return True if it has to wait."""
        await self._report(request_id, "open", None, reference)
        return await self._store.hold_if_required(request_id) is not RequestState.RECEIVED

    async def _plan_nothing(self, request_id: str, reference: str) -> dict[str, int] | None:
        """Answer everyone, because the request couldn't be planned. Return the plan."""
        await self._store.transition(request_id, RequestState.RUNNING)
        request = await self._store.get(request_id)
        if request.state is not RequestState.RUNNING:
            return None
        return await self._answer_everyone(request_id, reference, result={"chunks": 0})

    async def _answer_everyone(self, request_id: str, reference: str, *, result: T) -> T:
        """Answer the people without an outcome, because a step was given up. Return its result."""
        request = await self._store.get(request_id)
        message = f"Something went wrong in Rollcall. Reference: {reference}"
        await self._verdicts.record_and_stop(request, [], [], message)
        return result

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

        Return the number of batches; None if the request was withdrawn before it started.
        """
        await self._store.transition(request_id, RequestState.RUNNING)
        request = await self._store.get(request_id)
        if request.state is not RequestState.RUNNING:
            return None
        tally = await self._store.tally(request_id)
        if request.rule is not None:
            await self._notifier.show_approval(request, tally)
        else:
            self._notifier.show_progress(request)
        return {"chunks": await self.batches.plan(request)}

    async def _finish(self, request_id: str) -> None:
        await self._store.transition(request_id, RequestState.DONE)
        request, people = await self._store.get(request_id), await self._store.items(request_id)
        await self._notifier.post_results(request, people)
        finish = partial(self._notifier.finish, request, people)
        await self._retries.run("upload results", request_id, finish, partial(self._report, request_id, "csv", None))

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


async def _posted_in_pages() -> None:
    """Do nothing: the results are in one message."""
