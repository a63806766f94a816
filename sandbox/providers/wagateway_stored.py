"""What a simulated WhatsApp Gateway has stored, and who may read it: a session, its groups, its contacts."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from aiohttp import web

from sandbox.providers.server import ProviderServer
from sandbox.providers.world import Membership, SimGroup, World

ContactShape = Literal["flat", "nested", "bare"]
Record = dict[str, Any]

GROUP_JID = re.compile(r"[0-9-]+@g\.us")

_CODES = {
    400: "validation_error",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    429: "rate_limited",
    501: "not_implemented",
}
_LARGEST_PAGE = 200
_LONG_AGO = 1_719_662_400_000
_OWN_PHONE = "6281234567890"


class StoredServer(ProviderServer):
    """The part of a gateway with one session that answers from stored data, connected or not.

    Args:
        world: the people and groups behind it.
        token: the credential it accepts, as a bearer token or in `x-api-key`.
        latency: seconds that every call takes.
        session: the session's id.
        permissions: what the credential may do: `read`, `send`, `manage`.

    Attributes:
        rows_per_page: how many groups or members come in one page; None for all, as the contract has it today.
        contact_shape: the rows of the contact list: an identity, one nested like a contact's, or one without phone.
        reading_sessions_needs: `manage` by the session pages, `read` by the API-keys guide.
        phoneless: phones of people whose contact is stored without a phone.
        unstored: phones of people without a stored contact.
        keeps_leavers: whether those who left stay in the member list, though not in the group's count.
        names: the names of stored contacts, by phone.
        most_per_minute: how many texts the session may send in a minute.
    """

    name = "wagateway"

    def __init__(
        self,
        world: World,
        *,
        token: str = "sandbox-token",  # noqa: S107 - the sandbox's own
        latency: float = 0.0,
        session: str = "sess_1",
        permissions: Iterable[str] = ("read", "send", "manage"),
    ) -> None:
        super().__init__(world, token=token, latency=latency)
        self.session = session
        self.permissions = frozenset(permissions)
        self.rows_per_page: int | None = None
        # The contract leaves the item shape of listContacts open.
        self.contact_shape: ContactShape = "flat"
        # The API-keys guide and the session pages disagree (x-contradictions).
        self.reading_sessions_needs = "manage"
        self.phoneless: set[str] = set()
        self.unstored: set[str] = set()
        # The contract does not say whether people who left disappear from the list.
        self.keeps_leavers = False
        self.names: dict[str, str] = {}
        self.most_per_minute = 20

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the session, its groups, members and contacts."""
        session = "/api/v1/sessions/{session}"
        return [
            web.get(session, self._get_session),
            web.get(f"{session}/groups", self._list_groups),
            web.get(f"{session}/groups/{{gid}}", self._get_group),
            web.get(f"{session}/groups/{{gid}}/members", self._list_members),
            web.get(f"{session}/contacts", self._list_contacts),
            web.get(f"{session}/contacts/{{lid}}", self._get_contact),
        ]

    def authorized(self, request: web.Request) -> bool:
        """Tell whether the request carries the token, in either of the two headers."""
        return super().authorized(request) or request.headers.get("x-api-key") == self.token

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Give the error envelope; the contract names no code for a server's own failure, and no texts but one."""
        code = code or _CODES.get(status, "internal")
        problem = {"code": code, "message": message or code.replace("_", " "), "details": {}}
        return web.json_response({"error": problem}, status=status)

    def refusal(self, request: web.Request, permission: str) -> web.Response | None:
        """Refuse what the credential may not do, then another session. The contract leaves the order of these open."""
        if permission not in self.permissions:
            return self.error(403)
        if request.match_info["session"] != self.session:
            return self.error(404, message="session not found")
        return None

    def group(self, request: web.Request, permission: str) -> SimGroup | web.Response:
        """Give the group of the path, or the refusal."""
        if (refusal := self.refusal(request, permission)) is not None:
            return refusal
        return self.world.groups.get(request.match_info["gid"]) or self.error(404, message="group not found")

    def group_row(self, group: SimGroup) -> Record:
        """Give a group as it is stored."""
        return {
            "id": list(self.world.groups).index(group.id) + 1,
            "groupJid": group.id,
            "subject": group.subject,
            "description": group.description,
            "ownerJid": f"{_OWN_PHONE}@s.whatsapp.net",
            "participantCount": sum(member.role != "left" for member in self.world.visible_members(group.id)),
            "isAnnounce": group.announce_only,
            "isLocked": group.locked,
            "createdAtWa": _LONG_AGO,
            "firstSeenAt": _LONG_AGO,
            "updatedAt": self._millis(),
        }

    async def _get_session(self, request: web.Request) -> web.Response:
        if (refusal := self.refusal(request, self.reading_sessions_needs)) is not None:
            return refusal
        # The contract names two states. A restricted account has none of its own: WhatsApp has logged it out.
        status = "working" if self.account_state == "connected" else "scan_qr_code"
        return web.json_response(
            {
                "id": self.session,
                "label": "Front desk",
                "status": status,
                "phoneNumber": _OWN_PHONE,
                "waJid": f"{_OWN_PHONE}@s.whatsapp.net",
                "ratePerMin": self.most_per_minute,
                "ratePerHour": self.most_per_minute * 30,
                "updatedAt": self._millis(),
            }
        )

    async def _list_groups(self, request: web.Request) -> web.Response:
        if (refusal := self.refusal(request, "read")) is not None:
            return refusal
        rows = [self.group_row(group) for group in self.world.groups.values()]
        return self._page(request, rows, self.rows_per_page)

    async def _get_group(self, request: web.Request) -> web.Response:
        group = self.group(request, "read")
        return group if isinstance(group, web.Response) else web.json_response(self.group_row(group))

    async def _list_members(self, request: web.Request) -> web.Response:
        group = self.group(request, "read")
        if isinstance(group, web.Response):
            return group
        members = self._listed(group)
        rows = [self._member_row(place, group, member) for place, member in enumerate(members, start=1)]
        return self._page(request, rows, self.rows_per_page)

    async def _list_contacts(self, request: web.Request) -> web.Response:
        if (refusal := self.refusal(request, "read")) is not None:
            return refusal
        limit = request.query.get("limit", "50")
        if not limit.isdecimal():
            return self.error(400, message="limit must be a number")
        wanted = request.query.get("group")
        if wanted is not None and not GROUP_JID.fullmatch(wanted):
            return self.error(400, message="malformed JID")
        source = request.query.get("source", "group")
        if source not in {"dm", "group"}:
            return self.error(400, message="source must be dm or group")
        # Everybody was seen in a group, and nobody has written.
        seen = self._seen(lambda group: wanted in (None, group.id)) if source == "group" else []
        rows = [self._contact_row(phone) for phone in seen if self._is_called(phone, request.query.get("q", ""))]
        # Of a limit out of range the contract says that it is clamped, as far as its text goes.
        return self._page(request, rows, min(max(int(limit), 1), _LARGEST_PAGE))

    async def _get_contact(self, request: web.Request) -> web.Response:
        if (refusal := self.refusal(request, "read")) is not None:
            return refusal
        phone = self.world.phone_of_lid(request.match_info["lid"].removesuffix("@lid"))
        if phone is None or phone not in self._seen():
            return self.error(404, message="contact not found")
        groups = [
            {"jid": group.id, "name": group.subject, "role": member.role, "tag": "", "lastSeen": 0}
            for group in self.world.groups.values()
            for member in self.world.visible_members(group.id)
            if member.phone == phone
        ]
        return web.json_response({"dm": False, "groups": groups, "identity": self._identity(phone)})

    def _seen(self, wanted: Callable[[SimGroup], bool] = lambda _: True) -> list[str]:
        """Give the phones of stored contacts: those whom the session has seen in its groups."""
        groups = [group for group in self.world.groups.values() if wanted(group)]
        phones = dict.fromkeys(member.phone for group in groups for member in self._listed(group))
        return [phone for phone in phones if phone not in self.unstored]

    def _listed(self, group: SimGroup) -> list[Membership]:
        """Give the members as they are stored, each once."""
        gone = group.gone if self.keeps_leavers else []
        return list({member.phone: member for member in (*gone, *self.world.visible_members(group.id))}.values())

    def _is_called(self, phone: str, part: str) -> bool:
        row = self._identity(phone)
        return any(part.casefold() in str(row.get(field, "")).casefold() for field in ("name", "phoneNumber"))

    def _page(self, request: web.Request, rows: Sequence[Record], size: int | None) -> web.Response:
        start = int(request.query.get("cursor", "0"))
        end = start + (size or len(rows))
        cursor = str(end) if end < len(rows) else ""
        return web.json_response({"data": rows[start:end], "nextCursor": cursor})

    def _member_row(self, place: int, group: SimGroup, member: Membership) -> Record:
        since = int(member.since * 1000) or _LONG_AGO
        return {
            "id": place,
            "sessionId": self.session,
            "groupJid": group.id,
            "lid": f"{self.world.person(member.phone).lid}@lid",
            "role": member.role,
            "tag": "",
            "firstSeenAt": since,
            "lastSeenAt": since,
        }

    def _contact_row(self, phone: str) -> Record:
        identity = self._identity(phone)
        if self.contact_shape == "nested":
            return {"dm": False, "identity": identity}
        if self.contact_shape == "bare":
            return {"lid": identity["lid"], "name": identity["name"]}
        return identity

    def _identity(self, phone: str) -> Record:
        row: Record = {"id": 1, "lid": f"{self.world.person(phone).lid}@lid", "updatedAt": _LONG_AGO}
        row["name"] = self.names.get(phone, "")
        if phone in self.phoneless:
            return row
        return row | {"phoneJid": f"{phone}@s.whatsapp.net", "phoneNumber": phone}

    def _millis(self) -> int:
        return int(self.world.now() * 1000)
