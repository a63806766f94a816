"""The groups of the simulated 2Chat and their members: how they are read, created and changed."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.providers.server import Handler, with_own
from sandbox.providers.world import Effect, Membership, SimGroup, World

if TYPE_CHECKING:
    from sandbox.providers.twochat import TwoChatServer

MAX_PARTICIPANTS = 10
CHANNEL = "WPN95841312-b54d-46e3-b0bc-6414f4a5296b"
E164 = re.compile(r"\+[1-9][0-9]{1,14}")

_GROUP = "/open/whatsapp/group/{group}"

# The contract shows 200 only. These codes and words are those of whatsapp-web.js (the contract's x-unverified) and, for
# 401 and 421, of WhatsApp's other libraries.
_CODES: dict[Effect, tuple[int, str]] = {
    Effect.ADDED: (200, "The participant was added successfully"),
    Effect.ALREADY_MEMBER: (409, "The participant is already a group member"),
    Effect.PRIVATE: (403, "The participant can be added by sending private invitation only"),
    Effect.NO_ACCOUNT: (404, "The phone number is not registered on WhatsApp"),
    Effect.RECENTLY_LEFT: (408, "You cannot add this participant because they recently left the group"),
    Effect.BLOCKED: (401, "An unknown error occupied while adding a participant"),
    Effect.GROUP_FULL: (419, "The participant can't be added because the group is full"),
    Effect.AWAITS_ADMIN: (421, "An unknown error occupied while adding a participant"),
}

_CHANGES = {"remove": World.remove, "promote": World.promote, "demote": World.demote}
_DONE = {Effect.REMOVED, Effect.PROMOTED, Effect.DEMOTED}


class GroupCalls:
    """The calls about groups and their members.

    Args:
        server: the server that answers them.
    """

    def __init__(self, server: "TwoChatServer") -> None:
        self._server = server
        self._world = server.world
        self._created: dict[str, float] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of groups and their participants."""
        calls = [
            ("GET", "/open/whatsapp/groups/{number}", self._list_groups),
            ("POST", "/open/whatsapp/group/create", self._create),
            ("GET", _GROUP, self._get_group),
            ("POST", f"{_GROUP}/set-description", self._set_description),
            ("POST", f"{_GROUP}/set-picture", self._set_picture),
            ("POST", f"{_GROUP}/add-participant", self._add_participants),
            *(("POST", f"{_GROUP}/{change}-participant", self._changing(change)) for change in _CHANGES),
        ]
        return [web.route(method, path, self._server.charged(handler)) for method, path, handler in calls]

    async def _list_groups(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        if not E164.fullmatch(number):
            raise self._server.fail(422, message="The number is not E.164")
        if number.removeprefix("+") not in self._server.numbers:
            raise self._server.fail(404)
        seen = [self._summary(group) for group in self._world.groups.values() if self._is_seen(group)]
        return web.json_response({"success": True, "data": seen})

    async def _get_group(self, request: web.Request) -> web.Response:
        group = self._world.groups.get(request.match_info["group"])
        if group is None or not self._is_seen(group):
            raise self._server.fail(404)
        members = [self._member(m) for m in self._members(group)]
        data = {**self._summary(group), "channel_uuid": CHANNEL, "wa_subject": group.description}
        return web.json_response({"success": True, "data": {**data, "participants": members}})

    async def _create(self, request: web.Request) -> web.Response:
        body = await self._server.body_of(request)
        wanted = body.get("group")
        if "from_number" not in body or not isinstance(wanted, dict) or not {"name", "participants"} <= wanted.keys():
            raise self._server.fail(400)
        self._server.check_sender(body["from_number"], unknown=422)
        phones = self._phones(wanted["participants"])
        now, number = self._world.now(), len(self._created)
        group = self._world.put_group(f"WAG62598186-d2bd-4946-86c6-{number:012}", str(wanted["name"]))
        group.members[self._server.number] = Membership(self._server.number, role="admin", since=now)
        self._created[group.id] = now
        entries, accepted, unaccepted = self._join(group.id, phones)
        creator = {"statusCode": 200, "message": "The participant was added successfully", "isInviteV4Sent": False}
        made = {
            "uuid": group.id,
            "name": group.subject,
            "wa_group_id": f"120363{number:012}@g.us",
            "participants": {
                f"+{self._server.number}": {**creator, "isGroupCreator": True},
                **{number: {**entry, "isGroupCreator": False} for number, entry in entries.items()},
            },
            "accepted_numbers": accepted,
            "unaccepted_numbers": unaccepted,
        }
        return web.json_response({"success": True, "group": made})

    async def _set_description(self, request: web.Request) -> web.Response:
        body = await self._server.body_of(request)
        self._check_group(request.match_info["group"], body, "description")
        self._world.groups[request.match_info["group"]].description = str(body["description"])
        return web.json_response({"success": True})

    async def _set_picture(self, request: web.Request) -> web.Response:
        body = await self._server.body_of(request)
        self._check_group(request.match_info["group"], body, "url")
        if not str(body["url"]).startswith(("https://", "http://")):
            raise self._server.fail(422, message="url is not an address")
        self._world.groups[request.match_info["group"]].picture = str(body["url"])
        return web.json_response({"success": True})

    async def _add_participants(self, request: web.Request) -> web.Response:
        body = await self._server.body_of(request)
        group = request.match_info["group"]
        self._check_group(group, body, "participants")
        entries, _, unaccepted = self._join(group, self._phones(body["participants"]))
        # The contract leaves the value of `success` open when numbers fail; its remove example keeps it true.
        reply: dict[str, Any] = {"success": True, "participants": entries}
        holder = reply if self._server.unaccepted_at == "top" else reply.setdefault(self._server.unaccepted_at, {})
        as_objects = [{"phone_number": number} for number in unaccepted]
        holder["unaccepted_numbers"] = unaccepted if self._server.unaccepted_as == "strings" else as_objects
        return web.json_response(reply)

    def _changing(self, change: str) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            body = await self._server.body_of(request)
            group = request.match_info["group"]
            self._check_group(group, body, "participants")
            phones = self._phones(body["participants"])
            effects = {f"+{p}": _CHANGES[change](self._world, group, p) for p in phones}
            style = "lists" if change == "remove" else self._server.roles_answer
            return web.json_response({"success": True, **self._summarize(style, effects)})

        return handle

    def _summarize(self, style: str, effects: dict[str, Effect]) -> dict[str, Any]:
        """Return the results of a change. The contract leaves open whether a person with the same role is accepted."""
        if style == "success":
            return {}
        good_enough = (
            _DONE | {Effect.ALREADY_ADMIN, Effect.NOT_AN_ADMIN} if self._server.accepts_the_same_role else _DONE
        )
        accepted = [number for number, effect in effects.items() if effect in good_enough]
        unaccepted = [number for number in effects if number not in accepted]
        if style == "map":
            good = {"statusCode": 200, "message": "done", "isInviteV4Sent": False}
            return {"participants": dict.fromkeys(accepted, good), "unaccepted_numbers": unaccepted}
        lists = {"accepted_numbers": accepted, "unaccepted_numbers": unaccepted}
        return {"participants": {"timestamp": int(self._world.now()), **lists}}

    def _check_group(self, group_id: str, body: dict[str, Any], *needed: str) -> None:
        """Check that a group can be changed, and that the body has what the change needs."""
        if not {"from_number", *needed} <= body.keys():
            raise self._server.fail(400)
        self._server.check_sender(body["from_number"], unknown=404)
        group = self._world.groups.get(group_id)
        if group is None or group.left_by_account:
            raise self._server.fail(404)
        if not group.account_is_admin:
            # The contract leaves the answer to a number that is no admin open; the words are whatsapp-web.js's.
            raise self._server.fail(403, message="You have no admin rights to add a participant to a group")

    def _join(self, group_id: str, phones: Iterable[str]) -> tuple[dict[str, Any], list[str], list[str]]:
        """Add people. Return the entries by number, and the accepted and unaccepted numbers."""
        entries: dict[str, Any] = {}
        accepted: list[str] = []
        unaccepted: list[str] = []
        for asked in phones:
            effect = self._world.add(group_id, asked)
            if effect is Effect.NO_ACCOUNT:
                unaccepted.append(f"+{asked}")
                if not self._server.unaccepted_have_entries:
                    continue
            elif effect is Effect.ADDED:
                accepted.append(f"+{asked}")
            code, words = _CODES[effect]
            entries[f"+{self._world.canonical(asked) if self._server.answers_canonical else asked}"] = {
                "statusCode": code,
                "message": words,
                "isInviteV4Sent": self._server.sends_invites and effect is Effect.PRIVATE,
            }
        return entries, accepted, unaccepted

    def _is_seen(self, group: SimGroup) -> bool:
        """Return whether reads show a group: not in the first minutes, nor after the account left it."""
        age = self._world.now() - self._created.get(group.id, float("-inf"))
        return age >= self._world.read_lag and not group.left_by_account

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
        """Return the members that reads show, always with the connected number itself."""
        own = Membership(self._server.number, "admin" if group.account_is_admin else "member")
        return with_own(self._world.visible_members(group.id), own)

    def _member(self, member: Membership) -> dict[str, Any]:
        admin = {"wa_is_admin": member.role != "member", "wa_is_super_admin": member.role == "superadmin"}
        if member.phone in self._server.lid_only:
            return {"wa_participant_id": f"{self._world.person(member.phone).lid}@lid", **admin}
        return {"wa_participant_id": f"{member.phone}@c.us", "phone_number": f"+{member.phone}", **admin}

    def _phones(self, numbers: Any) -> list[str]:
        """Return the digits of a request's numbers, each once. The contract leaves open what other forms do."""
        if not isinstance(numbers, list) or len(numbers) > MAX_PARTICIPANTS:
            raise self._server.fail(422, message=f"participants must be a list of at most {MAX_PARTICIPANTS} numbers")
        if not all(isinstance(n, str) and E164.fullmatch(n) for n in numbers):
            raise self._server.fail(422, message="A number is not E.164")
        return list(dict.fromkeys(number.removeprefix("+") for number in numbers))
