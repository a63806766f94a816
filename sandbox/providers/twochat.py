"""A simulated 2Chat (contract `contracts/twochat.openapi.yaml`): numbers, groups, their members, and texts."""

from typing import Any

from aiohttp import web

from sandbox.providers.twochat_account import CHANNEL, E164, Refusal, body_of
from sandbox.providers.twochat_people import TwoChatPeople, phones_of
from sandbox.providers.world import Membership, SimGroup, World

_GROUP = "/open/whatsapp/group/{group}"


class TwoChatServer(TwoChatPeople):
    """2Chat with one connected number.

    Args:
        world: the people and groups behind it.
        token: the API key it accepts.
        latency: seconds that every call takes.
        number: the connected number, digits without plus.

    Attributes:
        lid_only: phones of members whom the member list shows by their LID alone.
    """

    name = "twochat"

    def __init__(
        self,
        world: World,
        *,
        token: str = "sandbox-token",  # noqa: S107 - the sandbox's own
        latency: float = 0.0,
        number: str = "595981048477",
    ) -> None:
        super().__init__(world, token=token, latency=latency, number=number)
        self.lid_only: set[str] = set()
        self._made: dict[str, float] = {}

    def routes(self) -> list[web.RouteDef]:
        """Give the contract's routes for groups, their members, numbers, texts and the account."""
        return [
            web.get("/open/whatsapp/groups/{number}", self.charged(self._list_groups)),
            web.post("/open/whatsapp/group/create", self.charged(self._create)),
            web.get(_GROUP, self.charged(self._get_group)),
            web.post(f"{_GROUP}/set-description", self.charged(self._set_description)),
            web.post(f"{_GROUP}/set-picture", self.charged(self._set_picture)),
            web.post("/open/whatsapp/send-message", self.charged(self._send_message)),
            *self.people_routes(_GROUP),
            *self.account_routes(),
        ]

    async def _list_groups(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        if not E164.fullmatch(number):
            raise Refusal(422, "The number is not E.164")
        if number.removeprefix("+") not in self.numbers:
            raise Refusal(404)
        seen = [self._summary(group) for group in self.world.groups.values() if self._is_seen(group)]
        return web.json_response({"success": True, "data": seen})

    async def _get_group(self, request: web.Request) -> web.Response:
        group = self.world.groups.get(request.match_info["group"])
        if group is None or not self._is_seen(group):
            raise Refusal(404)
        members = [self._member(m) for m in self._members(group)]
        data = {**self._summary(group), "channel_uuid": CHANNEL, "wa_subject": group.description}
        return web.json_response({"success": True, "data": {**data, "participants": members}})

    async def _create(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        wanted = body.get("group")
        if "from_number" not in body or not isinstance(wanted, dict) or not {"name", "participants"} <= wanted.keys():
            raise Refusal(400)
        self.check_sender(body["from_number"], unknown=422)
        phones = phones_of(wanted["participants"])
        now, number = self.world.now(), len(self._made)
        group = self.world.put_group(f"WAG62598186-d2bd-4946-86c6-{number:012}", str(wanted["name"]))
        group.members[self.number] = Membership(self.number, role="admin", since=now)
        self._made[group.id] = now
        entries, accepted, unaccepted = self.joining(group.id, phones)
        creator = {"statusCode": 200, "message": "The participant was added successfully", "isInviteV4Sent": False}
        made = {
            "uuid": group.id,
            "name": group.subject,
            "wa_group_id": f"120363{number:012}@g.us",
            "participants": {
                f"+{self.number}": {**creator, "isGroupCreator": True},
                **{number: {**entry, "isGroupCreator": False} for number, entry in entries.items()},
            },
            "accepted_numbers": accepted,
            "unaccepted_numbers": unaccepted,
        }
        return web.json_response({"success": True, "group": made})

    async def _set_description(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        self.group_to_change(request.match_info["group"], body, "description")
        self.world.groups[request.match_info["group"]].description = str(body["description"])
        return web.json_response({"success": True})

    async def _set_picture(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        self.group_to_change(request.match_info["group"], body, "url")
        if not str(body["url"]).startswith(("https://", "http://")):
            raise Refusal(422, "url is not an address")
        self.world.groups[request.match_info["group"]].picture = str(body["url"])
        return web.json_response({"success": True})

    async def _send_message(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if "from_number" not in body or not isinstance(body.get("text"), str):
            raise Refusal(400)
        if ("to_number" in body) == ("to_group_uuid" in body):
            raise Refusal(422, "Give to_number or to_group_uuid")
        self.check_sender(body["from_number"], unknown=422)
        group = self.world.groups.get(str(body.get("to_group_uuid")))
        if "to_group_uuid" in body and (group is None or group.left_by_account):
            raise Refusal(404)
        to = group.id if group else str(body["to_number"])
        if not group and not E164.fullmatch(to):
            raise Refusal(422, "to_number is not E.164")
        self.world.send(to.removeprefix("+"), body["text"])
        uuid = f"MSGcf20bbdb-0a8a-4eef-bca1-{len(self.world.sent):012}"
        return web.json_response({"success": True, "message_uuid": uuid, "batched": True})

    def _is_seen(self, group: SimGroup) -> bool:
        """Tell whether reads show a group: not in the first minutes after it was made, nor after it was left."""
        age = self.world.now() - self._made.get(group.id, float("-inf"))
        return age >= self.world.read_lag and not group.left_by_account

    def _summary(self, group: SimGroup) -> dict[str, Any]:
        return {
            "uuid": group.id,
            "wa_group_name": group.subject,
            "size": len(self._members(group)),
            "is_muted": False,
            "is_read_only": False,
            "channel_is_owner": False,
        }

    def _members(self, group: SimGroup) -> list[Membership]:
        """Give the members that reads show, among whom the connected number itself always is."""
        members = self.world.visible_members(group.id)
        own = Membership(self.number, "admin" if group.account_is_admin else "member")
        return members if any(member.phone == self.number for member in members) else [own, *members]

    def _member(self, member: Membership) -> dict[str, Any]:
        admin = {"wa_is_admin": member.role != "member", "wa_is_super_admin": member.role == "superadmin"}
        if member.phone in self.lid_only:
            return {"wa_participant_id": f"{self.world.person(member.phone).lid}@lid", **admin}
        return {"wa_participant_id": f"{member.phone}@c.us", "phone_number": f"+{member.phone}", **admin}
