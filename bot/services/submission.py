"""Takes a request in: checks access, finds the rule, and writes the journal before anybody is told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.commands.values import MAX_TEXT
from bot.domain.access import Allowed, Capability, DenialCode
from bot.domain.approvals import ApprovalRule, no_eligible_approver, rule_for
from bot.domain.drafts import RequestDraft
from bot.domain.operations import OPERATIONS, SETTING_LABELS, required_actions
from bot.domain.requests import Request, RequestItem
from bot.execution.dispatcher import Dispatcher
from bot.execution.verdicts import Metrics
from bot.services.authorization import Authorizer, target_of
from bot.storage.audit import AuditJournal
from bot.storage.requests import RequestStore
from providers.base import Action, MembershipStatus, Operation, Outcome, Person, PictureForm

_TAKES = {
    PictureForm.ADDRESS: "takes a picture by its address only: give one that begins with https://.",
    PictureForm.JPEG: "takes a picture as a JPEG file only: upload it in the form that `/wa-settings` alone opens.",
}


@dataclass(frozen=True, slots=True)
class Submitted:
    """The request stands in the journal. `again` is True when it stood there before this draft came."""

    request: Request
    already_submitted: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing was written; `reason` is the sentence for the person, `code` the reason's word for the journal."""

    reason: str
    code: str = ""


class Submissions:
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
        journal: RequestStore,
        dispatcher: Dispatcher,
        audit: AuditJournal,
        *,
        rights: Authorizer,
        rules: Sequence[ApprovalRule],
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._journal = journal
        self._dispatcher = dispatcher
        self._audit = audit
        self._rights = rights
        self._rules = rules
        self._default_rule = ApprovalRule(
            operations=frozenset(operation for operation, spec in OPERATIONS.items() if spec.needs_approval),
            groups=("*",),
            min_participants=0,
            approvers=tuple(role.name for role in rights.roles if Capability.APPROVE in role.capabilities),
            quorum=1,
            expires_after=timedelta(hours=24),
        )

    def approval_rule(self, draft: RequestDraft) -> ApprovalRule | None:
        """Give the approval rule that the draft falls under; None where no approval is needed.

        A sync needs one by default: only a rule with a quorum of 0 lets it run without.
        """
        if draft.options.look_only:
            return None
        rule = rule_for(draft.operation, target_of(draft.group), len(_items(draft)), self._rules)
        if rule is None and OPERATIONS[draft.operation].needs_approval:
            return self._default_rule
        return rule if rule and rule.quorum else None

    def check(self, draft: RequestDraft) -> Rejected | None:
        """Tell why this draft would not be taken; None where it would."""
        about_people = bool(draft.roster.people or any(line.person.is_person for line in draft.items))
        actions = required_actions(draft.operation, draft.options, people=about_people)
        decision = self._rights.check_all(draft.requester, actions, draft.group)
        if not isinstance(decision, Allowed):
            return Rejected(decision.reason, decision.code)
        if refused := self._refused_picture(draft):
            return refused
        if long := _too_long(draft):
            return long
        if not _items(draft):
            return Rejected("None of the entries is a number that can be used; nothing was done.", "nobody")
        rule = self.approval_rule(draft)
        if rule is None:
            return None
        nobody = no_eligible_approver(rule, target_of(draft.group), draft.requester.user_id, self._rights.roles)
        return Rejected(nobody.reason, nobody.code) if nobody else None

    def _refused_picture(self, draft: RequestDraft) -> Rejected | None:
        """Tell whether a picture is given in a form that the provider does not take."""
        picture = draft.options.change.picture if draft.options.change else None
        if picture is None:
            return None
        ability = self._rights.ability(draft.group.connection, Action.PICTURE)
        form = ability.picture if ability else None
        if form is None or form is picture.form:
            return None
        where = f"The provider of the connection `{draft.group.connection}`"
        return Rejected(f"{where} {_TAKES[form]} Nothing was done.", DenialCode.PROVIDER_CANNOT)

    async def check_and_record(self, draft: RequestDraft) -> Rejected | None:
        """Tell as `refusal` does, to somebody who asked for it in earnest: it is kept in the audit journal."""
        refused = self.check(draft)
        if refused:
            await self._audit.record_refusal(
                draft.requester.user_id, draft.operation, draft.group, refused.code, request_id=draft.id
            )
        return refused

    def dispatch(self) -> None:
        """Start the work that is due now, without waiting for the dispatcher's next look."""
        self._dispatcher.wake()

    async def submit(self, draft: RequestDraft) -> Submitted | Rejected:
        """Check and write a request; the same draft a second time changes nothing."""
        if refused := await self.check_and_record(draft):
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
            rule=self.approval_rule(draft),
            duplicates=len(draft.roster.duplicates),
            asked_at=datetime.now(UTC),
            options=draft.options,
        )
        new = await self._journal.create(request, [*_items(draft), *_rejected(draft, request.asked_at)])
        self._dispatcher.wake()
        if not new:
            return Submitted(await self._journal.get(request.id), already_submitted=True)
        self._metrics.request(request.operation, request.connection)
        return Submitted(request, already_submitted=False)


def _too_long(draft: RequestDraft) -> Rejected | None:
    """Tell whether somebody wrote more than is sent, and more than a form holds."""
    description = draft.options.change.description if draft.options.change else None
    written = max(len(draft.options.text), len(description or ""))
    if written <= MAX_TEXT:
        return None
    return Rejected(
        f"The text has {written:,} characters, and at most {MAX_TEXT:,} are taken. Nothing was done.", "too_long"
    )


def _items(draft: RequestDraft) -> list[RequestItem]:
    """Give the lines to be answered, from position 0: people, or the things that an operation is about."""
    if draft.items:
        return [replace(line, position=position) for position, line in enumerate(draft.items)]
    before = MembershipStatus.ABSENT if draft.operation is Operation.CREATE else MembershipStatus.UNKNOWN
    persons = draft.roster.people or tuple(map(Person, _things(draft)))
    return [RequestItem(position, person, draft.operation, before=before) for position, person in enumerate(persons)]


def _things(draft: RequestDraft) -> Sequence[str]:
    if draft.operation is Operation.SETTINGS and draft.options.change is not None:
        return [SETTING_LABELS[action] for action in draft.options.change.actions]
    item = OPERATIONS[draft.operation].group_item
    return [item] if item and not draft.roster.rejected else ()


def _rejected(draft: RequestDraft, at: datetime) -> list[RequestItem]:
    """Lay the rejected entries out behind the people; they are answered already."""
    return [
        RequestItem(
            position=position,
            person=Person(entry.raw),
            operation=draft.operation,
            outcome=Outcome.INVALID,
            provider_message=entry.reason,
            at=at,
        )
        for position, entry in enumerate(draft.roster.rejected, start=len(_items(draft)))
    ]
