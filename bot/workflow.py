"""The one durable path of a request, from the first message to the last verdict.

`open` posts the parent message and, where a rule asks for it, the question for approval; `carry_out` does the work;
`close` says that nothing will be done. Each is a durable workflow: after a crash it goes on from its last finished
step. So every step may run twice, and reads from the journal what it did already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from bot.announcer import PAGE, Announcer
from bot.domain.outcomes import left_over, read_back, settle
from bot.domain.requests import Participant, Request, State
from bot.runtime.engine import Durable, sleep, step
from bot.runtime.journal import Journal
from bot.runtime.metrics import Metrics
from bot.runtime.pace import DayIsFull, Sender
from providers.base import (
    AddResult,
    Outcome,
    Presence,
    Provider,
    ProviderError,
    Verdict,
    judge,
)

MOST_SUBMISSIONS = 2
"""How often a person is sent to the provider, when crashes interrupt: the second time is the last."""

_NO_CONNECTION = "The connection is not in the configuration any more."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """What a connection needs to carry out requests.

    Attributes:
        provider: the adapter.
        sender: gives the turns.
        verify_after: the seconds to wait before each time that unknown people are looked for in the group.
    """

    provider: Provider
    sender: Sender
    verify_after: Sequence[float]


class Workflow:
    """Carries requests out.

    Args:
        journal: where requests and verdicts are kept.
        lines: by the connection's name.
        announcer: tells people.
        metrics: counts verdicts; where nobody reads them, counters of its own.
    """

    def __init__(
        self, journal: Journal, lines: Mapping[str, Line], announcer: Announcer, *, metrics: Metrics | None = None
    ) -> None:
        self._metrics = metrics or Metrics()
        self._journal = journal
        self._lines = lines
        self._announcer = announcer

    def durable(self) -> dict[str, Durable]:
        """Give the workflows by the names under which the engine stores them."""
        return {"open": self.open, "carry_out": self.carry_out, "close": self.close}

    async def open(self, request_id: str) -> None:
        """Post the parent message; then ask for approval, or go on."""
        if not await step("open", partial(self._open, request_id)):
            await self.carry_out(request_id)

    async def carry_out(self, request_id: str) -> None:
        """Give every person of the request an outcome, and post them."""
        plan = await step("look", partial(self._look, request_id))
        for number in range(plan["chunks"]):
            if not await step("chunk", partial(self._chunk, request_id, number)):
                break
        for wait in await step("leave the rest", partial(self._leave_rest, request_id)):
            await sleep(wait)
            if not await step("verify", partial(self._verify, request_id)):
                break
        for page in range(plan["pages"]):
            await step("post results", partial(self._post_page, request_id, page))
        await step("finish", partial(self._finish, request_id))

    async def close(self, request_id: str) -> None:
        """Say that the request ended without being carried out."""
        await step("close", partial(self._close, request_id))

    async def _open(self, request_id: str) -> bool:
        """Post the parent message, and ask for approval where a rule says so. True when the request waits for it."""
        request = await self._journal.request(request_id)
        tally = await self._journal.tally(request_id)
        await self._announcer.open(request, tally)
        if request.rule is None:
            return False
        await self._journal.await_approval(request_id)
        await self._announcer.show_approval(await self._journal.request(request_id), tally)
        return True

    async def _look(self, request_id: str) -> dict[str, int]:
        """Read who is in the group already, and cut the rest into chunks. Gives how many chunks and pages follow."""
        await self._journal.advance(request_id, State.RUNNING)
        request = await self._journal.request(request_id)
        tally = await self._journal.tally(request_id)
        if request.rule is not None:
            await self._announcer.show_approval(request, tally)
        return {"chunks": await self._cut(request), "pages": -(-tally.total // PAGE)}

    async def _cut(self, request: Request) -> int:
        """Answer those who are in the group already, and put the others into chunks. Gives the number of chunks."""
        line = self._lines.get(request.connection)
        people = await self._journal.open_people(request.id)
        if not people:
            return 0
        if line is None:
            await self._keep_and_stop(request, [], [], _NO_CONNECTION)
            return 0
        try:
            present = await line.provider.presence(request.group_id, [p.person for p in people])
        except ProviderError as error:
            log.warning("look_failed", request=request.id, error=type(error).__name__, code=error.code)
            if error.stops_sender:
                await self._keep_and_stop(request, [], [], error.words or error.message, code=error.code)
                return 0
            present = {}
        before = {p.position: present.get(p.person.key, Presence.UNKNOWN) for p in people}
        size = min(line.sender.pace.batch, line.provider.add_limit)
        absent = [position for position, presence in before.items() if presence is not Presence.PRESENT]
        chunks = {position: place // size for place, position in enumerate(absent)}
        await self._journal.looked(request.id, before, chunks)
        return -(-len(absent) // size)

    async def _chunk(self, request_id: str, number: int) -> bool:
        """Send one chunk and keep the verdicts. False when the sender has to stop."""
        request = await self._journal.request(request_id)
        line = self._lines.get(request.connection)
        if line is None:
            await self._keep_and_stop(request, [], [], _NO_CONNECTION)
            return False
        people = await self._journal.chunk(request_id, number)
        if any(p.submissions for p in people):
            people = await self._after_interruption(request, line, people)
        if not people:
            return bool(await self._journal.open_people(request_id))
        try:
            async with line.sender.turn(len(people)) as granted:
                sent = people[:granted]
                await self._journal.submitted(request_id, [p.position for p in sent])
                result = await _add(line.provider, request.group_id, sent)
        except DayIsFull as error:
            await self._keep_and_stop(request, [], [], str(error))
            return False
        verdicts = _settle(sent, result)
        if result.error is not None:
            error_name = type(result.error).__name__
            log.warning("chunk_failed", request=request_id, chunk=number, error=error_name, code=result.error.code)
        if result.error is not None and result.error.stops_sender:
            words = f"The sender was stopped before their turn: {result.error.message}"
            await self._keep_and_stop(request, sent, verdicts, words)
            return False
        if len(sent) < len(people):
            await self._keep_and_stop(request, sent, verdicts, "The connection may send nobody else on this day.")
            return False
        await self._keep(request, sent, verdicts)
        await self._announcer.progress(request, partial(self._journal.tally, request_id))
        return True

    async def _keep_and_stop(
        self, request: Request, sent: Sequence[Participant], verdicts: Sequence[Verdict], words: str, code: str = ""
    ) -> None:
        """Keep verdicts and answer everybody else in one commit: so a stop is not forgotten by a crash after it."""
        answered = {verdict.key for verdict in verdicts}
        rest = [p for p in await self._journal.open_people(request.id) if p.person.key not in answered]
        left = [left_over(p.person.key, p.submissions, words, code) for p in rest]
        await self._keep(request, [*sent, *rest], [*verdicts, *left])

    async def _after_interruption(
        self, request: Request, line: Line, people: Sequence[Participant]
    ) -> list[Participant]:
        """Settle what an interrupted submission did, as far as the group tells. Gives those still to be sent."""
        try:
            present = await line.provider.presence(request.group_id, [p.person for p in people])
        except ProviderError as error:
            log.warning("read_back_failed", request=request.id, error=type(error).__name__, code=error.code)
            present = {}
        verdicts, again = [], []
        for p in people:
            now = present.get(p.person.key, Presence.UNKNOWN)
            if verdict := read_back(p.person.key, p.before, now):
                verdicts.append(verdict)
            elif p.submissions < MOST_SUBMISSIONS:
                again.append(p)
            else:
                verdicts.append(Verdict(p.person.key, Outcome.UNKNOWN))
        await self._keep(request, people, verdicts)
        return again

    async def _leave_rest(self, request_id: str) -> list[float]:
        """Answer those whom no answer named. Gives the waits before each look for unknown people."""
        request = await self._journal.request(request_id)
        rest = await self._journal.open_people(request_id)
        if rest:
            words = "The provider's answer did not name them."
            await self._keep(request, rest, [left_over(p.person.key, p.submissions, words) for p in rest])
        line = self._lines.get(request.connection)
        if line is None or not await self._journal.with_outcome(request_id, Outcome.UNKNOWN):
            return []
        return list(line.verify_after)

    async def _verify(self, request_id: str) -> bool:
        """Look for the unknown people in the group. False when nobody is unknown any more."""
        request = await self._journal.request(request_id)
        unknown = await self._journal.with_outcome(request_id, Outcome.UNKNOWN)
        line = self._lines.get(request.connection)
        if line is None or not unknown:
            return False
        try:
            present = await line.provider.presence(request.group_id, [p.person for p in unknown])
        except ProviderError as error:
            log.warning("verify_failed", request=request_id, error=type(error).__name__, code=error.code)
            return True
        found = [
            verdict
            for p in unknown
            if (verdict := read_back(p.person.key, p.before, present.get(p.person.key, Presence.UNKNOWN)))
        ]
        await self._keep(request, unknown, found)
        return len(found) < len(unknown)

    async def _post_page(self, request_id: str, page: int) -> None:
        request = await self._journal.request(request_id)
        total = (await self._journal.tally(request_id)).total
        await self._announcer.results(request, page, await self._journal.page(request_id, page * PAGE, PAGE), total)

    async def _finish(self, request_id: str) -> None:
        await self._journal.advance(request_id, State.DONE)
        request = await self._journal.request(request_id)
        await self._announcer.finish(request, await self._journal.people(request_id))

    async def _close(self, request_id: str) -> None:
        request = await self._journal.request(request_id)
        tally = await self._journal.tally(request_id)
        if request.rule is not None:
            await self._announcer.show_approval(request, tally)
        await self._announcer.close(request, tally)

    async def _keep(self, request: Request, people: Sequence[Participant], verdicts: Sequence[Verdict]) -> None:
        positions = {p.person.key: p.position for p in people}
        await self._journal.judge(request.id, {positions[v.key]: v for v in verdicts})
        for verdict in verdicts:
            self._metrics.verdict(verdict.outcome, request.connection)


async def _add(provider: Provider, group_id: str, people: Sequence[Participant]) -> AddResult:
    persons = [p.person for p in people]
    try:
        return await provider.add(group_id, persons)
    except ProviderError as error:
        return AddResult(judge(error, persons), error)


def _settle(people: Sequence[Participant], result: AddResult) -> list[Verdict]:
    """Correct verdicts by what each person's own history tells; this chunk counts as one more submission."""
    by_key = {p.person.key: p for p in people}
    return [
        settle(
            verdict,
            before=by_key[verdict.key].before,
            submissions=by_key[verdict.key].submissions + 1,
            call_failed=result.error is not None,
        )
        for verdict in result.verdicts
    ]
