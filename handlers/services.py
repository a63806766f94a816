"""What the listeners work with, made once by `bot.app`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.announcer import Announcer
from bot.domain.access import Actor, Allowed
from bot.domain.groups import KnownGroup
from bot.intake import Intake
from bot.runtime.decisions import Decisions
from bot.runtime.dispatcher import Dispatcher
from bot.runtime.groups import Directory
from bot.runtime.journal import Journal
from handlers.usergroups import UserGroups
from providers.base import Operation


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a listener may need.

    Attributes:
        regions: the region of numbers typed without a country code, by connection; None where there is none.
    """

    intake: Intake
    directory: Directory
    usergroups: UserGroups
    journal: Journal
    decisions: Decisions
    dispatcher: Dispatcher
    announcer: Announcer
    regions: Mapping[str, str | None]

    def shown_to(self, actor: Actor, groups: Iterable[KnownGroup]) -> list[KnownGroup]:
        """Give the groups whose names the person may learn: those that they may list, or add somebody to."""
        return [
            group
            for group in groups
            if any(
                isinstance(self.intake.may(actor, operation, group), Allowed)
                for operation in (Operation.LIST, Operation.ADD)
            )
        ]
