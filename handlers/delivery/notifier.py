"""The messages of a request: the parent message, the approval card, and the thread with its results."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.domain.approvals import Choice, Vote
from bot.domain.followups import Followup
from bot.domain.groups import GroupCatalog
from bot.domain.outcomes import Tally
from bot.domain.requests import ENDED, Request, RequestItem, RequestState
from bot.storage.postings import Posting
from bot.storage.stores import Stores
from handlers.clients.errors import is_transient
from handlers.delivery.approvers import ApproverNotifier
from handlers.delivery.permalinks import Permalinks
from handlers.delivery.poster import Destination, FileRefused, OutgoingFile, Poster
from handlers.delivery.progress import ProgressUpdates
from handlers.views import answers, approval_card, followup_buttons, request_message, results
from handlers.views.blocks import Message
from handlers.views.followup_buttons import FollowupLink
from handlers.views.headlines import headline, tally_of
from providers.base import Action

_DIRECT = "D"
"""The prefix of direct messages' ids (docs.slack.dev, "Conversation object": `is_im`)."""
_REPLY = "summary"
"""The name of the message with the results, which is stored."""
_CSV = "csv"
"""The name of the file with the complete results."""
SOON = timedelta(seconds=5)
"""The results of a check that is nearer are awaited before the ones that are known are shown."""
REPLY_INTERVAL = 20.0
"""Seconds between two updates of the reply while a request sends. The counts in the parent message are newer."""
Listener = Callable[[Request], None]
"""Called in the middle of a workflow's step, so it returns immediately, and never raises."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NotifierOptions:
    """What the messages of requests depend on.

    Attributes:
        abilities: what the provider of each connection can do.
        accounts: the name of the provider of each connection.
        catalog: the groups of the configuration, for their warnings.
        approvals_channel: the channel of the approval cards; empty: the thread of the request.
    """

    abilities: Mapping[str, Collection[Action]]
    accounts: Mapping[str, str]
    catalog: GroupCatalog
    approvals_channel: str = ""


@dataclass(slots=True)
class _Running:
    """What the messages of a running request show besides its results.

    Attributes:
        ends_at: when sending will probably end, on the monotonic clock; None if that is unknown.
        next_check: when the unknown results are verified next, aware.
        replied_at: when the reply was updated, on the monotonic clock.
    """

    ends_at: float | None = None
    next_check: datetime | None = None
    replied_at: float | None = None

    def seconds_left(self) -> float | None:
        """Return the seconds until sending will probably end."""
        return None if self.ends_at is None else max(0.0, self.ends_at - time.monotonic())

    def is_reply_fresh(self) -> bool:
        """Return whether the reply was updated a short time ago."""
        return self.replied_at is not None and time.monotonic() - self.replied_at < REPLY_INTERVAL


class RequestEvents:
    """Publishes the changes that a request's messages show, in this process."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def publish(self, request: Request) -> None:
        """Call every listener with a request that began, made progress or ended."""
        for listener in tuple(self._listeners):
            listener(request)

    @contextmanager
    def subscribe(self, listener: Listener) -> Iterator[None]:
        """Call a listener for each change while the block runs."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)


class SlackNotifier:
    """Posts the messages of requests. Implements `bot.execution.ports.Notifier`.

    Args:
        poster: posts each message once.
        stores: the requests, their followups and their votes.
        approvers: asks the approvers who don't see the approval card.
        permalinks: the addresses of the requests' messages.
        events: publishes each change that a message shows.
        options: what the messages depend on.
    """

    def __init__(
        self,
        poster: Poster,
        stores: Stores,
        approvers: ApproverNotifier,
        permalinks: Permalinks,
        events: RequestEvents,
        *,
        options: NotifierOptions,
    ) -> None:
        self._poster = poster
        self._stores = stores
        self._approvers = approvers
        self._permalinks = permalinks
        self._events = events
        self._options = options
        self._progress = ProgressUpdates(self._show_running)
        self._running: dict[str, _Running] = {}
        self._showing_followed = asyncio.Lock()

    async def open(self, request: Request, tally: Tally) -> None:
        """Post the parent message, and show a followup in the request before it too."""
        destination = Destination(request.channel, request.options.thread_ts)
        await self._poster.post(request, "parent", await self._parent(request, tally), destination)
        self._events.publish(request)
        if request.options.parent:
            await self._show_followed(request.options.parent)

    async def show_approval(self, request: Request, tally: Tally) -> None:
        """Post or update the approval card, and update the parent message.

        If the bot can't post to the approvals channel, the card goes into the thread. Approvers who aren't in the
        card's channel get a card as a direct message.
        """
        if request.rule is not None:
            await self._show_card(request, tally)
        await self._update_parent(request, tally)
        self._events.publish(request)

    async def thread_ts(self, request: Request) -> str:
        """Return the thread of a request in its channel; empty if it was posted in another channel."""
        thread = await self._thread(request)
        return thread.thread_ts if thread.channel == request.channel else ""

    def show_progress(self, request: Request, seconds_left: float | None = None) -> None:
        """Update the messages of a running request soon."""
        self._events.publish(request)
        if seconds_left is not None:
            self._running[request.id] = _Running(ends_at=time.monotonic() + seconds_left)
        self._progress.changed(request.id)

    async def show_check(self, request: Request, at: datetime) -> None:
        """Show the results that are known, and when the others are verified, if that isn't soon."""
        self._events.publish(request)
        self._running[request.id] = _Running(next_check=at)
        if at - datetime.now(UTC) < SOON:
            self._progress.changed(request.id)
        else:
            await self._progress.show(request.id)

    async def aclose(self) -> None:
        """Stop updating running requests."""
        await self._progress.aclose()

    async def post_results(self, request: Request, people: Sequence[RequestItem]) -> None:
        """Post the reply with the results, or update the one that was posted while the request ran."""
        await self._progress.end(request.id)
        self._running.pop(request.id, None)
        await self._put_reply(request, await self._reply(request, people))

    async def finish(self, request: Request, people: Sequence[RequestItem]) -> None:
        """Upload the complete results of more than 20 people as a CSV, and end the parent message.

        The CSV has full numbers, so a channel that shortens them doesn't get it. If the approval card is in the thread,
        there is no file either: a request makes at most three messages. If Slack accepts no file, the reply says so.
        """
        try:
            await self._upload(request, people)
        finally:
            await self._update_parent(request, tally_of(people), headline(request, people, self._account(request)))
            self._events.publish(request)

    async def report_failure(self, request: Request, step: str, reference: str) -> None:
        """Post that a step was given up into the thread; if Slack's answers are wrong there too, it is only logged."""
        content = Message(answers.step_failed(step, reference))
        try:
            if step == _CSV:
                await self._show_followed(request.id)
            await self._poster.post(request, f"failed-{step}", content, await self._thread(request))
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("failure_not_reported", request=request.id, reference=reference)
        self._events.publish(request)

    async def remind(self, request: Request, number: int) -> None:
        """Remind the approvers who haven't voted, below the approval card."""
        card = await self._poster.find(request, "approval")
        thread = await self._thread(request)
        elsewhere = card is not None and card.channel != thread.channel
        destination = Destination(card.channel, card.ts) if card is not None and elsewhere else thread
        content = approval_card.reminder(request, await self._approvers.missing_votes(request), number)
        if not destination.channel.startswith(_DIRECT):
            await self._poster.post(request, f"reminder-{number}", content, destination)
        await self._approvers.remind(request, number, content)

    async def close(self, request: Request, tally: Tally) -> None:
        """Post in the thread that nothing was done."""
        await self._poster.post(request, "closed", await self._last(request), await self._thread(request))
        await self._update_parent(request, tally)
        self._events.publish(request)

    async def _show_running(self, request_id: str) -> None:
        """Update the parent message of a running request, and its reply as soon as there are results."""
        request, tally = await self._stores.requests.get(request_id), await self._stores.requests.tally(request_id)
        if request.state is not RequestState.RUNNING:
            return
        running = self._running.setdefault(request_id, _Running())
        parent = await self._poster.find(request, "parent")
        if parent is not None:
            await self._poster.update(parent, await self._parent(request, tally))
        if tally.answered <= tally.rejected or running.is_reply_fresh():
            return
        people = await self._stores.requests.items(request_id)
        await self._put_reply(request, await self._reply(request, people))
        running.replied_at = time.monotonic()

    async def _put_reply(self, request: Request, content: Message) -> None:
        posted = await self._poster.find(request, _REPLY)
        if posted is None:
            await self._poster.post(request, _REPLY, content, await self._thread(request))
        else:
            await self._poster.update(posted, content)

    async def _upload(self, request: Request, people: Sequence[RequestItem]) -> None:
        thread = await self._thread(request)
        card = await self._poster.find(request, "approval") if request.rule else None
        if card is not None and card.channel == thread.channel:
            return
        if len(people) <= results.MAX_WITHOUT_FILE or await self._approvers.channels.shortens_numbers(thread.channel):
            return
        comment = f"The complete results of request `{request.id}`, one line for each person."
        file = OutgoingFile(f"{request.id}.csv", results.csv_file(request, people), comment)
        try:
            await self._poster.upload(request, _CSV, file, thread)
        except FileRefused as error:
            log.error("file_refused", request=request.id, error=str(error))  # noqa: TRY400 - it is handled
            await self._show_followed(request.id)

    async def _show_card(self, request: Request, tally: Tally) -> None:
        votes = await self._stores.votes.for_request(request.id)
        warning = self._options.catalog.get(request.group).warning
        link = await self._link_before(request)
        undecided = await self._approvers.missing_votes(request)
        elsewhere = self._options.approvals_channel not in {"", request.channel}
        card = approval_card.build(
            request,
            tally,
            votes,
            warning=warning,
            link=link,
            thread=await self._permalinks.get(request.id) if elsewhere else "",
            undecided=undecided,
        )
        posted = await self._poster.find(request, "approval")
        thread = await self._thread(request)
        if posted is not None:
            await self._poster.update(posted, card)
        else:
            destinations = [Destination(self._options.approvals_channel), thread] if elsewhere else [thread]
            posted = await self._poster.post(request, "approval", card, *destinations)
        direct = approval_card.build(request, tally, votes, warning=warning, link=link, undecided=undecided, alone=True)
        await self._approvers.show(request, direct, posted.channel)
        await self._post_override(request, votes, posted, thread)
        if request.state is RequestState.APPROVED and request.options.run_at is not None:
            scheduled = approval_card.scheduled(request, votes, request.options.run_at)
            await self._poster.post(request, "scheduled", scheduled, thread)

    async def _post_override(self, request: Request, votes: Sequence[Vote], card: Posting, thread: Destination) -> None:
        """Post an override in the request's thread, and below every approval card."""
        override = next((vote for vote in votes if vote.choice is Choice.OVERRIDE), None)
        if override is None:
            return
        content = approval_card.overridden(request, override, self._stores.votes.eligible_approvers(request))
        await self._poster.post(request, "override", content, thread)
        if card.channel != thread.channel:
            await self._poster.post(request, "override-asked", content, Destination(card.channel, card.ts))
        await self._approvers.notify(request, "override", content)

    async def _show_followed(self, request_id: str) -> None:
        """Show the followups of a request in its last message, with those possible now, and in the thread's root."""
        async with self._showing_followed:  # otherwise an older state could be shown last
            try:
                request = await self._stores.requests.get(request_id)
            except LookupError:
                log.warning("parent_not_found", request=request_id)
                return
            posted = await self._poster.find(request, _REPLY if request.state is RequestState.DONE else "closed")
            if posted is not None:
                await self._poster.update(posted, await self._last(request))
            await self._show_root(request)

    async def _show_root(self, request: Request) -> None:
        """Update the message at the top of a request's thread with everything that followed in the thread."""
        while request.options.thread_ts and request.options.parent and request.options.follow != Followup.AGAIN:
            request = await self._stores.requests.get(request.options.parent)
        parent = await self._poster.find(request, "parent")
        if parent is None or request.state not in ENDED:
            return
        people = await self._stores.requests.items(request.id)
        done = request.state is RequestState.DONE
        content = request_message.build(
            request,
            tally_of(people),
            await self._link_before(request),
            result=headline(request, people, self._account(request)) if done else "",
            followed=followup_buttons.lines(await self._followed(request, nested=True)),
        )
        await self._poster.update(parent, content)

    async def _followed(self, request: Request, *, nested: bool = False) -> list[FollowupLink]:
        """Return the followups of a request; `nested` also those of its followups."""
        followed = []
        for after in await self._stores.queries.followups_of(request.id):
            link = await self._permalinks.get(after.request.id)
            followed.append(FollowupLink(after.request, link, after.tally))
            if nested and after.request.options.follow != Followup.AGAIN:
                followed += await self._followed(after.request, nested=True)
        return followed

    async def _last(self, request: Request) -> Message:
        """Build the last message of a request that has ended, with its followups."""
        people = await self._stores.requests.items(request.id)
        followed = await self._followed(request)
        able = self._options.abilities.get(request.connection, ())
        if request.state is RequestState.DONE:
            return await self._reply(request, people, followed)
        again = followup_buttons.build(request, people, tally_of(people), followed, able)
        votes = await self._stores.votes.for_request(request.id)
        return approval_card.ending(request, votes, again=again, followed=followed)

    async def _reply(
        self, request: Request, people: Sequence[RequestItem], followed: Sequence[FollowupLink] = ()
    ) -> Message:
        thread = await self._thread(request)
        audience = results.Audience(
            self._account(request),
            self._options.abilities.get(request.connection, ()),
            short=await self._approvers.channels.shortens_numbers(thread.channel),
            lost_file=await self._is_file_lost(request),
        )
        running = self._running.get(request.id, _Running())
        return results.reply(request, people, audience, followed, next_check=running.next_check)

    async def _is_file_lost(self, request: Request) -> bool:
        """Return whether the CSV of a request was to be uploaded, and wasn't."""
        return bool(await self._poster.posted_names(request, _CSV)) and await self._poster.find(request, _CSV) is None

    async def _parent(self, request: Request, tally: Tally, result: str = "") -> Message:
        if request.state is RequestState.RUNNING:
            running = self._running.get(request.id, _Running())
            result = request_message.running(request, tally, running.seconds_left(), running.next_check)
        return request_message.build(request, tally, await self._link_before(request), result=result)

    def _account(self, request: Request) -> str:
        return self._options.accounts.get(request.connection, "The provider")

    async def _link_before(self, request: Request) -> str:
        return await self._permalinks.get(request.options.parent) if request.options.parent else ""

    async def _thread(self, request: Request) -> Destination:
        parent = await self._poster.find(request, "parent")
        if parent is None or (parent.channel == request.channel and request.options.thread_ts):
            return Destination(request.channel, request.options.thread_ts)
        return Destination(parent.channel, parent.ts)

    async def _update_parent(self, request: Request, tally: Tally, result: str = "") -> None:
        """Update the parent message of a request, and the request before it; `result` is what it ended with."""
        parent = await self._poster.find(request, "parent")
        if parent is not None:
            await self._poster.update(parent, await self._parent(request, tally, result))
        if request.options.parent:
            await self._show_followed(request.options.parent)
