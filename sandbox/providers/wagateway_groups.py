"""The groups of the simulated WhatsApp Gateway: how they are read from storage and changed live on WhatsApp."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.providers.server import json_object
from sandbox.providers.world import Effect, Membership, SimGroup

if TYPE_CHECKING:
    from sandbox.providers.wagateway import CreatedShape, WaGatewayServer

Record = dict[str, Any]

GROUP_JID = re.compile(r"[0-9-]+@g\.us")
USER_JID = re.compile(r"([0-9]+)@s\.whatsapp\.net")
LONG_AGO = 1_719_662_400_000
OWN_PHONE = "6281234567890"

_SETTINGS = {"subject": str, "description": str, "announce": bool, "locked": bool}


class GroupCalls:
    """The calls about groups and their members.

    Args:
        server: the server that answers them.
    """

    def __init__(self, server: "WaGatewayServer") -> None:
        self._server = server
        self._world = server.world

    def routes(self, session: str) -> list[web.RouteDef]:
        """Return the routes of groups and their members below the path of a session."""
        group = f"{session}/groups/{{gid}}"
        member = f"{group}/members/{{jid}}"
        return [
            web.get(f"{session}/groups", self._list),
            web.get(group, self._get),
            web.get(f"{group}/members", self._list_members),
            web.post(f"{session}/groups", self._create),
            web.patch(group, self._update),
            web.post(f"{group}/members", self._add_members),
            web.delete(member, self._remove_member),
            web.post(f"{member}/promote", self._promote_member),
            web.post(f"{member}/demote", self._demote_member),
            web.get(f"{group}/invite", self._get_invite),
            web.delete(f"{group}/invite", self._revoke_invite),
            web.post(f"{session}/groups:join", self._join),
            web.post(f"{group}:leave", self._leave),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        self._server.check(request, "read")
        rows = [self._group_row(group) for group in self._world.groups.values()]
        return self._server.page(request, rows, self._server.rows_per_page)

    async def _get(self, request: web.Request) -> web.Response:
        group = self._group(request, "read")
        return web.json_response(self._group_row(group))

    async def _list_members(self, request: web.Request) -> web.Response:
        group = self._group(request, "read")
        members = self._server.listed(group)
        rows = [self._member_row(place, group, member) for place, member in enumerate(members, start=1)]
        return self._server.page(request, rows, self._server.rows_per_page)

    async def _create(self, request: web.Request) -> web.Response:
        self._server.check(request, "send")
        body = await json_object(request)
        name, participants = body.get("name"), body.get("participants")
        phones = _phones(participants)
        if not isinstance(name, str) or not name or not phones or None in phones:
            raise self._server.fail(400, message="name and participants are required")
        self._server.check_connected()
        jid = f"1203639{len(self._world.groups):011}@g.us"
        self._world.create_group(jid, name, filter(None, phones))
        shapes: dict[CreatedShape, Record] = {
            "row": {"groupJid": jid, "subject": name},
            "nested": {"group": {"id": 7, "jid": jid}},
            "silent": {"ok": True},
        }
        return web.json_response(shapes[self._server.created_shape], status=201)

    async def _update(self, request: web.Request) -> web.Response:
        """Apply the fields in the order in which they were sent, until one is refused."""
        group = self._group(request, "send")
        body = await json_object(request)
        if any(name in body and not isinstance(body[name], kind) for name, kind in _SETTINGS.items()):
            raise self._server.fail(400, message="malformed body")
        self._server.check_connected()
        for name in filter(_SETTINGS.__contains__, body):
            if group.left_by_account or (not group.account_is_admin and name not in self._server.free_settings):
                raise self._server.fail(403)
            if name in self._server.refused_settings:
                raise self._server.fail(400, message=f"{name} was refused")
            if name == "description" and not body[name] and not self._server.clears_description:
                continue
            setattr(group, "announce_only" if name == "announce" else name, body[name])
        return web.Response(status=204)

    async def _add_members(self, request: web.Request) -> web.Response:
        group = self._group(request, "send")
        phones = _phones((await json_object(request)).get("participants"))
        if not phones:
            raise self._server.fail(400, message="participants must not be empty")
        malformed = None in phones
        if malformed and self._server.malformed_spoils_all:
            raise self._server.fail(400, message="malformed JID")
        self._check_changeable(group)
        for phone in filter(None, phones):
            self._world.add(group.id, phone)
        if malformed:
            raise self._server.fail(400, message="malformed JID")
        return web.Response(status=204)

    async def _remove_member(self, request: web.Request) -> web.Response:
        return self._change_member(request, self._world.remove, absent_is_fine=True)

    async def _promote_member(self, request: web.Request) -> web.Response:
        return self._change_member(request, self._world.promote, absent_is_fine=False)

    async def _demote_member(self, request: web.Request) -> web.Response:
        return self._change_member(request, self._world.demote, absent_is_fine=False)

    def _change_member(
        self, request: web.Request, change: Callable[[str, str], Effect], *, absent_is_fine: bool
    ) -> web.Response:
        group = self._group(request, "send")
        jid = USER_JID.fullmatch(request.match_info["jid"])
        if jid is None:
            raise self._server.fail(400, message="malformed JID")
        self._check_changeable(group)
        if change(group.id, jid[1]) is Effect.NOT_A_MEMBER and not absent_is_fine:
            raise self._server.fail(404, message="member not found")
        return web.Response(status=204)

    async def _get_invite(self, request: web.Request) -> web.Response:
        return self._invite(request, "read", self._world.invite_of)

    async def _revoke_invite(self, request: web.Request) -> web.Response:
        return self._invite(request, "send", self._world.reset_invite)

    def _invite(self, request: web.Request, permission: str, code_of: Callable[[str], str]) -> web.Response:
        group = self._group(request, permission)
        self._check_changeable(group)
        return web.json_response({"invite": f"https://chat.whatsapp.com/{code_of(group.id)}"})

    async def _join(self, request: web.Request) -> web.Response:
        self._server.check(request, "send")
        invite = (await json_object(request)).get("invite")
        group = self._world.group_of_invite(invite) if isinstance(invite, str) and invite else None
        if group is None:
            raise self._server.fail(400, message="invalid or expired invite")
        self._server.check_connected()
        group.left_by_account = False
        return web.json_response({"groupJid": group.id})

    async def _leave(self, request: web.Request) -> web.Response:
        group = self._group(request, "send")
        self._server.check_connected()
        group.left_by_account = True
        return web.Response(status=204)

    def _group_row(self, group: SimGroup) -> Record:
        """Return a group as it is stored."""
        return {
            "id": list(self._world.groups).index(group.id) + 1,
            "groupJid": group.id,
            "subject": group.subject,
            "description": group.description,
            "ownerJid": f"{OWN_PHONE}@s.whatsapp.net",
            "participantCount": sum(member.role != "left" for member in self._world.visible_members(group.id)),
            "isAnnounce": group.announce_only,
            "isLocked": group.locked,
            "createdAtWa": LONG_AGO,
            "firstSeenAt": LONG_AGO,
            "updatedAt": self._server.millis(),
        }

    def _member_row(self, place: int, group: SimGroup, member: Membership) -> Record:
        since = int(member.since * 1000) or LONG_AGO
        return {
            "id": place,
            "sessionId": self._server.session,
            "groupJid": group.id,
            "lid": f"{self._world.person(member.phone).lid}@lid",
            "role": member.role,
            "tag": "",
            "firstSeenAt": since,
            "lastSeenAt": since,
        }

    def _group(self, request: web.Request, permission: str) -> SimGroup:
        self._server.check(request, permission)
        group = self._world.groups.get(request.match_info["gid"])
        if group is None:
            raise self._server.fail(404, message="group not found")
        return group

    def _check_changeable(self, group: SimGroup) -> None:
        """Check that the group can be changed; the contract has no status for a group that the account left."""
        self._server.check_connected()
        if not group.account_is_admin or group.left_by_account:
            raise self._server.fail(403)


def _phones(participants: object) -> list[str | None]:
    """Return the phone of each JID, None for a malformed one; an empty list for anything but a list."""
    if not isinstance(participants, list):
        return []
    jids = [USER_JID.fullmatch(jid) if isinstance(jid, str) else None for jid in participants]
    return [jid[1] if jid else None for jid in jids]
