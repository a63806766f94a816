"""What the simulated Wasend changes: the participants of a group, its settings and its invite."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aiohttp import web

from sandbox.providers.server import Handler, json_object
from sandbox.providers.wasend_records import Record, Shape, flags, joined_record
from sandbox.providers.world import Effect, SimGroup, World

if TYPE_CHECKING:
    from sandbox.providers.wasend import WasendServer

Variation = Literal["read", "remove", "promote", "demote", "join", "settings"]
"""The calls that the documentation and the SDK have in different forms."""

MAX_SUBJECT_CHARACTERS = 25

_GROUP = "/{session}/groups/{group}"


@dataclass(frozen=True, slots=True)
class ParticipantChange:
    """A change of participants.

    Attributes:
        list_name: the response's list of changed people.
        success: the effect of a change that succeeds.
        apply: makes the change to one phone in a group.
        failed: whether the response lists people without the change, with reasons. The pages of add and demote have
            them; those of remove and promote do not.
        flags: the further fields of a changed person.
    """

    list_name: str
    success: Effect
    apply: Callable[[World, str, str], Effect]
    failed: bool = False
    flags: tuple[tuple[str, bool], ...] = ()


_PROMOTED = (("isAdmin", True), ("isSuperAdmin", False))
ADD = ParticipantChange("added", Effect.ADDED, World.add, failed=True)
REMOVE = ParticipantChange("removed", Effect.REMOVED, World.remove)
PROMOTE = ParticipantChange("promoted", Effect.PROMOTED, World.promote, flags=_PROMOTED)
DEMOTE = ParticipantChange("demoted", Effect.DEMOTED, World.demote, failed=True)


class ParticipantCalls:
    """The calls about participants.

    Args:
        server: the server that answers them.
    """

    def __init__(self, server: "WasendServer") -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the member list and of add, and the other changes in both variants."""
        return [
            web.get(f"{_GROUP}/participants", self._server.for_group(self._list)),
            web.post(f"{_GROUP}/participants/add", self._changing(ADD, "docs")),
            web.delete(f"{_GROUP}/participants", self._only("remove", "docs", REMOVE)),
            web.post(f"{_GROUP}/participants/remove", self._only("remove", "sdk", REMOVE)),
            web.post(f"{_GROUP}/participants/promote", self._only("promote", "docs", PROMOTE)),
            web.post(f"{_GROUP}/admin/promote", self._only("promote", "sdk", PROMOTE)),
            web.post(f"{_GROUP}/participants/demote", self._only("demote", "docs", DEMOTE)),
            web.post(f"{_GROUP}/admin/demote", self._only("demote", "sdk", DEMOTE)),
        ]

    def _list(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        members = self._server.members(group)
        if self._server.variant == "sdk":
            return web.json_response(members)
        return web.json_response({"success": True, "participants": members, "error": None})

    def _only(self, call: Variation, shape: Shape, change: ParticipantChange) -> Handler:
        return self._server.only(call, shape, self._changing(change, shape))

    def _changing(self, change: ParticipantChange, shape: Shape) -> Handler:
        """Change each participant. The SDK's paths have an empty response: their bodies are not described."""
        server = self._server

        def handler(_: web.Request, group: SimGroup, body: Record) -> web.Response:
            identifiers = body.get("participants")
            # The contract leaves open what anything but a list of texts does; here it is refused.
            if not isinstance(identifiers, list) or not identifiers or not all(isinstance(i, str) for i in identifiers):
                raise server.fail(400)
            lists: dict[str, list[Record]] = {change.list_name: [], "failed": []}
            for identifier in identifiers:
                phone = server.phone(identifier)
                # The contract leaves open what an invalid number does; here no account has it.
                effect = change.apply(server.world, group.id, phone) if phone else Effect.NO_ACCOUNT
                name = change.list_name if effect is change.success else "failed"
                if change.failed and server.reasons[effect] is None:
                    continue
                reason = {"reason": server.reasons[effect]} if change.failed else {}
                lists[name].append({"id": server.result_id(identifier, phone), **reason, **dict(change.flags)})
            if shape == "sdk":
                return web.Response(status=200)
            # The contract leaves open what `success` is when a person failed.
            if change.failed:
                return server.done(data=lists)
            return server.done(**{change.list_name: lists[change.list_name]})

        return server.for_group(handler, admins=True)


class SettingCalls:
    """The calls about a group itself.

    Args:
        server: the server that answers them.
    """

    def __init__(self, server: "WasendServer") -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of a group's settings, its invite code, joining and leaving."""
        server = self._server
        security = f"{_GROUP}/settings/security"

        def put(rest: str, change: Callable[[web.Request, SimGroup, Record], web.Response]) -> web.RouteDef:
            return web.put(rest, server.for_group(change, admins=True))

        both = server.only("settings", "docs", server.for_group(self._set_both, admins=True))
        return [
            put(f"{_GROUP}/subject", self._rename),
            put(f"{_GROUP}/description", self._describe),
            put(f"{_GROUP}/picture", self._set_picture),
            web.put(f"{_GROUP}/settings", both),
            put(f"{security}/info-admin-only", self._lock),
            put(f"{security}/messages-admin-only", self._announce),
            web.get(f"{_GROUP}/invite-code", server.for_group(self._invite, admins=True)),
            web.post(f"{_GROUP}/invite-code/revoke", server.for_group(self._reset_invite, admins=True)),
            web.post(f"{_GROUP}/leave", server.for_group(self._leave)),
            web.post("/{session}/groups/join", self._join),
        ]

    def _rename(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        subject = body.get("subject")
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
            raise self._server.fail(400)
        group.subject = subject
        return self._server.done(subject=subject, message="Updated")

    def _describe(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        if self._server.lacks_description:
            raise self._server.fail(self._server.absent_status, message="Not found")
        if not isinstance(body.get("description"), str):
            raise self._server.fail(400)
        group.description = body["description"]
        return web.Response(status=200)

    def _set_picture(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        url = body.get("url")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise self._server.fail(400)
        group.picture = url
        return self._server.done(url=url, message="Updated")

    def _set_both(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        locked, announce_only = body.get("infoAdminOnly"), body.get("messagesAdminOnly")
        if not isinstance(locked, bool) or not isinstance(announce_only, bool):
            raise self._server.fail(400)
        group.locked, group.announce_only = locked, announce_only
        return self._server.done(settings=flags(group), message="Updated")

    def _lock(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        return self._set_flag(group, body, "locked")

    def _announce(self, _: web.Request, group: SimGroup, body: Record) -> web.Response:
        return self._set_flag(group, body, "announce_only")

    def _set_flag(self, group: SimGroup, body: Record, name: str) -> web.Response:
        if not isinstance(body.get("enabled"), bool):
            raise self._server.fail(400)
        setattr(group, name, body["enabled"])
        return self._server.done(enabled=body["enabled"], message="Updated")

    def _invite(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        return self._code(self._server.world.invite_of(group.id))

    def _reset_invite(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        return self._code(self._server.world.reset_invite(group.id))

    def _code(self, code: str) -> web.Response:
        if self._server.variant == "docs":
            return web.json_response({"success": True, "inviteCode": code})
        return web.json_response(code) if self._server.quotes_codes else web.Response(text=code)

    def _leave(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        group.left_by_account = True
        return self._server.done(message="Left the group")

    async def _join(self, request: web.Request) -> web.Response:
        server = self._server
        self._server.check_session(request.match_info["session"])
        body = await json_object(request)
        shape = server.mixed.get("join", server.variant)
        invite = body.get("code") if shape == "sdk" else body.get("inviteCode") or body.get("inviteLink")
        if not isinstance(invite, str):
            raise self._server.fail(400)
        group = server.world.group_of_invite(invite)
        if group is None:
            raise self._server.fail(400, message="Invalid invite")
        group.left_by_account = False
        return web.json_response(joined_record(group, server.world.visible_members(group.id), shape))
