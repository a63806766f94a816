"""Direct messages to approvers who don't see the approval card in its channel."""

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
"""Maximum approvers who are asked by direct message: more would be noise."""
_CARD = "approval-"
"""The prefix of a direct card's name. The approver's Slack user id follows."""


class ApproverNotifier:
    """Sends each approver a card of their own.

    Args:
        poster: posts each message once.
        votes: the votes, and the approvers who are eligible.
        user_groups: the members of user groups.
        channels: the members of channels.
    """

    def __init__(self, poster: Poster, votes: Votes, user_groups: UserGroups, channels: ChannelDirectory) -> None:
        self._poster = poster
        self._votes = votes
        self._user_groups = user_groups
        self.channels = channels
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def show(self, request: Request, card: Message, channel: str) -> None:
        """Send the card once to each approver who doesn't see `channel`, and update the cards that were sent.

        An approver who can't be reached is skipped. An approver who is no longer eligible still gets the update.
        """
        lock = self._locks.setdefault(request.id, asyncio.Lock())
        async with lock:  # a first vote and the workflow may both show the card now
            names = await self._poster.posted_names(request, _CARD)
            recipients = {name.removeprefix(_CARD) for name in names}
            for user_id in sorted(recipients.union(await self._not_in_channel(request, channel))):
                await self._show(request, user_id, card)

    async def missing_votes(self, request: Request) -> MissingVotes:
        """Return the users and user groups whose votes are missing; of a user group that voted, its other members."""
        ids, voted = self._votes.eligible_approvers(request), await self._voted(request)
        left = await self._not_voted(request)
        missing = left if not voted <= set(ids) else [id_ for id_ in ids if id_ not in voted]
        complete = self._user_groups.is_read and len(left) < MAX_APPROVERS
        needed = request.rule.quorum - len(voted) if request.rule else 0
        return MissingVotes(missing, max(0, needed - len(left)) if complete else 0)

    async def remind(self, request: Request, number: int, reminder: Message) -> None:
        """Post a reminder below each direct card whose approver hasn't voted."""
        await self._post_below_cards(request, f"reminder-{number}", reminder, await self._not_voted(request))

    async def notify(self, request: Request, name: str, content: Message) -> None:
        """Post a message below each direct card."""
        await self._post_below_cards(request, name, content, await self._people(request))

    async def _post_below_cards(self, request: Request, name: str, content: Message, people: Iterable[str]) -> None:
        for user_id in people:
            if card := await self._poster.find(request, f"{_CARD}{user_id}"):
                await self._poster.post(request, f"{name}-{user_id}", content, Destination(card.channel, card.ts))

    async def _not_in_channel(self, request: Request, channel: str) -> Collection[str]:
        """Return the approvers who don't see a channel: all of them, if it is a person's direct messages."""
        if request.state is not RequestState.WAITING:
            return ()
        people = await self._people(request)
        return people if channel.startswith("D") else await self.channels.not_members(channel, people)

    async def _show(self, request: Request, user_id: str, card: Message) -> None:
        name = f"{_CARD}{user_id}"
        posted = await self._poster.find(request, name)
        if posted is not None:
            await self._poster.update(posted, card)
        elif direct := await self._poster.open_direct_message(user_id):
            await self._poster.post(request, name, card, direct)

    async def _voted(self, request: Request) -> set[str]:
        return {vote.user_id for vote in await self._votes.for_request(request.id)}

    async def _not_voted(self, request: Request) -> list[str]:
        voted = await self._voted(request)
        return [user_id for user_id in await self._people(request) if user_id not in voted]

    async def _people(self, request: Request) -> list[str]:
        users = await self._user_groups.members_of(self._votes.eligible_approvers(request))
        return sorted(users - {request.requester})[:MAX_APPROVERS]
