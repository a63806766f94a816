"""Takes a request in: checks access, finds the rule, and writes the journal before anybody is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.deeds import GROUP_LABEL, LABELS, LINK_LABEL
from bot.domain.access import Actor, Allowed, DeniedFor
from bot.domain.approvals import ApprovalRule, rule_for, undecidable
from bot.domain.groups import KnownGroup
from bot.domain.operations import actions_of
from bot.domain.requests import Details, Participant, Request
from bot.domain.roster import Roster
from bot.domain.values import MOST_TEXT
from bot.rights import Rights, target_of
from bot.runtime.audit import Audit
from bot.runtime.dispatcher import Dispatcher
from bot.runtime.journal import Journal
from bot.runtime.metrics import Metrics
from providers.base import Action, Capability, MembershipStatus, Operation, Outcome, Person, PictureForm

_TAKES = {
    PictureForm.ADDRESS: "takes a picture by its address only: give one that begins with https://.",
    PictureForm.JPEG: "takes a picture as a JPEG file only: upload it in the form that `/wa-settings` alone opens.",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person asked for, before anybody looked whether they may.

    Attributes:
        id: from `request_id`.
        group: what it is about; for a group that is to be created one without alias and id.
        roster: the people; empty for what is about the group itself.
        lines: the lines themselves, in place of `roster`, where a request follows from another one.
    """

    id: str
    operation: Operation
    group: KnownGroup
    roster: Roster
    reason: str
    requester: Actor
    channel: str
    details: Details = field(default_factory=Details)
    lines: tuple[Participant, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """The request stands in the journal. `again` is True when it stood there before this draft came."""

    request: Request
    again: bool


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Nothing was written; `reason` is the sentence for the person, `code` the reason's word for the journal."""

    reason: str
    code: str = ""


class Intake:
    """The one door for requests, whichever surface they come from.

    Args:
        journal: where they are written.
        dispatcher: is woken for each.
        audit: keeps what was refused.
        rights: who may do what.
        rules: which requests need approval.
        metrics: counts requests; where nobody reads them, counters of its own.
    """

    def __init__(
        self,
        journal: Journal,
        dispatcher: Dispatcher,
        audit: Audit,
        *,
        rights: Rights,
        rules: Sequence[ApprovalRule],
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._journal = journal
        self._dispatcher = dispatcher
        self._audit = audit
        self._rights = rights
        self._rules = rules
        self._sync_rule = ApprovalRule(
            operations=frozenset({Operation.SYNC}),
            groups=("*",),
            min_participants=0,
            approvers=tuple(role.name for role in rights.roles if Capability.APPROVE in role.capabilities),
            quorum=1,
            expires_after=timedelta(hours=24),
        )

    def rule(self, draft: Draft) -> ApprovalRule | None:
        """Give the approval rule that the draft falls under; None where no approval is needed.

        A sync needs one by default: only a rule with a quorum of 0 lets it run without.
        """
        if draft.details.look_only:
            return None
        rule = rule_for(draft.operation, target_of(draft.group), len(_people(draft)), self._rules)
        if rule is None and draft.operation is Operation.SYNC:
            return self._sync_rule
        return rule if rule and rule.quorum else None

    def refusal(self, draft: Draft) -> NotTaken | None:
        """Tell why this draft would not be taken; None where it would."""
        about_people = bool(draft.roster.people or any(line.person.is_person for line in draft.lines))
        actions = actions_of(draft.operation, draft.details, people=about_people)
        decision = self._rights.may_all(draft.requester, actions, draft.group)
        if not isinstance(decision, Allowed):
            return NotTaken(decision.reason, decision.reason_code)
        if refused := self._refused_picture(draft):
            return refused
        if long := _too_long(draft):
            return long
        if not _people(draft):
            return NotTaken("None of the entries is a number that can be used; nothing was done.", "nobody")
        rule = self.rule(draft)
        if rule is None:
            return None
        nobody = undecidable(rule, target_of(draft.group), draft.requester.user_id, self._rights.roles)
        return NotTaken(nobody.reason, nobody.code) if nobody else None

    def _refused_picture(self, draft: Draft) -> NotTaken | None:
        """Tell whether a picture is given in a form that the provider does not take."""
        picture = draft.details.change.picture if draft.details.change else None
        if picture is None:
            return None
        ability = self._rights.ability(draft.group.connection, Action.PICTURE)
        form = ability.picture if ability else None
        if form is None or form is picture.form:
            return None
        where = f"The provider of the connection `{draft.group.connection}`"
        return NotTaken(f"{where} {_TAKES[form]} Nothing was done.", DeniedFor.PROVIDER_CANNOT)

    async def refused(self, draft: Draft) -> NotTaken | None:
        """Tell as `refusal` does, to somebody who asked for it in earnest: it is kept in the audit journal."""
        refused = self.refusal(draft)
        if refused:
            await self._audit.refused(
                draft.requester.user_id, draft.operation, draft.group, refused.code, request_id=draft.id
            )
        return refused

    async def take(self, draft: Draft) -> Taken | NotTaken:
        """Check and write a request; the same draft a second time changes nothing."""
        if refused := await self.refused(draft):
            return refused
        request = Request(
            id=draft.id,
            operation=draft.operation,
            connection=draft.group.connection,
            group_id=draft.group.id,
            group_name=draft.group.name,
            requester=draft.requester.user_id,
            channel=draft.channel,
            reason=draft.reason,
            rule=self.rule(draft),
            duplicates=len(draft.roster.duplicates),
            asked_at=datetime.now(UTC),
            details=draft.details,
        )
        new = await self._journal.create(request, [*_people(draft), *_rejected(draft, request.asked_at)])
        self._dispatcher.wake()
        if not new:
            return Taken(await self._journal.request(request.id), again=True)
        self._metrics.request(request.operation, request.connection)
        return Taken(request, again=False)


def _too_long(draft: Draft) -> NotTaken | None:
    """Tell whether somebody wrote more than is sent, and more than a form holds."""
    description = draft.details.change.description if draft.details.change else None
    written = max(len(draft.details.text), len(description or ""))
    if written <= MOST_TEXT:
        return None
    return NotTaken(
        f"The text has {written:,} characters, and at most {MOST_TEXT:,} are taken. Nothing was done.", "too_long"
    )


def _people(draft: Draft) -> list[Participant]:
    """Give the lines to be answered, from position 0: people, or the things that an operation is about."""
    if draft.lines:
        return [replace(line, position=position) for position, line in enumerate(draft.lines)]
    before = MembershipStatus.ABSENT if draft.operation is Operation.CREATE else MembershipStatus.UNKNOWN
    persons = draft.roster.people or tuple(map(Person, _things(draft)))
    return [Participant(position, person, draft.operation, before=before) for position, person in enumerate(persons)]


def _things(draft: Draft) -> Sequence[str]:
    match draft.operation:
        case Operation.SETTINGS if draft.details.change is not None:
            return [LABELS[action] for action in draft.details.change.actions]
        case Operation.SEND if not draft.roster.rejected:
            return [GROUP_LABEL]
        case Operation.INVITE if not draft.roster.rejected:
            return [LINK_LABEL]
        case _:
            return ()


def _rejected(draft: Draft, at: datetime) -> list[Participant]:
    """Lay the rejected entries out behind the people; they are answered already."""
    return [
        Participant(
            position=position,
            person=Person(entry.raw),
            operation=draft.operation,
            outcome=Outcome.INVALID,
            provider_message=entry.reason,
            at=at,
        )
        for position, entry in enumerate(draft.roster.rejected, start=len(_people(draft)))
    ]
