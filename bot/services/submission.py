"""Submitting a request: it is checked, its approval rule is found, and it is saved before anyone hears of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.commands.values import MAX_TEXT
from bot.domain.access import Capability, DenialCode, Denied
from bot.domain.approvals import ApprovalRule, no_eligible_approver, rule_for
from bot.domain.operations import OPERATIONS, SETTING_LABELS, required_actions
from bot.domain.requests import Request, RequestDraft, RequestItem
from bot.execution.dispatcher import Dispatcher
from bot.execution.verdicts import Metrics
from bot.services.authorization import Authorizer, target_of
from bot.storage.audit import AuditJournal
from bot.storage.request_writer import TooManyOpen
from bot.storage.requests import RequestStore
from providers.base import Action, MembershipStatus, Operation, Outcome, Person, PictureForm

_PICTURE_FORMS = {
    PictureForm.ADDRESS: "takes a picture only by its address. Use one that begins with https://.",
    PictureForm.JPEG: "takes a picture only as a JPEG file. Type `/wa-settings` alone, and upload it in the form.",
}


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request that is saved. `already_submitted` is True if it was saved before this draft was submitted."""

    request: Request
    already_submitted: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """A draft that isn't saved: `reason` is a sentence for the requester, `code` the word in the audit journal."""

    reason: str
    code: str = ""


class Submissions:
    """Checks and saves requests, from whichever surface they come.

    Args:
        requests: where requests are saved.
        dispatcher: starts the work of each request.
        audit: records what was rejected.
        authorizer: checks access.
        rules: the approval rules, of which the first that matches wins.
        metrics: counts requests; without it, they are counted for no one.
        max_open: the maximum number of one person's requests that haven't ended.
    """

    def __init__(
        self,
        requests: RequestStore,
        dispatcher: Dispatcher,
        audit: AuditJournal,
        *,
        authorizer: Authorizer,
        rules: Sequence[ApprovalRule],
        metrics: Metrics | None = None,
        max_open: int | None = None,
    ) -> None:
        self._max_open = max_open
        self._metrics = metrics or Metrics()
        self._requests = requests
        self._dispatcher = dispatcher
        self._audit = audit
        self._authorizer = authorizer
        self._rules = rules
        self._default_rule = ApprovalRule(
            operations=frozenset(operation for operation, spec in OPERATIONS.items() if spec.needs_approval),
            groups=("*",),
            min_participants=0,
            approvers=tuple(role.name for role in authorizer.roles if Capability.APPROVE in role.capabilities),
            quorum=1,
            expires_after=timedelta(hours=24),
        )

    def approval_rule(self, draft: RequestDraft) -> ApprovalRule | None:
        """Return the approval rule for a draft; None if it needs no approval.

        A sync needs one by default. A rule with a quorum of 0 lets it run without.
        """
        return self._rule(draft, _items(draft))

    def check(self, draft: RequestDraft) -> Rejected | None:
        """Return why a draft would be rejected; None if it would be saved."""
        items = _items(draft)
        return self._check(draft, items, self._rule(draft, items))

    async def check_and_record(self, draft: RequestDraft) -> Rejected | None:
        """Check a draft as `check` does, and record a rejection in the audit journal."""
        rejected = self.check(draft)
        return await self._record(draft, rejected) if rejected else None

    def dispatch(self) -> None:
        """Start the work that is due now, instead of when the dispatcher next looks for it."""
        self._dispatcher.wake()

    async def submit(self, draft: RequestDraft) -> Submitted | Rejected:
        """Check and save a request. Submitting the same draft again changes nothing."""
        items = _items(draft)
        rule = self._rule(draft, items)
        if rejected := self._check(draft, items, rule):
            return await self._record(draft, rejected)
        request = Request(
            id=draft.id,
            operation=draft.operation,
            connection=draft.group.connection,
            group_id=draft.group.id,
            group_name=draft.group.name,
            requester=draft.requester.user_id,
            channel=draft.channel,
            reason=draft.reason,
            rule=rule,
            duplicates=len(draft.roster.duplicates),
            asked_at=datetime.now(UTC),
            options=draft.options,
        )
        people = [*items, *_rejected_items(draft, len(items), request.asked_at)]
        try:
            is_new = await self._requests.create(request, people, max_open=self._max_open)
        except TooManyOpen:
            reason = (
                f"You have {self._max_open} open requests, which is the limit. Wait until some have ended, or"
                " withdraw some. Nothing was done."
            )
            return await self._record(draft, Rejected(reason, "too_many_open"))
        self._dispatcher.wake()
        if not is_new:
            return Submitted(await self._requests.get(request.id), already_submitted=True)
        self._metrics.request(request.operation, request.connection)
        return Submitted(request, already_submitted=False)

    async def _record(self, draft: RequestDraft, rejected: Rejected) -> Rejected:
        await self._audit.record_refusal(
            draft.requester.user_id, draft.operation, draft.group, rejected.code, request_id=draft.id
        )
        return rejected

    def _rule(self, draft: RequestDraft, items: Sequence[RequestItem]) -> ApprovalRule | None:
        if draft.options.look_only:
            return None
        rule = rule_for(draft.operation, target_of(draft.group), len(items), self._rules)
        if rule is None and OPERATIONS[draft.operation].needs_approval:
            return self._default_rule
        return rule if rule and rule.quorum else None

    def _check(self, draft: RequestDraft, items: Sequence[RequestItem], rule: ApprovalRule | None) -> Rejected | None:
        about_people = any(item.person.is_person for item in items)
        actions = required_actions(draft.operation, draft.options, people=about_people)
        decision = self._authorizer.check_all(draft.requester, actions, draft.group)
        if isinstance(decision, Denied):
            return Rejected(decision.text, decision.code)
        if rejected := self._check_picture(draft) or _check_length(draft):
            return rejected
        if not items:
            return Rejected("None of the entries is a phone number. Nothing was done.", "nobody")
        if rule is None:
            return None
        refused = no_eligible_approver(rule, target_of(draft.group), draft.requester.user_id, self._authorizer.roles)
        return Rejected(refused.reason, refused.code) if refused else None

    def _check_picture(self, draft: RequestDraft) -> Rejected | None:
        """Check that a picture has the form that the provider takes."""
        picture = draft.options.change.picture if draft.options.change else None
        if picture is None:
            return None
        ability = self._authorizer.ability(draft.group.connection, Action.PICTURE)
        form = ability.picture if ability else None
        if form is None or form is picture.form:
            return None
        provider = f"The provider of the connection `{draft.group.connection}`"
        return Rejected(f"{provider} {_PICTURE_FORMS[form]} Nothing was done.", DenialCode.PROVIDER_CANNOT)


