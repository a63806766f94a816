"""What the listeners work with, made once by `bot.app`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.announcer import Announcer
from bot.domain.access import Actor, Allowed
from bot.domain.audit import disclosed
from bot.domain.groups import KnownGroup
from bot.drafts import Drafts
from bot.intake import Intake
from bot.lines import Line
from bot.preview import Previews
from bot.rights import Rights
from bot.runtime.archive import Archive
from bot.runtime.audit import Audit
from bot.runtime.decisions import Decisions
from bot.runtime.dispatcher import Dispatcher
from bot.runtime.groups import Directory
from bot.runtime.journal import Journal
from bot.runtime.schedules import Schedules
from bot.syncs import Repeater, Syncs
from handlers.behind import Behind
from handlers.changes import Changes
from handlers.links import Links
from handlers.usergroups import UserGroups
from handlers.zones import Zones
from providers.base import Action


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a listener may need.

    Attributes:
        links: the addresses of the requests' parent messages.
        lines: the connections, by name.
        regions: the region of numbers typed without a country code, by connection; None where there is none.
        warnings: what is to be known about a group before anything is done to it, by connection and id.
    """

    intake: Intake
    rights: Rights
    previews: Previews
    drafts: Drafts
    directory: Directory
    usergroups: UserGroups
    zones: Zones
    journal: Journal
    archive: Archive
    audit: Audit
    decisions: Decisions
    dispatcher: Dispatcher
    announcer: Announcer
    changes: Changes
    behind: Behind
    links: Links
    syncs: Syncs
    schedules: Schedules
    repeater: Repeater
    lines: Mapping[str, Line]
    regions: Mapping[str, str | None]
    warnings: Mapping[tuple[str, str], str]

    async def disclosed(self, user_id: str, what: str, connection: str, group_id: str, *, request_id: str = "") -> None:
        """Keep in the audit journal what somebody is about to be shown or given."""
        at = datetime.now(UTC)
        entry = disclosed(
            actor=user_id, what=what, connection=connection, group_id=group_id, at=at, request_id=request_id
        )
        await self.audit.add(entry)

    def shown_to(self, actor: Actor, groups: Iterable[KnownGroup]) -> list[KnownGroup]:
        """Give the groups whose names the person may learn: those that they may list, or add somebody to."""
        return [
            group
            for group in groups
            if any(
                isinstance(self.rights.may_act(actor, action, group), Allowed)
                for action in (Action.LIST_GROUPS, Action.ADD)
            )
        ]
