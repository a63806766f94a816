"""A simulated Wasend (contract `contracts/wasend.openapi.yaml`): a session, its groups, and adding to a group."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from aiohttp import web

from sandbox.providers.server import ProviderServer
from sandbox.providers.wasend_records import Record, Shape, group_info, group_record, member_record, session_record
from sandbox.providers.world import Effect, Membership, SimGroup, World

ResultIds = Literal["c.us", "s.whatsapp.net", "lid", "echo"]

PAGE = 50

_E164 = re.compile(r"\+?([1-9][0-9]{6,14})")
_JID = re.compile(r"([0-9]+)@(s\.whatsapp\.net|c\.us|lid)")

# The contract documents the first three words. For everything else it leaves the word open, so these are made up.
_REASONS: Mapping[Effect, str] = {
    Effect.ADDED: "SUCCESS",
    Effect.ALREADY_MEMBER: "ALREADY_IN_GROUP",
    Effect.NO_ACCOUNT: "NOT_FOUND",
    Effect.PRIVATE: "PRIVACY",
    Effect.RECENTLY_LEFT: "RECENTLY_LEFT",
    Effect.BLOCKED: "BLOCKED",
    Effect.GROUP_FULL: "GROUP_FULL",
    Effect.AWAITS_ADMIN: "AWAITING_APPROVAL",
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
_STATES = {"connected": "CONNECTED", "disconnected": "STOPPED", "restricted": "ERROR"}


class WasendServer(ProviderServer):
    """Wasend with one session. Sorting, `status` and `tags` of the group list are not simulated.

    Args:
        world: the people and groups behind it.
        token: the API key it accepts.
        latency: seconds that every call takes.
        session: the session's uniqueSessionId.
        variant: whether it speaks as the documentation does (wrapped bodies, a group at `/info`) or as the SDK's types
            do (bare bodies, a group at its bare path, nothing in answer to an add).

    Attributes:
        reasons: the word that an add gives for an effect; None where it leaves the person out of both lists, which
            the add page says of blocks and privacy settings.
        result_ids: how an add names people: by a JID with this suffix, or as the request did.
        not_connected_status: what a group call answers while the session is not connected.
        lid_only: phones of members whom lists show by their LID alone.
    """

    name = "wasend"

    def __init__(
        self,
        world: World,
        *,
        token: str = "sandbox-token",  # noqa: S107 - the sandbox's own
        latency: float = 0.0,
        session: str = "session-1",
        variant: Shape = "docs",
    ) -> None:
        super().__init__(world, token=token, latency=latency)
        self.session = session
        self.variant: Shape = variant
        self.reasons: dict[Effect, str | None] = dict(_REASONS)
        # The contract leaves open whether ids echo the request and which suffix they have; its samples have `@c.us`.
        self.result_ids: ResultIds = "c.us"
        # The contract leaves open whether and how such a call fails.
        self.not_connected_status = 400
        self.lid_only: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of getSession, listGroups, getGroupInfo, getGroup, listGroupParticipants and add."""
        group = "/{session}/groups/{group}"
        return [
            web.get("/sessions/{session}", self._get_session),
            web.get("/{session}/groups", self._list_groups),
            web.get(f"{group}/info", self._get_group_info),
            web.get(group, self._get_group),
            web.get(f"{group}/participants", self._list_participants),
            web.post(f"{group}/participants/add", self._add_participants),
        ]

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Give an error. The contract leaves its body open but for `message`, which the SDK reads; there is no code."""
        return web.json_response({"message": message or code or _MESSAGES.get(status, "Failure")}, status=status)

    async def _get_session(self, request: web.Request) -> web.Response:
        if request.match_info["session"] != self.session:
            return self.error(404, message="Session not found")
        return web.json_response(session_record(self.session, _STATES[self.account_state], self.variant))

    async def _list_groups(self, request: web.Request) -> web.Response:
        if (refusal := self._session_refusal(request)) is not None:
            return refusal
        query = request.query
        try:
            limit, offset = int(query.get("limit", PAGE)), int(query.get("offset", 0))
        except ValueError:
            return self.error(400)
        search = query.get("search", "").casefold()
        found = [
            group
            for group in self.world.groups.values()
            if search in group.subject.casefold() or search in group.description.casefold()
        ]
        # The documentation does not say how arrays are written; the SDK writes `exclude[]`.
        bare = "participants" in (*query.getall("exclude", ()), *query.getall("exclude[]", ()))
        page = [self._record(group, bare=bare) for group in found[offset : offset + limit]]
        if self.variant == "sdk":
            return web.json_response(page)
        more = offset + len(page) < len(found)
        pagination = {"total": len(found), "limit": limit, "offset": offset, "hasMore": more}
        return web.json_response({"groups": page, "pagination": pagination})

    async def _get_group(self, request: web.Request) -> web.Response:
        if self.variant != "sdk":
            return self.error(404, message="Not found")
        group = self._find(request)
        return group if isinstance(group, web.Response) else web.json_response(self._record(group))

    async def _get_group_info(self, request: web.Request) -> web.Response:
        if self.variant != "docs":
            return self.error(404, message="Not found")
        group = self._find(request)
        if isinstance(group, web.Response):
            return group
        return web.json_response({"success": True, "info": group_info(group, self._members(group))})

    async def _list_participants(self, request: web.Request) -> web.Response:
        group = self._find(request)
        if isinstance(group, web.Response):
            return group
        members = self._members(group)
        if self.variant == "sdk":
            return web.json_response(members)
        return web.json_response({"success": True, "participants": members, "error": None})

    async def _add_participants(self, request: web.Request) -> web.Response:
        group = self._find(request)
        if isinstance(group, web.Response):
            return group
        asked = _asked(await request.read())
        if asked is None:
            return self.error(400)
        if not group.account_is_admin:
            return self.error(403)
        added: list[Record] = []
        failed: list[Record] = []
        for identifier in asked:
            phone = self._phone(identifier)
            # The contract leaves open what becomes of a number that is none; nobody is found by it.
            effect = self.world.add(group.id, phone) if phone else Effect.NO_ACCOUNT
            reason = self.reasons[effect]
            if reason is not None:
                result = {"id": self._result_id(identifier, phone), "reason": reason}
                (added if effect is Effect.ADDED else failed).append(result)
        if self.variant == "sdk":
            return web.Response(status=200)
        # The contract leaves open what `success` is when somebody failed.
        return web.json_response({"success": True, "data": {"added": added, "failed": failed}})

    def _session_refusal(self, request: web.Request) -> web.Response | None:
        if request.match_info["session"] != self.session:
            return self.error(404)
        if self.account_state != "connected":
            return self.error(self.not_connected_status, message="Session is not connected")
        return None

    def _find(self, request: web.Request) -> SimGroup | web.Response:
        if (refusal := self._session_refusal(request)) is not None:
            return refusal
        group = self.world.groups.get(request.match_info["group"])
        return self.error(404) if group is None else group

    def _record(self, group: SimGroup, *, bare: bool = False) -> Record:
        return group_record(group, [] if bare else self._members(group), self.variant)

    def _members(self, group: SimGroup) -> list[Record]:
        return [self._member(member) for member in self.world.visible_members(group.id)]

    def _member(self, member: Membership) -> Record:
        human = self.world.human(member.phone)
        return member_record(member, human.lid, self.variant, hidden=member.phone in self.lid_only)

    def _phone(self, identifier: str) -> str | None:
        if match := _E164.fullmatch(identifier):
            return match[1]
        if match := _JID.fullmatch(identifier):
            return self.world.phone_of_lid(match[1]) if match[2] == "lid" else match[1]
        return None

    def _result_id(self, identifier: str, phone: str | None) -> str:
        if phone is None or self.result_ids == "echo":
            return identifier
        user = self.world.human(phone).lid if self.result_ids == "lid" else phone
        return f"{user}@{self.result_ids}"


def _asked(content: bytes) -> Sequence[str] | None:
    """Read `participants`; None where the body is not what the contract asks for."""
    try:
        body: Any = json.loads(content)
    except ValueError:
        return None
    asked = body.get("participants") if isinstance(body, dict) else None
    # The contract leaves an empty list open; it is refused here.
    if not asked or not isinstance(asked, list) or not all(isinstance(item, str) for item in asked):
        return None
    return asked
