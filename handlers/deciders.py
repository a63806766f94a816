"""Those who decide on a request, each in their direct messages: for a question that stands where they do not look."""

import asyncio
from weakref import WeakValueDictionary

from bot.domain.requests import Request, State
from bot.runtime.decisions import Decisions
from handlers.poster import Place, Poster
from handlers.usergroups import UserGroups
from handlers.views.message import Message

MOST = 30
"""How many are asked; above that it would be noise."""


class Deciders:
    """Asks them one by one.

    Args:
        poster: posts once.
        decisions: tells who may decide.
        usergroups: tells who is in the user groups of those.
    """

    def __init__(self, poster: Poster, decisions: Decisions, usergroups: UserGroups) -> None:
        self._poster = poster
        self._decisions = decisions
        self._usergroups = usergroups
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def show(self, request: Request, card: Message) -> None:
        """Ask each of them once; as soon as the request does not wait any more, show that in place of the question.

        Whoever cannot be reached is left out.
        """
        turn = self._turns.setdefault(request.id, asyncio.Lock())
        async with turn:  # or a first vote asks those again whom the workflow is about to ask
            for user_id in await self._people(request):
                await self._show(request, user_id, card)

    async def remind(self, request: Request, number: int, reminder: Message) -> None:
        """Remind each of those who were asked, below the question."""
        for user_id in await self._people(request):
            if asked := await self._poster.find(request, f"approval-{user_id}"):
                place = Place(asked.channel, asked.ts)
                await self._poster.post(request, f"reminder-{number}-{user_id}", reminder, place)

    async def _show(self, request: Request, user_id: str, card: Message) -> None:
        name = f"approval-{user_id}"
        posted = await self._poster.find(request, name)
        if request.state is not State.WAITING:
            if posted is not None:
                await self._poster.update(posted, card)
        elif posted is None and (direct := await self._poster.direct(user_id)):
            await self._poster.post(request, name, card, direct)

    async def _people(self, request: Request) -> list[str]:
        users = await self._usergroups.people(self._decisions.deciders(request))
        return sorted(users - {request.requester})[:MOST]