def _check_length(draft: RequestDraft) -> Rejected | None:
    """Check that a text isn't longer than what is sent, and than what a form takes."""
    description = draft.options.change.description if draft.options.change else None
    length = max(len(draft.options.text), len(description or ""))
    if length <= MAX_TEXT:
        return None
    reason = f"The text has {length:,} characters; the maximum is {MAX_TEXT:,}. Nothing was done."
    return Rejected(reason, "too_long")


def _items(draft: RequestDraft) -> list[RequestItem]:
    """Return the items that get an answer, from position 0: people, or what an operation changes about the group."""
    if draft.items:
        return [replace(item, position=position) for position, item in enumerate(draft.items)]
    before = MembershipStatus.ABSENT if draft.operation is Operation.CREATE else MembershipStatus.UNKNOWN
    persons = draft.roster.people or tuple(map(Person, _group_items(draft)))
    return [RequestItem(position, person, draft.operation, before=before) for position, person in enumerate(persons)]


def _group_items(draft: RequestDraft) -> Sequence[str]:
    if draft.operation is Operation.SETTINGS and draft.options.change is not None:
        return [SETTING_LABELS[action] for action in draft.options.change.actions]
    item = OPERATIONS[draft.operation].group_item
    return [item] if item and not draft.roster.rejected else ()


def _rejected_items(draft: RequestDraft, start: int, at: datetime) -> list[RequestItem]:
    """Return the rejected entries as items after the people; they have their answer already."""
    return [
        RequestItem(
            position=position,
            person=Person(entry.raw, name=entry.name),
            operation=draft.operation,
            outcome=Outcome.INVALID,
            provider_message=entry.reason,
            at=at,
        )
        for position, entry in enumerate(draft.roster.rejected, start=start)
    ]
