"""A simulated Wasend (contract `contracts/wasend.openapi.yaml`): its session, and the lists, numbers and texts."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from aiohttp import web

from sandbox.providers.server import Handler, ProviderServer, json_object, with_own
from sandbox.providers.wasend_groups import ParticipantCalls, SettingCalls, Variation
from sandbox.providers.wasend_records import (
    OWN_PHONE,
    Record,
    Shape,
    group_info,
    group_record,
    member_record,
    message_record,
    session_record,
)
from sandbox.providers.world import Disposition, Effect, Membership, SimGroup

ResultIds = Literal["c.us", "s.whatsapp.net", "lid", "echo"]
GroupHandler = Callable[[web.Request, SimGroup, Record], web.Response]

PAGE = 50
# WhatsApp's own codes; the contract leaves open whether the SDK's `error` is one.
_CODES = {Effect.PRIVATE: 403, Effect.NO_ACCOUNT: 404, Effect.RECENTLY_LEFT: 408, Effect.BLOCKED: 401}

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")
_E164 = re.compile(r"\+?([1-9][0-9]{6,14})")
_JID = re.compile(r"([0-9]+)@(s\.whatsapp\.net|c\.us|lid)")

# The contract documents the first three reasons, and for the others only that a demotion gives NOT_ADMIN and NOT_FOUND.
# The others are invented.
_REASONS: dict[Effect, str | None] = {
    Effect.ADDED: "SUCCESS",
    Effect.ALREADY_MEMBER: "ALREADY_IN_GROUP",
    Effect.NO_ACCOUNT: "NOT_FOUND",
    Effect.PRIVATE: "PRIVACY",
    Effect.RECENTLY_LEFT: "RECENTLY_LEFT",
    Effect.BLOCKED: "BLOCKED",
    Effect.GROUP_FULL: "GROUP_FULL",
    Effect.AWAITS_ADMIN: "AWAITING_APPROVAL",
    Effect.DEMOTED: "SUCCESS",
    Effect.NOT_AN_ADMIN: "NOT_ADMIN",
    Effect.NOT_A_MEMBER: "NOT_FOUND",
}

_MESSAGES = {
    400: "Invalid parameters",
    401: "API key missing or invalid",
    403: "Only group admins can add participants",
    404: "Session or group not found",
    429: "Rate limit exceeded",
    500: "Internal server error",
}

# The states that the SDK's README names; it has none for a restricted account, ERROR is the nearest.
STATES = {"connected": "CONNECTED", "disconnected": "STOPPED", "restricted": "ERROR"}


@dataclass(kw_only=True, eq=False)
class WasendServer(ProviderServer):
    """Wasend with one session. Sorting, `search`, `status` and `tags` of the group list are not simulated.

    Attributes:
        session: the session's uniqueSessionId.
        variant: whether it has the documentation's paths, bodies and wrapped responses, or those of the SDK.
        mixed: the calls that have the other variant than `variant`.
        absent_status: the status of an unknown path; the contract leaves it open.
        lacks_description: whether it cannot set a description, which has no documentation page.
        mute: whether writes have an empty response if the SDK ignores it (all but those that return a group, a code
            or a message).
        reasons: the reason that an add or a demotion gives for an effect; None: the person is in neither list, which
            the add page says of blocks and privacy settings.
        result_ids: how results name people: by a JID with this suffix, or as the request did. The contract leaves it
            open; its samples have `@c.us`.
        lists_refused: whether the record of a new group also lists people who were not added, in the SDK's variant
            with an `error`; the contract leaves it open.
        quotes_codes: whether an unwrapped invite code is JSON instead of plain text.
        not_connected_status: the status while the session is not connected; the contract leaves it open.
        lid_only: phones of members whom lists show by their LID alone.
    """

    name: ClassVar[str] = "wasend"
    session: str = "session-1"
    variant: Shape = "docs"
    mixed: dict[Variation, Shape] = field(default_factory=dict)
    absent_status: int = 404
    lacks_description: bool = False
    mute: bool = False
    reasons: dict[Effect, str | None] = field(default_factory=lambda: dict(_REASONS))
    result_ids: ResultIds = "c.us"
    lists_refused: bool = False
    quotes_codes: bool = True
    not_connected_status: int = 400
    lid_only: set[str] = field(default_factory=set)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the contract that an adapter uses."""
        group = "/{session}/groups/{group}"
        return [
            web.get("/sessions/{session}", self._get_session),
            web.get("/contacts/check-exists", self._check),
            web.post("/sendText", self._send_text),
            web.get("/{session}/groups", self._list_groups),
            web.post("/{session}/groups", self._create),
            web.get(f"{group}/info", self.only("read", "docs", self.for_group(self._get_group_info))),
            web.get(group, self.only("read", "sdk", self.for_group(self._get_group))),
            *ParticipantCalls(self).routes(),
            *SettingCalls(self).routes(),
        ]

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Return an error. The contract has only `message`, which the SDK reads; there is no code."""
        return web.json_response({"message": message or code or _MESSAGES.get(status, "Failure")}, status=status)

    def only(self, call: Variation, shape: Shape, handler: Handler) -> Handler:
        """Answer by `handler` only if the server has this variant of the call."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.mixed.get(call, self.variant) != shape:
                raise self.fail(self.absent_status, message=f"Cannot {request.method} {request.path}")
            return await handler(request)

        return guarded

    def for_group(self, handler: GroupHandler, *, admins: bool = False) -> Handler:
        """Find the group and read the JSON body for `handler`; `admins`: the account must be an admin."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            self.check_session(request.match_info["session"])
            group = self.world.groups.get(request.match_info["group"])
            if group is None or group.left_by_account:
                raise self.fail(404)
            body = _json_object(await request.read())
            if body is None:
                raise self.fail(400)
            if admins and not group.account_is_admin:
                raise self.fail(403)
            return handler(request, group, body)

        return guarded

    def done(self, **fields: Any) -> web.Response:
        """Answer a write whose response the SDK ignores."""
        return web.Response(status=200) if self.mute else web.json_response({"success": True, **fields})

    def check_session(self, session: object) -> None:
        """Check that a call names this session, and that it is connected.

        Raises:
            ErrorResponse: it does not, or is not.
        """
        if session != self.session:
            raise self.fail(404)
        if self.account_state != "connected":
            raise self.fail(self.not_connected_status, message="Session is not connected")

    def members(self, group: SimGroup) -> list[Record]:
        """Return the rows of a group's member list, always with the session's own number."""
        members = with_own(self.world.visible_members(group.id), Membership(OWN_PHONE, "admin"))
        return [self.member(member) for member in members]

    def member(self, member: Membership) -> Record:
        """Return one row of a member list."""
        human = self.world.person(member.phone)
        return member_record(member, human.lid, self.variant, hidden=member.phone in self.lid_only)

    def phone(self, identifier: str) -> str | None:
        """Return the canonical phone of a number or a JID; None for anything else."""
        if match := _E164.fullmatch(identifier):
            return self.world.canonical(match[1])
        if match := _JID.fullmatch(identifier):
            return self.world.phone_of_lid(match[1]) if match[2] == "lid" else self.world.canonical(match[1])
        return None

    def result_id(self, identifier: str, phone: str | None) -> str:
        """Return how a result names a person."""
        if phone is None or self.result_ids == "echo":
            return identifier
        user = self.world.person(phone).lid if self.result_ids == "lid" else phone
        return f"{user}@{self.result_ids}"

    async def _get_session(self, request: web.Request) -> web.Response:
        if request.match_info["session"] != self.session:
            raise self.fail(404, message="Session not found")
        return web.json_response(session_record(self.session, STATES[self.account_state], self.variant))

    async def _check(self, request: web.Request) -> web.Response:
        self.check_session(request.query.get("session"))
        phone = request.query.get("phone", "")
        if not _DIGITS.fullmatch(phone):
            raise self.fail(400)
        if self.world.person(phone).disposition is Disposition.NO_ACCOUNT:
            return web.json_response({"exists": False, "phone": phone})
        return web.json_response({"exists": True, "phone": phone, "jid": f"{phone}@c.us"})

    async def _send_text(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        self.check_session(body.get("session"))
        to, text = str(body.get("to", "")), body.get("text")
        if not isinstance(text, str) or not text:
            raise self.fail(400)
        if to.endswith("@g.us"):
            group = self.world.groups.get(to)
            if group is None or group.left_by_account:
                raise self.fail(404)
        elif not _PHONE.fullmatch(to):
            raise self.fail(400)
        self.world.send(to.removeprefix("+"), text)
        return web.json_response(message_record(len(self.world.sent), to, text))

    async def _list_groups(self, request: web.Request) -> web.Response:
        self.check_session(request.match_info["session"])
        query = request.query
        try:
            limit, offset = int(query.get("limit", PAGE)), int(query.get("offset", 0))
        except ValueError:
            raise self.fail(400) from None
        found = [group for group in self.world.groups.values() if not group.left_by_account]
        # The documentation does not say how arrays are written; the SDK writes `exclude[]`.
        bare = "participants" in (*query.getall("exclude", ()), *query.getall("exclude[]", ()))
        page = [self._record(group, bare=bare) for group in found[offset : offset + limit]]
        if self.variant == "sdk":
            return web.json_response(page)
        more = offset + len(page) < len(found)
        pagination = {"total": len(found), "limit": limit, "offset": offset, "hasMore": more}
        return web.json_response({"groups": page, "pagination": pagination})

    async def _create(self, request: web.Request) -> web.Response:
        self.check_session(request.match_info["session"])
        body = await json_object(request)
        name, requested = body.get("name"), body.get("participants")
        if not isinstance(name, str) or not name or not isinstance(requested, list):
            raise self.fail(400)
        phones = [phone for phone in map(self._requested_phone, requested) if phone]
        if len(phones) < len(requested):
            raise self.fail(400)
        group_id = f"12036399{len(self.world.groups):010}@g.us"
        effects = self.world.create_group(group_id, name, phones)
        group = self.world.groups[group_id]
        group.members = {OWN_PHONE: Membership(OWN_PHONE, "admin"), **group.members}
        group.description = str(body.get("description", ""))
        refused = [self._refused(phone, effect) for phone, effect in effects.items() if effect in _CODES]
        rows = [self.member(member) for member in group.members.values()] + (refused if self.lists_refused else [])
        return web.json_response(group_record(group, rows, self.variant))

    @staticmethod
    def _requested_phone(item: Any) -> str | None:
        requested = str(item.get("id")) if isinstance(item, dict) else ""
        return requested.removeprefix("+") if _PHONE.fullmatch(requested) else None

    def _refused(self, phone: str, effect: Effect) -> Record:
        row = member_record(Membership(phone), self.world.person(phone).lid, self.variant)
        return row | ({"error": _CODES[effect]} if self.variant == "sdk" else {})

    def _get_group(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        return web.json_response(self._record(group))

    def _get_group_info(self, _: web.Request, group: SimGroup, __: Record) -> web.Response:
        return web.json_response({"success": True, "info": group_info(group, self.members(group))})

    def _record(self, group: SimGroup, *, bare: bool = False) -> Record:
        return group_record(group, [] if bare else self.members(group), self.variant)


def _json_object(content: bytes) -> Record | None:
    """Return a JSON object, an empty one for an empty body; None for anything else."""
    if not content:
        return {}
    try:
        body: Any = json.loads(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
