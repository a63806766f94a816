"""The simulated WUTS's groups and communities: reading, making and changing them, and their participants."""

import base64
import binascii
from typing import Any

from aiohttp import web

from sandbox.providers.world import Effect, Membership, SimGroup, World
from sandbox.providers.wuts_device import NUMBER, WutsDevice, body_of

EPHEMERAL_SECONDS = {0, 86_400, 604_800, 7_776_000}
_JPEG = b"\xff\xd8\xff"
_ACTIONS = {"POST": "add", "DELETE": "remove"}
_FIELDS = {"name": "subject", "topic": "description", "announcement": "announce_only"}

# WhatsApp's own codes. The contract's records hold none; they appear only where `codes_in_records` is set.
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
_NOT_IN = {*_CODES} - {Effect.ALREADY_MEMBER}


class WutsGroups(WutsDevice):
    """The groups of the device.

    Attributes:
        lists_refused: whether an answer lists the people about whom nothing was done; the contract leaves it open.
        codes_in_records: whether records carry WhatsApp's code under `error`; on no page.
        names_communities: whether a new community's JID is told; the page prints an empty object.
        updates_in_turn: whether a refused update has done what comes before the refused property; left open.
    """

    def __init__(self, world: World, *, token: str = "sandbox-token", latency: float = 0.0) -> None:  # noqa: S107
        super().__init__(world, token=token, latency=latency)
        self.lists_refused = True
        self.codes_in_records = False
        self.names_communities = False
        self.updates_in_turn = False

    def group_routes(self) -> list[web.RouteDef]:
        """Give the contract's routes for groups and communities."""
        return [
            web.get("/groups", self.when_ready(self._list)),
            web.post("/groups", self.when_ready(self._create)),
            web.post("/groups/join", self.when_ready(self._join)),
            web.get("/groups/{jid}", self.when_ready(self._get)),
            web.patch("/groups/{jid}", self.when_ready(self._update)),
            web.post("/groups/{jid}/participants", self.when_ready(self._participants)),
            web.delete("/groups/{jid}/participants", self.when_ready(self._participants)),
            web.delete("/groups/{jid}/leave", self.when_ready(self._leave)),
            web.post("/groups/{jid}/picture", self.when_ready(self._picture)),
            web.put("/groups/{jid}/ephemeral", self.when_ready(self._ephemeral)),
            web.get("/groups/{jid}/invite", self.when_ready(self._invite)),
            web.post("/groups/{jid}/invite/reset", self.when_ready(self._reset_invite)),
            web.post("/communities", self.when_ready(self._create_community)),
            web.post("/communities/{jid}/participants", self.when_ready(self._community_participants)),
            web.delete("/communities/{jid}/participants", self.when_ready(self._community_participants)),
        ]

    async def _list(self, _: web.Request) -> web.Response:
        rows = [self.group_row(group) for group in self.world.groups.values() if not group.left_by_account]
        return web.json_response({"success": True, "groups": rows})

    async def _get(self, request: web.Request) -> web.Response:
        group = self.group_of(request)
        participants = [self.record(m.phone, is_admin=m.role == "admin") for m in self.members(group)]
        return web.json_response({"success": True, "group": {**self.group_row(group), "participants": participants}})

    async def _create(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        group, records = self._make(body, self.participants_of(body))
        owner = self.record(NUMBER, is_admin=True)
        row = {**self.group_row(group), "participants": [owner, *records]}
        return web.json_response({"success": True, "group": row}, status=201)

    async def _create_community(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        group, _ = self._make(body, self.participants_of(body, may_be_empty=True))
        community = {"jid": group.id} if self.names_communities else {}
        return web.json_response({"success": True, "community": community})

    def _make(self, body: dict[str, Any], participants: list[str]) -> tuple[SimGroup, list[dict[str, Any]]]:
        name = body.get("name")
        if not isinstance(name, str) or not name:
            raise self.invalid("name", "name must not be empty", name)
        jid = f"{120363000000001000 + len(self.world.groups)}@g.us"
        self.world.create_group(jid, name, ())
        group = self.world.groups[jid]
        group.members[NUMBER] = Membership(NUMBER, "admin", since=self.world.now())
        return group, self._deal(group, "add", participants)

    async def _update(self, request: web.Request) -> web.Response:
        group, body = self.group_of(request), await body_of(request)
        wanted = {field: body[field] for field in _FIELDS if field in body}
        if not wanted:
            raise self.invalid("body", "at least one property must be sent", None)
        for looking in (False,) if self.updates_in_turn else (True, False):
            for field, value in wanted.items():
                if self._may_set(group, field, value) and not looking:
                    setattr(group, _FIELDS[field], value)
        return web.json_response({"success": True, "group": self.group_row(group)})

    def _may_set(self, group: SimGroup, field: str, value: Any) -> bool:
        """Tell whether a property takes effect; name and topic are open to every member of an unlocked group."""
        if not isinstance(value, bool if field == "announcement" else str) or (field == "name" and not value):
            raise self.invalid(field, f"{field} is not valid", value)
        return self.may_change(group) if field == "announcement" or group.locked else True

    async def _participants(self, request: web.Request) -> web.Response:
        group, body = self.group_of(request), await body_of(request)
        participants = self.participants_of(body)
        action = body.get("action", _ACTIONS[request.method])
        if action not in {"add", "remove", "promote", "demote"}:
            raise self.invalid("action", "action must be add, remove, promote or demote", action)
        return web.json_response({"success": True, "participants": self._deal(group, action, participants)})

    async def _community_participants(self, request: web.Request) -> web.Response:
        group, action = self.group_of(request), _ACTIONS[request.method]
        records = self._deal(group, action, self.participants_of(await body_of(request)))
        entries = records if self.codes_in_records else [{} for _ in records]
        return web.json_response({"success": True, "jid": group.id, "action": action, "participants": entries})

    def _deal(self, group: SimGroup, action: str, participants: list[str]) -> list[dict[str, Any]]:
        effective = self.may_change(group)
        records = [self._deal_one(group, action, participant, effective=effective) for participant in participants]
        return [record for record in records if record]

    def _deal_one(self, group: SimGroup, action: str, participant: str, *, effective: bool) -> dict[str, Any] | None:
        phone = self.phone_of(participant)
        if phone is None or not effective:
            return {"jid": participant, "is_admin": False, "is_super_admin": False}
        effect = getattr(self.world, action)(group.id, phone)
        if effect in _NOT_IN and not self.lists_refused:
            return None
        # What the flags of somebody with a new role say is not shown: here they stay as they were sent.
        return self.record(phone) | ({"error": _CODES.get(effect, 200)} if self.codes_in_records else {})

    async def _leave(self, request: web.Request) -> web.Response:
        group = self.group_of(request)
        group.left_by_account = True
        group.members.pop(NUMBER, None)
        return web.json_response({"success": True})

    async def _join(self, request: web.Request) -> web.Response:
        link = (await body_of(request)).get("link")
        if not isinstance(link, str) or not link.startswith("https://chat.whatsapp.com/"):
            raise self.invalid("link", "link must be an invite link", link)
        group = self.world.group_of_invite(link)
        if group is None:
            return self.error(404, message="the invite link leads nowhere")
        if not group.joins_need_approval:
            group.left_by_account = False
            group.members.setdefault(NUMBER, Membership(NUMBER, since=self.world.now()))
        answer = {"success": True, "pending_approval": group.joins_need_approval, "group_jid": group.id}
        return web.json_response(answer)

    async def _picture(self, request: web.Request) -> web.Response:
        group, encoded = self.group_of(request), (await body_of(request)).get("image_base64")
        try:
            picture = base64.b64decode(str(encoded), validate=True)
        except binascii.Error:
            picture = b""
        if not picture.startswith(_JPEG):
            raise self.invalid("image_base64", "image_base64 must be a JPEG in base64", None)
        if self.may_change(group):
            group.picture = str(encoded)
        return web.json_response({"success": True, "picture_id": "1718000001"})

    async def _ephemeral(self, request: web.Request) -> web.Response:
        group, seconds = self.group_of(request), (await body_of(request)).get("duration_seconds")
        if seconds not in EPHEMERAL_SECONDS:
            raise self.invalid("duration_seconds", "duration_seconds must be 0, 86400, 604800 or 7776000", seconds)
        if self.may_change(group):
            group.ephemeral = seconds
        return web.json_response({"success": True, "duration_seconds": group.ephemeral})

    async def _invite(self, request: web.Request) -> web.Response:
        group = self.group_of(request)
        return web.json_response(self._link(group, self.world.invite_of(group.id)))

    async def _reset_invite(self, request: web.Request) -> web.Response:
        group = self.group_of(request)
        code = self.world.reset_invite(group.id) if self.may_change(group) else self.world.invite_of(group.id)
        return web.json_response({**self._link(group, code), "reset_at": self.timestamp()})

    @staticmethod
    def _link(group: SimGroup, code: str) -> dict[str, Any]:
        return {"success": True, "group_jid": group.id, "invite_link": f"https://chat.whatsapp.com/{code}"}
