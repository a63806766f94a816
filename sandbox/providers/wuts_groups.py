"""The groups and communities of the simulated WUTS: how they are read, created and changed."""

import base64
import binascii
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.providers.server import json_object
from sandbox.providers.world import Effect, Membership, SimGroup

if TYPE_CHECKING:
    from sandbox.providers.wuts import WutsServer

EPHEMERAL_SECONDS = {0, 86_400, 604_800, 7_776_000}
_JPEG = b"\xff\xd8\xff"
_ACTIONS = {"POST": "add", "DELETE": "remove"}
_FIELDS = {"name": "subject", "topic": "description", "announcement": "announce_only"}

# WhatsApp's own codes. The contract's records have none; they appear only if `codes_in_records` is set.
_CODES = {
    Effect.ALREADY_MEMBER: 409,
    Effect.PRIVATE: 403,
    Effect.NO_ACCOUNT: 404,
    Effect.RECENTLY_LEFT: 408,
    Effect.BLOCKED: 401,
    Effect.GROUP_FULL: 419,
    Effect.AWAITS_ADMIN: 421,
    Effect.NOT_A_MEMBER: 404,
}
_NOT_MEMBERS = {*_CODES} - {Effect.ALREADY_MEMBER}


class GroupCalls:
    """The calls about groups and communities.

    Args:
        server: the server that answers them.
    """

    def __init__(self, server: "WutsServer") -> None:
        self._server = server
        self._world = server.world

    def routes(self) -> list[web.RouteDef]:
        """Return the contract's routes for groups and communities."""
        calls = [
            ("GET", "/groups", self._list),
            ("POST", "/groups", self._create),
            ("POST", "/groups/join", self._join),
            ("GET", "/groups/{jid}", self._get),
            ("PATCH", "/groups/{jid}", self._update),
            ("POST", "/groups/{jid}/participants", self._participants),
            ("DELETE", "/groups/{jid}/participants", self._participants),
            ("DELETE", "/groups/{jid}/leave", self._leave),
            ("POST", "/groups/{jid}/picture", self._picture),
            ("PUT", "/groups/{jid}/ephemeral", self._ephemeral),
            ("GET", "/groups/{jid}/invite", self._invite),
            ("POST", "/groups/{jid}/invite/reset", self._reset_invite),
            ("POST", "/communities", self._create_community),
            ("POST", "/communities/{jid}/participants", self._community_participants),
            ("DELETE", "/communities/{jid}/participants", self._community_participants),
        ]
        return [web.route(method, path, self._server.when_ready(handler)) for method, path, handler in calls]

    async def _list(self, _: web.Request) -> web.Response:
        rows = [self._server.group_row(group) for group in self._world.groups.values() if not group.left_by_account]
        return web.json_response({"success": True, "groups": rows})

    async def _get(self, request: web.Request) -> web.Response:
        group = self._server.group_of(request)
        participants = [self._server.record(m.phone, is_admin=m.role == "admin") for m in self._server.members(group)]
        row = {**self._server.group_row(group), "participants": participants}
        return web.json_response({"success": True, "group": row})

    async def _create(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        group, records = self._make(body, self._server.participants_of(body))
        owner = self._server.record(self._server.number, is_admin=True)
        row = {**self._server.group_row(group), "participants": [owner, *records]}
        return web.json_response({"success": True, "group": row}, status=201)

    async def _create_community(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        group, _ = self._make(body, self._server.participants_of(body, may_be_empty=True))
        community = {"jid": group.id} if self._server.names_communities else {}
        return web.json_response({"success": True, "community": community})

    def _make(self, body: dict[str, Any], participants: list[str]) -> tuple[SimGroup, list[dict[str, Any]]]:
        name = body.get("name")
        if not isinstance(name, str) or not name:
            raise self._server.invalid("name", "name must not be empty", name)
        jid = f"{120363000000001000 + len(self._world.groups)}@g.us"
        self._world.create_group(jid, name, ())
        group = self._world.groups[jid]
        group.members[self._server.number] = Membership(self._server.number, "admin", since=self._world.now())
        return group, self._change(group, "add", participants)

    async def _update(self, request: web.Request) -> web.Response:
        group, body = self._server.group_of(request), await json_object(request)
        wanted = {field: body[field] for field in _FIELDS if field in body}
        if not wanted:
            raise self._server.invalid("body", "at least one property must be sent", None)
        for only_checks in (False,) if self._server.updates_in_turn else (True, False):
            for field, value in wanted.items():
                if self._may_set(group, field, value) and not only_checks:
                    setattr(group, _FIELDS[field], value)
        return web.json_response({"success": True, "group": self._server.group_row(group)})

    def _may_set(self, group: SimGroup, field: str, value: Any) -> bool:
        """Return whether a property changes; every member may change name and topic of an unlocked group."""
        if not isinstance(value, bool if field == "announcement" else str) or (field == "name" and not value):
            raise self._server.invalid(field, f"{field} is not valid", value)
        return self._server.may_change(group) if field == "announcement" or group.locked else True

    async def _participants(self, request: web.Request) -> web.Response:
        group, body = self._server.group_of(request), await json_object(request)
        participants = self._server.participants_of(body)
        action = body.get("action", _ACTIONS[request.method])
        if action not in {"add", "remove", "promote", "demote"}:
            raise self._server.invalid("action", "action must be add, remove, promote or demote", action)
        return web.json_response({"success": True, "participants": self._change(group, action, participants)})

    async def _community_participants(self, request: web.Request) -> web.Response:
        group, action = self._server.group_of(request), _ACTIONS[request.method]
        records = self._change(group, action, self._server.participants_of(await json_object(request)))
        entries = records if self._server.codes_in_records else [{} for _ in records]
        return web.json_response({"success": True, "jid": group.id, "action": action, "participants": entries})

    def _change(self, group: SimGroup, action: str, participants: list[str]) -> list[dict[str, Any]]:
        effective = self._server.may_change(group)
        records = [self._change_one(group, action, participant, effective=effective) for participant in participants]
        return [record for record in records if record]

    def _change_one(self, group: SimGroup, action: str, participant: str, *, effective: bool) -> dict[str, Any] | None:
        phone = self._server.phone_of(participant)
        if phone is None or not effective:
            return {"jid": participant, "is_admin": False, "is_super_admin": False}
        effect = getattr(self._world, action)(group.id, phone)
        if effect in _NOT_MEMBERS and not self._server.lists_refused:
            return None
        # The pages do not show the flags of a person with a new role: here they are false.
        return self._server.record(phone) | (
            {"error": _CODES.get(effect, 200)} if self._server.codes_in_records else {}
        )

    async def _leave(self, request: web.Request) -> web.Response:
        group = self._server.group_of(request)
        group.left_by_account = True
        group.members.pop(self._server.number, None)
        return web.json_response({"success": True})

    async def _join(self, request: web.Request) -> web.Response:
        link = (await json_object(request)).get("link")
        if not isinstance(link, str) or not link.startswith("https://chat.whatsapp.com/"):
            raise self._server.invalid("link", "link must be an invite link", link)
        group = self._world.group_of_invite(link)
        if group is None:
            raise self._server.fail(404, message="the invite link is not valid")
        if not group.joins_need_approval:
            group.left_by_account = False
            group.members.setdefault(self._server.number, Membership(self._server.number, since=self._world.now()))
        answer = {"success": True, "pending_approval": group.joins_need_approval, "group_jid": group.id}
        return web.json_response(answer)

    async def _picture(self, request: web.Request) -> web.Response:
        group, encoded = self._server.group_of(request), (await json_object(request)).get("image_base64")
        try:
            picture = base64.b64decode(str(encoded), validate=True)
        except binascii.Error:
            picture = b""
        if not picture.startswith(_JPEG):
            raise self._server.invalid("image_base64", "image_base64 must be a JPEG in base64", None)
        if self._server.may_change(group):
            group.picture = str(encoded)
        return web.json_response({"success": True, "picture_id": "1718000001"})

    async def _ephemeral(self, request: web.Request) -> web.Response:
        group, seconds = self._server.group_of(request), (await json_object(request)).get("duration_seconds")
        if seconds not in EPHEMERAL_SECONDS:
            raise self._server.invalid(
                "duration_seconds", "duration_seconds must be 0, 86400, 604800 or 7776000", seconds
            )
        if self._server.may_change(group):
            group.ephemeral = seconds
        return web.json_response({"success": True, "duration_seconds": group.ephemeral})

    async def _invite(self, request: web.Request) -> web.Response:
        group = self._server.group_of(request)
        return web.json_response(self._link(group, self._world.invite_of(group.id)))

    async def _reset_invite(self, request: web.Request) -> web.Response:
        group = self._server.group_of(request)
        code = self._world.reset_invite(group.id) if self._server.may_change(group) else self._world.invite_of(group.id)
        return web.json_response({**self._link(group, code), "reset_at": self._server.timestamp()})

    @staticmethod
    def _link(group: SimGroup, code: str) -> dict[str, Any]:
        return {"success": True, "group_jid": group.id, "invite_link": f"https://chat.whatsapp.com/{code}"}
