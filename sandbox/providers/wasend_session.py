"""What all calls of a simulated Wasend share: the session, its two variants, and who may do what."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

from aiohttp import web

from sandbox.providers.server import Handler, ProviderServer
from sandbox.providers.wasend_records import OWN_PHONE, Record, Shape, member_record
from sandbox.providers.world import Effect, Membership, SimGroup, World

ResultIds = Literal["c.us", "s.whatsapp.net", "lid", "echo"]
Point = Literal["read", "remove", "promote", "demote", "join", "settings"]
GroupHandler = Callable[[web.Request, SimGroup, Record], web.Response]

_E164 = re.compile(r"\+?([1-9][0-9]{6,14})")
_JID = re.compile(r"([0-9]+)@(s\.whatsapp\.net|c\.us|lid)")

# The contract documents the first three words, and of the others only that a demotion gives NOT_ADMIN and NOT_FOUND.
# For everything else it leaves the word open, so these are made up.
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


class WasendSession(ProviderServer):
    """One session at Wasend; `sandbox.providers.wasend` has the calls.

    Args:
        world: the people and groups behind it.
        token: the API key it accepts.
        latency: seconds that every call takes.
        session: the session's uniqueSessionId.
        variant: whether it has the documentation's paths, bodies and wrapped answers, or those of the SDK.

    Attributes:
        mixed: where it speaks the other variant than `variant`.
        absent_status: what a path that it does not have answers; the contract leaves it open.
        lacks_description: it cannot set a description, for which there is no documentation page.
        mute: writes whose answers the SDK throws away (all but those that give a group, a code or a message) are
            answered with nothing.
        reasons: the word that an add or a demotion gives for an effect; None where it leaves the person out of both
            lists, which the add page says of blocks and privacy settings.
        result_ids: how people are named in results: by a JID with this suffix, or as the request did.
        lists_refused: the record of a new group also lists people who were not added, in the SDK's variant with an
            `error`; the contract leaves it open.
        quotes_codes: an invite code without a wrapping is JSON; else it is plain text.
        not_connected_status: what a call answers while the session is not connected; the contract leaves it open.
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
        self.mixed: dict[Point, Shape] = {}
        self.absent_status = 404
        self.lacks_description = False
        self.mute = False
        self.reasons: dict[Effect, str | None] = dict(_REASONS)
        # The contract leaves open whether ids echo the request and which suffix they have; its samples have `@c.us`.
        self.result_ids: ResultIds = "c.us"
        self.lists_refused = False
        self.quotes_codes = True
        self.not_connected_status = 400
        self.lid_only: set[str] = set()

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Give an error. The contract leaves its body open but for `message`, which the SDK reads; there is no code."""
        return web.json_response({"message": message or code or _MESSAGES.get(status, "Failure")}, status=status)

    def only(self, point: Point, shape: Shape, handler: Handler) -> Handler:
        """Have `handler` only where the server speaks this variant."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.mixed.get(point, self.variant) != shape:
                return self.error(self.absent_status, message=f"Cannot {request.method} {request.path}")
            return await handler(request)

        return guarded

    def for_group(self, handler: GroupHandler, *, admins: bool = False) -> Handler:
        """Find the group and read the JSON body for `handler`; `admins`: refuse an account that is none."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if (refusal := self.session_refusal(request.match_info["session"])) is not None:
                return refusal
            group = self.world.groups.get(request.match_info["group"])
            if group is None or group.left_by_account:
                return self.error(404)
            body = body_of(await request.read())
            if body is None:
                return self.error(400)
            if admins and not group.account_is_admin:
                return self.error(403)
            return handler(request, group, body)

        return guarded

    def done(self, **told: Any) -> web.Response:
        """Answer a write whose answer the SDK throws away."""
        return web.Response(status=200) if self.mute else web.json_response({"success": True, **told})

    def session_refusal(self, session: object) -> web.Response | None:
        """Refuse another session than this one, and everything while it is not connected."""
        if session != self.session:
            return self.error(404)
        if self.account_state != "connected":
            return self.error(self.not_connected_status, message="Session is not connected")
        return None

    def members(self, group: SimGroup) -> list[Record]:
        """Give the rows of a group's member list, in which the session's own number always stands."""
        members = self.world.visible_members(group.id)
        own = [] if any(m.phone == OWN_PHONE for m in members) else [own_membership()]
        return [self.member(member) for member in [*own, *members]]

    def member(self, member: Membership) -> Record:
        """Give one row of a member list."""
        human = self.world.person(member.phone)
        return member_record(member, human.lid, self.variant, hidden=member.phone in self.lid_only)

    def phone(self, identifier: str) -> str | None:
        """Give the digits of a number or a JID; None for what is neither."""
        if match := _E164.fullmatch(identifier):
            return self.world.canonical(match[1])
        if match := _JID.fullmatch(identifier):
            return self.world.phone_of_lid(match[1]) if match[2] == "lid" else self.world.canonical(match[1])
        return None

    def result_id(self, identifier: str, phone: str | None) -> str:
        """Name a person in a result."""
        if phone is None or self.result_ids == "echo":
            return identifier
        user = self.world.person(phone).lid if self.result_ids == "lid" else phone
        return f"{user}@{self.result_ids}"


def own_membership() -> Membership:
    """Give the session's own place in every group."""
    return Membership(OWN_PHONE, "admin")


def body_of(content: bytes) -> Record | None:
    """Read a JSON object; none at all is an empty one, and None is for everything else."""
    if not content:
        return {}
    try:
        body: Any = json.loads(content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def texts(value: object) -> Sequence[str]:
    """Give a list of texts; an empty one for everything else, which the contract leaves open and is refused here."""
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else []
