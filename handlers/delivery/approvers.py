"""Those who decide on a request, each in their direct messages: for a question that stands where they do not look."""

import asyncio
from collections.abc import Collection, Iterable
from weakref import WeakValueDictionary

from bot.domain.requests import Request, RequestState
from bot.storage.votes import Votes
from handlers.clients.channels import ChannelDirectory
from handlers.clients.user_groups import UserGroups
from handlers.delivery.poster import Destination, Poster
from handlers.views.approval_card import MissingVotes
from handlers.views.blocks import Message

MAX_APPROVERS = 30
"""How many are asked; above that it would be noise."""
_QUESTION = "approval-"
"""How the name of a question begins; the id of who is asked follows."""


class ApproverNotifier:
    """Asks them one by one.

    Args:
        poster: posts once.
        decisions: tells who may decide.
        usergroups: tells who is in the user groups of those.
        channels: tells who does not see what stands in a channel.
    """

    def __init__(self, poster: Poster, decisions: Votes, usergroups: UserGroups, channels: ChannelDirectory) -> None:
        self._poster = poster
        self._decisions = decisions
        self._usergroups = usergroups
        self.channels = channels
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def show(self, request: Request, card: Message, channel: str) -> None:
        """Ask each of them once who does not see the question in `channel`; later, show there how the request stands.

        Whoever cannot be reached is left out. Who was asked and cannot decide any more sees how it stands all the same.
        """
        turn = self._turns.setdefault(request.id, asyncio.Lock())
        async with turn:  # or a first vote asks those again whom the workflow is about to ask
            asked = {name.removeprefix(_QUESTION) for name in await self._poster.posted_names(request, _QUESTION)}
            for user_id in sorted(asked.union(await self._blind(request, channel))):
                await self._show(request, user_id, card)

    async def missing_votes(self, request: Request) -> MissingVotes:
        """Give the users and user groups whose votes are missing; once some of a group voted, its others."""
        ids, voted = self._decisions.eligible_approvers(request), await self._voted(request)
        left = await self._left(request)
        waits = left if not voted <= set(ids) else [id_ for id_ in ids if id_ not in voted]
        told = self._usergroups.is_read and len(left) < MAX_APPROVERS
        needed = request.rule.quorum - len(voted) if request.rule else 0
        return MissingVotes(waits, max(0, needed - len(left)) if told else 0)

    async def remind(self, request: Request, number: int, reminder: Message) -> None:
        """Remind each of those who were asked and have not voted, below the question."""
        await self._tell(request, f"reminder-{number}", reminder, await self._left(request))

    async def notify(self, request: Request, name: str, content: Message) -> None:
        """Tell each of those who were asked something, below the question."""
        await self._tell(request, name, content, await self._people(request))

    async def _tell(self, request: Request, name: str, content: Message, people: Iterable[str]) -> None:
        for user_id in people:
            if asked := await self._poster.find(request, f"{_QUESTION}{user_id}"):
                await self._poster.post(request, f"{name}-{user_id}", content, Destination(asked.channel, asked.ts))

    async def _blind(self, request: Request, channel: str) -> Collection[str]:
        """Give those who do not see what stands in a channel: in somebody's direct messages, all of them."""
        if request.state is not RequestState.WAITING:
            return ()
        people = await self._people(request)
        return people if channel.startswith("D") else await self.channels.not_members(channel, people)

    async def _show(self, request: Request, user_id: str, card: Message) -> None:
        name = f"{_QUESTION}{user_id}"
        posted = await self._poster.find(request, name)
        if posted is not None:
            await self._poster.update(posted, card)
        elif direct := await self._poster.open_direct_message(user_id):
            await self._poster.post(request, name, card, direct)

    async def _voted(self, request: Request) -> set[str]:
        return {vote.user_id for vote in await self._decisions.for_request(request.id)}

    async def _left(self, request: Request) -> list[str]:
        voted = await self._voted(request)
        return [user_id for user_id in await self._people(request) if user_id not in voted]

    async def _people(self, request: Request) -> list[str]:
        users = await self._usergroups.members_of(self._decisions.eligible_approvers(request))
        return sorted(users - {request.requester})[:MAX_APPROVERS]
