"""The groups: a page of those that a person can read, and the card of one."""

from collections.abc import Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from bot.domain.groups import KnownGroup
from handlers.payloads import Payload
from handlers.views import answers
from handlers.views.blocks import Message, context, message, sections, value_button
from handlers.views.text import count, escape, person_name, safe_text
from providers.base import Account, Action, Group, GroupNotFound, Member, MembershipStatus, Person

PREVIOUS = "groups_previous"
NEXT = "groups_next"
PAGE = 15
MAX_SEARCH = 200
"""Characters of a search that a button carries."""


class GroupCursor(Payload):
    """The place in a list of groups that a button leads to: the search, and the position of the first group."""

    search: str = ""
    start: int = 0


def page(found: Sequence[KnownGroup], turn: GroupCursor) -> Message:
    """Build one page; `found` are all groups that were found."""
    start = min(turn.start, max(0, (len(found) - 1) // PAGE * PAGE))
    shown = found[start : start + PAGE]
    lines = [listed(group) for group in shown]
    matching = f" with “{safe_text(turn.search, 80)}” in a name" if turn.search else ""
    where = f"{start + 1:,} to {start + len(shown):,} of {count(len(found), 'group')}{matching}"
    if len(found) <= PAGE:
        return message([*lines], [*sections(lines)])
    at_page = turn.model_copy(update={"search": turn.search[:MAX_SEARCH], "start": start})
    blocks: list[Block] = [*sections(lines), ActionsBlock(elements=paging(at_page, len(found), PAGE, (PREVIOUS, NEXT)))]
    return message([*lines, where], [*blocks, context(where)])


EXPORT = "export_members"
_MOST_ADMINS = 10
_MOST_DESCRIPTION = 1000
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
"""What people ask for in a group, in the order in which it is shown."""


class GroupAddress(Payload):
    """What a button carries: the group, by where it is."""

    connection: str
    group_id: str


@dataclass(frozen=True, slots=True)
class GroupCardData:
    """What the card shows.

    Attributes:
        told: what the provider tells of the group, also that it knows of none; else a sentence for people.
        account: the state of the account behind the connection; likewise.
        members: its members; likewise.
        can: what the provider can do.
        may_list: whether the viewer may export the members.
        warning: what the configuration wants everybody to know of the group.
    """

    group: KnownGroup
    told: Group | GroupNotFound | str
    account: Account | str
    members: Sequence[Member] | str
    can: frozenset[Action]
    may_list: bool
    warning: str = ""


def card(facts: GroupCardData) -> Message:
    """Build the card."""
    lines = [f"*{safe_text(facts.group.name, 80)}* {at(facts.group)}"]
    if facts.warning:
        lines.append(f"⚠️ Warning: {safe_text(facts.warning, 1000)}")
    lines.append(_account(facts))
    if isinstance(facts.told, GroupNotFound):
        lines.append(
            f"⚠️ This group is gone, or its account is not in it any more: {answers.provider_answer(facts.told)}"
        )
        return message(lines, sections(lines))
    lines += [*_told(facts.told, facts.members), _admins(facts)]
    can = [str(action) for action in _IN_ANY_GROUP if action in facts.can]
    cannot = [str(action) for action in _IN_ANY_GROUP if action not in facts.can]
    small = [f"Can be done here: {', '.join(can)}."] if can else []
    small += [f"Cannot be done here: {', '.join(cannot)}."] if cannot else []
    blocks: list[Block] = sections(lines)
    if facts.may_list:
        blocks.append(ActionsBlock(elements=[_export(facts.group)]))
    return message([*lines, *small], [*blocks, *map(context, small)])


def _account(facts: GroupCardData) -> str:
    connection = f"Connection `{escape(facts.group.connection)}`"
    return f"{connection}: {facts.account if isinstance(facts.account, str) else answers.account(facts.account)}"


def _told(told: Group | str, members: Sequence[Member] | str) -> list[str]:
    if isinstance(told, str):
        return [f"The group: {told}"]
    lines = [f"Subject: {safe_text(told.subject, 200)}", f"Members: {_size(told, members)}"]
    if told.description:
        lines.append(f"Description: {safe_text(told.description, _MOST_DESCRIPTION)}")
    switches = {
        "only admins may write": told.announce_only,
        "only admins may edit the group's info": told.locked,
    }
    said = [f"{name}: {'yes' if on else 'no'}" for name, on in switches.items() if on is not None]
    if told.ephemeral is not None:
        said.append(f"messages disappear: {_after(told.ephemeral)}")
    return [*lines, *([f"Settings: {'; '.join(said)}"] if said else [])]


def _size(told: Group, members: Sequence[Member] | str) -> str:
    """Say how many members a group has; where its provider does not tell, those that were read are counted."""
    size = len(members) if told.size is None and not isinstance(members, str) else told.size
    return "the provider does not tell how many" if size is None else f"{size:,}"


def _after(seconds: int) -> str:
    if not seconds:
        return "no"
    return f"after {count(seconds // _DAY, 'day')}" if seconds % _DAY == 0 else f"after {count(seconds, 'second')}"


def _admins(facts: GroupCardData) -> str:
    if isinstance(facts.members, str):
        return f"Admins: {facts.members}"
    admins = [member for member in facts.members if member.status is MembershipStatus.ADMIN]
    named = [_named(member) for member in admins[:_MOST_ADMINS]]
    more = f" and {len(admins) - _MOST_ADMINS:,} more" if len(admins) > _MOST_ADMINS else ""
    who = f" ({', '.join(named)}{more})" if named else ""
    return f"Admins: {len(admins):,}{who}"


def _named(member: Member) -> str:
    number = person_name(Person(member.phone or member.lid, member.phone, member.lid))
    return safe_text(f"{member.name} {number}" if member.name else number, 80)


def _export(group: KnownGroup) -> ButtonElement:
    place = GroupAddress(connection=group.connection, group_id=group.id)
    return value_button("Export members (CSV)", EXPORT, place, f"of {group.name}")


def listed(group: KnownGroup) -> str:
    """Name a group in a line of its own: by its alias with the subject beside it, its connection and id."""
    subject = f" “{safe_text(group.subject, 80)}”" if group.alias and group.subject else ""
    return f"• *{safe_text(group.name, 80)}*{subject} {at(group)}"


def at(group: KnownGroup) -> str:
    """Say where a group is."""
    return f"on `{escape(group.connection)}`: `{safe_text(group.id, 200)}`"


def paging(cursor: GroupCursor, total: int, size: int, ids: tuple[str, str]) -> list[ButtonElement]:
    """Build the buttons to the pages around a page of `size` groups; `ids` are those of Previous and Next."""
    places = [("Previous", ids[0], max(0, cursor.start - size)), ("Next", ids[1], cursor.start + size)]
    return [
        value_button(label, action_id, cursor.model_copy(update={"start": start}), "page of the groups")
        for label, action_id, start in places
        if start != cursor.start and start < total
    ]
