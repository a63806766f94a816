"""The result of a request in one sentence: how many of how many, and the reason if all the others share one."""

from collections.abc import Sequence

from bot.domain.operations import OPERATIONS
from bot.domain.outcomes import OUTCOME_TEXTS, Tally
from bot.domain.requests import Request, RequestItem
from handlers.views.operation_texts import OPERATION_TEXTS, outcome_label
from handlers.views.text import count, escape, safe_text, shorten_numbers
from providers.base import Cause, Operation, Outcome

_UNDECIDED = frozenset({Outcome.UNKNOWN, Outcome.PENDING})
_REASONS = {
    Cause.TRANSIENT: "{account} had a temporary problem",
    Cause.CREDENTIALS: "{account} didn't accept the connection's token",
    Cause.PERMISSION: "the connection's token or account has no permission for this",
    Cause.NO_ADMIN: "the connection's account isn't a group admin",
    Cause.DISCONNECTED: "{account} is disconnected",
    Cause.RESTRICTED: "WhatsApp has restricted the account",
    Cause.NO_GROUP: "the connection's account isn't in the group",
    Cause.NO_MEMBER: "not in the group",
    Cause.IMPOSSIBLE: "{account} doesn't support this",
    Cause.INVALID: "{account} rejected the request",
}
"""Why something failed, in our words. For `UNKNOWN` only the provider's words explain it."""
_SHORT = {
    Outcome.INVITED: "invited instead",
    Outcome.PENDING: "waiting for a group admin",
    Outcome.UNKNOWN: "couldn't be confirmed",
}
_MAX_REASON = 160


def headline(request: Request, people: Sequence[RequestItem], account: str) -> str:
    """Return the result of a request that is done, with an icon.

    Args:
        request: the request.
        people: its items.
        account: the name of its provider.
    """
    if request.reports_only:
        adding = sum(p.operation is Operation.ADD for p in people)
        return f"📋 Would add {count(adding, 'person', 'people')} and remove {len(people) - adding:,}."
    tally = tally_of(people)
    rejected = f"; {count(tally.rejected, 'entry', 'entries')} couldn't be read" if tally.rejected else ""
    total = tally.total - tally.rejected
    result = _result(request, tally) if total else "Nothing was done"
    missing = [p for p in people if not is_success(p) and (p.person.is_person or p.outcome is not Outcome.INVALID)]
    if not missing and not rejected and total:
        return f"✅ Done: {result}."
    reasons = {_short_reason(request, p, account) for p in missing}
    shared = f": {reasons.pop()}" if len(reasons) == 1 and "" not in reasons else ""
    return f"⚠️ {result}{shared}{rejected}."


def reason(request: Request, item: RequestItem, account: str, *, short: bool = True) -> str:
    """Return why an item isn't a success, escaped; empty if its outcome says all that is known.

    `short` masks phone numbers in the provider's words.
    """
    if item.outcome is Outcome.NOT_ATTEMPTED and request.stopped_by:
        return f"stopped by <@{request.stopped_by}>"
    if item.cause is not Cause.UNKNOWN:
        return _REASONS[item.cause].format(account=escape(account))
    words = item.provider_message or (item.provider_code if item.outcome is Outcome.FAILED else "")
    return safe_text(shorten_numbers(words) if short else words, _MAX_REASON).rstrip(".")


def is_success(item: RequestItem) -> bool:
    """Return whether an item is as it was requested: also an invite that was sent if that was the request."""
    if item.outcome is Outcome.INVITED:
        return item.operation is Operation.INVITE
    return item.outcome is not None and OUTCOME_TEXTS[item.outcome].done


def tally_of(people: Sequence[RequestItem]) -> Tally:
    """Count the outcomes of these items, and the items that aren't people."""
    nameless = [p for p in people if not p.person.is_person]
    rejected = sum(p.outcome is Outcome.INVALID for p in nameless)
    return Tally.of((p.outcome for p in people), rejected=rejected, things=len(nameless) - rejected)


def _short_reason(request: Request, item: RequestItem, account: str) -> str:
    """Return why an item isn't a success, for the headline; empty if the results say it better."""
    if item.outcome is Outcome.FAILED and item.cause is Cause.UNKNOWN and not item.provider_message:
        return ""
    if item.outcome in {Outcome.FAILED, Outcome.NOT_ATTEMPTED, None}:
        return reason(request, item, account)
    return _SHORT.get(item.outcome) or outcome_label(item.outcome, item.operation)


def _result(request: Request, tally: Tally) -> str:
    """Return the result in a sentence. It says “added” only if this request added all of them."""
    text = OPERATION_TEXTS[request.operation]
    inviting = request.operation is Operation.INVITE and tally.people > 0
    done = tally.count(Outcome.INVITED) if inviting else sum(n for o, n in tally.counts if OUTCOME_TEXTS[o].done)
    total = tally.total - tally.rejected
    desired = OPERATIONS[request.operation].desired
    own = tally.count(desired.outcome) if desired else done
    if not done and not request.options.look_only and not any(tally.count(o) for o in _UNDECIDED):
        if request.operation is Operation.CREATE and not request.group_id:
            return "The group wasn't created"
        return f"{'No one' if text.state or inviting else 'Nothing'} was {text.done}"
    if text.state and own != done:
        return f"{done:,} of {total:,} {text.state[done > 1]}"
    return f"{done:,} of {total:,} {text.done}"
