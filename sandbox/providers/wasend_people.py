"""What a simulated Wasend does to the people of a group."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from sandbox.providers.server import Handler
from sandbox.providers.wasend_records import Record, Shape
from sandbox.providers.wasend_session import Point, WasendSession, texts
from sandbox.providers.world import Effect, SimGroup, World


@dataclass(frozen=True, slots=True)
class Deed:
    """What can be done to people.

    Attributes:
        list_name: under which the answer lists those to whom it happened.
        success: the effect that this is.
        do: does it to one phone in a group.
        failed: whether the answer lists those to whom it did not happen, and gives reasons, as the pages of add and
            demote have it; those of remove and promote do not.
        flags: what the answer says of each to whom it happened.
    """

    list_name: str
    success: Effect
    do: Callable[[World, str, str], Effect]
    failed: bool = False
    flags: tuple[tuple[str, bool], ...] = ()


ADD = Deed("added", Effect.ADDED, World.add, failed=True)
REMOVE = Deed("removed", Effect.REMOVED, World.remove)
PROMOTE = Deed("promoted", Effect.PROMOTED, World.promote, flags=(("isAdmin", True), ("isSuperAdmin", False)))
DEMOTE = Deed("demoted", Effect.DEMOTED, World.demote, failed=True)


class People:
    """The calls about members.

    Args:
        server: the session that they are made of.
    """

    def __init__(self, server: WasendSession) -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the member list and of add, and those of the rest in both variants."""
        server, group = self._server, "/{session}/groups/{group}"
        return [
            web.get(f"{group}/participants", server.for_group(self._list)),
            web.post(f"{group}/participants/add", self._doing(ADD, "docs")),
            web.delete(f"{group}/participants", self._only("remove", "docs", REMOVE)),
            web.post(f"{group}/participants/remove", self._only("remove", "sdk", REMOVE)),
            web.post(f"{group}/participants/promote", self._only("promote", "docs", PROMOTE)),
            web.post(f"{group}/admin/promote", self._only("promote", "sdk", PROMOTE)),
            web.post(f"{group}/participants/demote", self._only("demote", "docs", DEMOTE)),
            web.post(f"{group}/admin/demote", self._only("demote", "sdk", DEMOTE)),
        ]

    def _list(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        members = self._server.members(group)
        if self._server.variant == "sdk":
            return web.json_response(members)
        return web.json_response({"success": True, "participants": members, "error": None})

    def _only(self, point: Point, shape: Shape, deed: Deed) -> Handler:
        return self._server.only(point, shape, self._doing(deed, shape))

    def _doing(self, deed: Deed, shape: Shape) -> Handler:
        """Do it to each. The SDK's paths answer with nothing: their bodies are not described."""
        server = self._server

        def handler(_: web.Request, group: SimGroup, body: Record) -> web.Response:
            asked = texts(body.get("participants"))
            if not asked:
                return server.error(400)
            lists: dict[str, list[Record]] = {deed.list_name: [], "failed": []}
            for identifier in asked:
                phone = server.phone(identifier)
                # The contract leaves open what becomes of a number that is none; nobody is found by it.
                effect = deed.do(server.world, group.id, phone) if phone else Effect.NO_ACCOUNT
                name = deed.list_name if effect is deed.success else "failed"
                if deed.failed and server.reasons[effect] is None:
                    continue
                reason = {"reason": server.reasons[effect]} if deed.failed else {}
                lists[name].append({"id": server.result_id(identifier, phone), **reason, **dict(deed.flags)})
            if shape == "sdk":
                return web.Response(status=200)
            # The contract leaves open what `success` is when somebody failed.
            return server.done(data=lists) if deed.failed else server.done(**{deed.list_name: lists[deed.list_name]})

        return server.for_group(handler, admins=True)
