"""A simulated WhatsApp Gateway (contract `contracts/wagateway.openapi.yaml`): a session, its groups, its contacts."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from aiohttp import web

from sandbox.providers.server import ProviderServer
from sandbox.providers.world import Disposition, Membership, SimGroup, World

ContactShape = Literal["flat", "nested", "bare"]
Record = dict[str, Any]

_CODES = {
    400: "validation_error",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    429: "rate_limited",
    501: "not_implemented",
}
_PHONE = re.compile(r"\+?([0-9]+)")
_USER_JID = re.compile(r"([0-9]+)@s\.whatsapp\.net")
_GROUP_JID = re.compile(r"[0-9-]+@g\.us")
_LARGEST_PAGE = 200
_LONG_AGO = 1_719_662_400_000
_OWN_PHONE = "6281234567890"


class WaGatewayServer(ProviderServer):
    """A gateway with one session. An add answers 204 whatever WhatsApp did to the people.

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
        malformed_spoils_all: whether a malformed JID keeps the good ones of an add from being added.
        canonical: the phone of an account by another form of its number, where WhatsApp has both.
        phoneless: phones of people whose contact is stored without a phone.
        unstored: phones of people without a stored contact.
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
        # The contract leaves open what becomes of the good JIDs beside a malformed one.
        self.malformed_spoils_all = True
        self.canonical: dict[str, str] = {}
        self.phoneless: set[str] = set()
        self.unstored: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of the session, its groups, members, invite link, contacts and number check."""
        session = "/api/v1/sessions/{session}"
        group = f"{session}/groups/{{gid}}"
        return [
            web.get(session, self._get_session),
            web.get(f"{session}/groups", self._list_groups),
            web.get(group, self._get_group),
            web.get(f"{group}/members", self._list_members),
            web.post(f"{group}/members", self._add_members),
            web.get(f"{group}/invite", self._get_invite),
            web.get(f"{session}/contacts", self._list_contacts),
            web.get(f"{session}/contacts/check", self._check_contact),
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

    async def _get_session(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request, self.reading_sessions_needs)) is not None:
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
                "ratePerMin": 20,
                "ratePerHour": 600,
                "updatedAt": self._millis(),
            }
        )

    async def _list_groups(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request, "read")) is not None:
            return refusal
        rows = [self._group_row(group) for group in self.world.groups.values()]
        return self._page(request, rows, self.rows_per_page)

    async def _get_group(self, request: web.Request) -> web.Response:
        group = self._group(request, "read")
        return group if isinstance(group, web.Response) else web.json_response(self._group_row(group))

    async def _list_members(self, request: web.Request) -> web.Response:
        group = self._group(request, "read")
        if isinstance(group, web.Response):
            return group
        members = self.world.visible_members(group.id)
        rows = [self._member_row(place, group, member) for place, member in enumerate(members, start=1)]
        return self._page(request, rows, self.rows_per_page)

    async def _add_members(self, request: web.Request) -> web.Response:
        group = self._group(request, "send")
        if isinstance(group, web.Response):
            return group
        participants = _participants(await request.read())
        if not participants:
            return self.error(400, message="participants must not be empty")
        jids = [_USER_JID.fullmatch(jid) if isinstance(jid, str) else None for jid in participants]
        malformed = None in jids
        if malformed and self.malformed_spoils_all:
            return self.error(400, message="malformed JID")
        if (refusal := self._live_refusal(group)) is not None:
            return refusal
        for jid in filter(None, jids):
            self.world.add(group.id, self.canonical.get(jid[1], jid[1]))
        return self.error(400, message="malformed JID") if malformed else web.Response(status=204)

    async def _get_invite(self, request: web.Request) -> web.Response:
        group = self._group(request, "read")
        if isinstance(group, web.Response):
            return group
        if (refusal := self._live_refusal(group)) is not None:
            return refusal
        return web.json_response({"invite": f"https://chat.whatsapp.com/{group.id.partition('@')[0]}"})

    async def _list_contacts(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request, "read")) is not None:
            return refusal
        limit = request.query.get("limit", "50")
        if not limit.isdecimal():
            return self.error(400, message="limit must be a number")
        wanted = request.query.get("group")
        if wanted is not None and not _GROUP_JID.fullmatch(wanted):
            return self.error(400, message="malformed JID")
        rows = [self._contact_row(phone) for phone in self._seen(lambda group: wanted in (None, group.id))]
        # Of a limit out of range the contract says that it is clamped, as far as its text goes.
        return self._page(request, rows, min(max(int(limit), 1), _LARGEST_PAGE))

    async def _check_contact(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request, "read")) is not None:
            return refusal
        number = _PHONE.fullmatch(request.query.get("phone", ""))
        if number is None:
            return self.error(400, message="phone must be E.164 digits")
        if self.account_state != "connected":
            return self.error(501)
        phone = self.canonical.get(number[1], number[1])
        exists = self.world.human(phone).disposition is not Disposition.NO_ACCOUNT
        # The contract leaves open what `jid` is for a number without an account.
        jid = f"{phone}@s.whatsapp.net" if exists else ""
        return web.json_response({"isOnWhatsApp": exists, "jid": jid, "query": number[1]})

    async def _get_contact(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request, "read")) is not None:
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

    def _refusal(self, request: web.Request, permission: str) -> web.Response | None:
        """Refuse what the credential may not do, then another session. The contract leaves the order of these open."""
        if permission not in self.permissions:
            return self.error(403)
        if request.match_info["session"] != self.session:
            return self.error(404, message="session not found")
        return None

    def _group(self, request: web.Request, permission: str) -> SimGroup | web.Response:
        if (refusal := self._refusal(request, permission)) is not None:
            return refusal
        return self.world.groups.get(request.match_info["gid"]) or self.error(404, message="group not found")

    def _live_refusal(self, group: SimGroup) -> web.Response | None:
        if self.account_state != "connected":
            return self.error(501)
        return None if group.account_is_admin else self.error(403)

    def _seen(self, wanted: Callable[[SimGroup], bool] = lambda _: True) -> list[str]:
        """Give the phones of stored contacts: those whom the session has seen in its groups."""
        groups = [group for group in self.world.groups.values() if wanted(group)]
        phones = dict.fromkeys(member.phone for group in groups for member in self.world.visible_members(group.id))
        return [phone for phone in phones if phone not in self.unstored]

    def _page(self, request: web.Request, rows: Sequence[Record], size: int | None) -> web.Response:
        start = int(request.query.get("cursor", "0"))
        end = start + (size or len(rows))
        cursor = str(end) if end < len(rows) else ""
        return web.json_response({"data": rows[start:end], "nextCursor": cursor})

    def _group_row(self, group: SimGroup) -> Record:
        return {
            "id": list(self.world.groups).index(group.id) + 1,
            "groupJid": group.id,
            "subject": group.subject,
            "description": group.description,
            "ownerJid": f"{_OWN_PHONE}@s.whatsapp.net",
            "participantCount": len(self.world.visible_members(group.id)),
            "isAnnounce": False,
            "isLocked": False,
            "createdAtWa": _LONG_AGO,
            "firstSeenAt": _LONG_AGO,
            "updatedAt": self._millis(),
        }

    def _member_row(self, place: int, group: SimGroup, member: Membership) -> Record:
        since = int(member.since * 1000) or _LONG_AGO
        return {
            "id": place,
            "sessionId": self.session,
            "groupJid": group.id,
            "lid": f"{self.world.human(member.phone).lid}@lid",
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
        row: Record = {"id": 1, "lid": f"{self.world.human(phone).lid}@lid", "name": "", "updatedAt": _LONG_AGO}
        if phone in self.phoneless:
            return row
        return row | {"phoneJid": f"{phone}@s.whatsapp.net", "phoneNumber": phone}

    def _millis(self) -> int:
        return int(self.world.now() * 1000)


def _participants(content: bytes) -> list[Any]:
    try:
        participants = json.loads(content)["participants"]
    except (ValueError, TypeError, KeyError):
        return []
    return participants if isinstance(participants, list) else []
