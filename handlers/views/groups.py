"""A page of the groups that a person can see, and the card of one group."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from bot.domain.groups import KnownGroup
from handlers.payloads import Payload
from handlers.views import answers
from handlers.views.answers import Unread
from handlers.views.blocks import Message, context, message, sections, value_button
from handlers.views.text import count, escape, group_address, group_line, person_name, safe_text
from providers.base import Account, Action, Group, Member, MembershipStatus, Person

PREVIOUS = "groups_previous"
NEXT = "groups_next"
PAGE = 15
MAX_SEARCH = 200
"""Characters of a search that a button carries."""
EXPORT = "export_members"
_MAX_ADMINS = 10
_MAX_DESCRIPTION = 1000
_DAY = 86_400
_IN_ANY_GROUP = (
    Action.ADD,
    Action.REMOVE,
    Action.PROMOTE,
    Action.DEMOTE,
    Action.RENAME,
    Action.DESCRIBE,
    Action.PICTURE,
    Action.ANNOUNCE_ONLY,
    Action.LOCK,
    Action.EPHEMERAL,
    Action.READ_INVITE,
    Action.RESET_INVITE,
    Action.SEND_TO_GROUP,
    Action.SEND_TO_PERSON,
    Action.LIST_MEMBERS,
)
"""The actions in a group, in the order in which the card shows them."""


class GroupCursor(Payload):
    """The place in a list of groups that a button leads to: the search, and the position of the first group."""

    search: str = ""
    start: int = 0


def page(found: Sequence[KnownGroup], cursor: GroupCursor) -> Message:
    """Build one page of all groups that were found."""
    start = min(cursor.start, max(0, (len(found) - 1) // PAGE * PAGE))
    shown = found[start : start + PAGE]
    lines = [group_line(group) for group in shown]
    matching = f" with “{safe_text(cursor.search, 80)}” in a name" if cursor.search else ""
    where = f"{start + 1:,} to {start + len(shown):,} of {count(len(found), 'group')}{matching}"
    if len(found) <= PAGE:
        return message([*lines], [*sections(lines)])
    at_page = cursor.model_copy(update={"search": cursor.search[:MAX_SEARCH], "start": start})
    blocks: list[Block] = [*sections(lines), ActionsBlock(elements=paging(at_page, len(found), PAGE, (PREVIOUS, NEXT)))]
    return message([*lines, where], [*blocks, context(where)])


def paging(cursor: GroupCursor, total: int, size: int, ids: tuple[str, str]) -> list[ButtonElement]:
    """Build the buttons to the pages around a page of `size` groups; `ids` are those of Previous and Next."""
    places = [("Previous", ids[0], max(0, cursor.start - size)), ("Next", ids[1], cursor.start + size)]
    return [
        value_button(label, action_id, cursor.model_copy(update={"start": start}), "page of the groups")
        for label, action_id, start in places
        if start != cursor.start and start < total
    ]


class GroupAddress(Payload):
    """The group that a button is for."""

    connection: str
    group_id: str


@dataclass(frozen=True, slots=True)
class GroupCardData:
    """The content of the card.

    Attributes:
        info: the group as its provider has it.
        account: the state of the connection's account.
        members: the members of the group.
        can: the actions that the provider supports.
        may_list: whether the viewer may export the members.
        warning: the group's warning in the configuration.
    """

    group: KnownGroup
    info: Group | Unread
    account: Account | Unread
    members: Sequence[Member] | Unread
    can: frozenset[Action]
    may_list: bool
    warning: str = ""


def card(data: GroupCardData) -> Message:
    """Build the card."""
    lines = [f"*{safe_text(data.group.name, 80)}* {group_address(data.group)}"]
    if data.warning:
        lines.append(f"⚠️ Warning: {safe_text(data.warning, 1000)}")
    lines.append(_account(data))
    if isinstance(data.info, Unread) and data.info.not_found:
        lines.append(f"⚠️ This group is gone, or the account isn't in it: {data.info.reason}")
        return message(lines, sections(lines))
    lines += [*_info(data.info, data.members), _admins(data)]
    can = [str(action) for action in _IN_ANY_GROUP if action in data.can]
    cannot = [str(action) for action in _IN_ANY_GROUP if action not in data.can]
    small = [f"Available here: {', '.join(can)}."] if can else []
    small += [f"Not supported by the provider: {', '.join(cannot)}."] if cannot else []
    blocks: list[Block] = sections(lines)
    if data.may_list:
        blocks.append(ActionsBlock(elements=[_export(data.group)]))
    return message([*lines, *small], [*blocks, *map(context, small)])


def _account(data: GroupCardData) -> str:
    connection = f"Connection `{escape(data.group.connection)}`"
    state = data.account.reason if isinstance(data.account, Unread) else answers.account(data.account)
    return f"{connection}: {state}"


def _info(info: Group | Unread, members: Sequence[Member] | Unread) -> list[str]:
    if isinstance(info, Unread):
        return [f"Group: {info.reason}"]
    lines = [f"Subject: {safe_text(info.subject, 200)}", f"Members: {_size(info, members)}"]
    if info.description:
        lines.append(f"Description: {safe_text(info.description, _MAX_DESCRIPTION)}")
    switches = {
        "only admins can send messages": info.announce_only,
        "only admins can edit the group's info": info.locked,
    }
    said = [f"{name}: {'yes' if on else 'no'}" for name, on in switches.items() if on is not None]
    if info.ephemeral is not None:
        said.append(f"messages disappear: {_after(info.ephemeral)}")
    return [*lines, *([f"Settings: {'; '.join(said)}"] if said else [])]


def _size(info: Group, members: Sequence[Member] | Unread) -> str:
    """Return the number of members: the provider's own, else of the members that were read."""
    size = len(members) if info.size is None and not isinstance(members, Unread) else info.size
    return "unknown" if size is None else f"{size:,}"


def _after(seconds: int) -> str:
    if not seconds:
        return "no"
    return f"after {count(seconds // _DAY, 'day')}" if seconds % _DAY == 0 else f"after {count(seconds, 'second')}"


def _admins(data: GroupCardData) -> str:
    if isinstance(data.members, Unread):
        return f"Admins: {data.members.reason}"
    admins = [member for member in data.members if member.status is MembershipStatus.ADMIN]
    named = [_named(member) for member in admins[:_MAX_ADMINS]]
    more = f" and {len(admins) - _MAX_ADMINS:,} more" if len(admins) > _MAX_ADMINS else ""
    who = f" ({', '.join(named)}{more})" if named else ""
    return f"Admins: {len(admins):,}{who}"


def _named(member: Member) -> str:
    number = person_name(Person(member.phone or member.lid, member.phone, member.lid))
    return safe_text(f"{member.name} {number}" if member.name else number, 80)


def _export(group: KnownGroup) -> ButtonElement:
    place = GroupAddress(connection=group.connection, group_id=group.id)
    return value_button("Export members (CSV)", EXPORT, place, f"of {group.name}")
