"""What an answer of WUTS says of each person whom the call was about."""

from collections.abc import Iterable, Mapping, Sequence

from providers.base import (
    Evidence,
    Outcome,
    PeopleResult,
    Person,
    ProviderError,
    Verdict,
    verdicts_for_error,
)
from providers.identity import same_person_keys
from providers.participant_codes import PARTICIPANT_CODES, rate_limit_of
from providers.wuts.errors import Rejected
from providers.wuts.membership import Addressed
from providers.wuts.models import Participant

AFTER_ADD: Mapping[str, Outcome] = PARTICIPANT_CODES
AFTER_ANOTHER: Mapping[str, Outcome] = {"429": Outcome.RATE_LIMITED}
"""The codes that mean the same for every change; what the others mean after a removal or a new role nobody tells."""


def judged(
    records: Iterable[Participant], people: Sequence[Person], addressed: Addressed, meanings: Mapping[str, Outcome]
) -> PeopleResult:
    """Judge everybody after a success: by the code in a person's record; a record without one says nothing."""
    coded = [record for record in records if record.said]
    told = {
        person.key: _told(person, record, meanings)
        for person in addressed.jids
        for record in coded
        if _is(person, record)
    }
    known = {**addressed.unfit, **told}
    verdicts = tuple(known.get(person.key) or Verdict(person.key, Outcome.UNKNOWN) for person in people)
    return PeopleResult(verdicts, rate_limit_of(verdicts))


def rejected(error: ProviderError, addressed: Addressed) -> Mapping[str, Verdict]:
    """Give by key the verdicts of those whose value a failed call did not take; the others may have nothing wrong."""
    rejections = error.rejections if isinstance(error, Rejected) else ()
    return {
        person.key: Verdict(
            person.key, Outcome.INVALID, Evidence.REPORTED, error.code, (rejection.message or error.provider_text)[:300]
        )
        for person in addressed.jids
        for rejection in rejections
        if _is(person, Participant(jid=str(rejection.value), phone_number=str(rejection.value)))
    }


def failed(error: ProviderError, people: Sequence[Person], addressed: Addressed) -> PeopleResult:
    """Judge everybody after a failed call: those who were sent share the error.

    Raises:
        ProviderError: `error`, where nothing else is known about anybody.
    """
    known = addressed.unfit
    if not known:
        raise error
    return PeopleResult(
        tuple(known.get(person.key) or verdicts_for_error(error, [person])[0] for person in people), error
    )


def _told(person: Person, record: Participant, meanings: Mapping[str, Outcome]) -> Verdict:
    """Judge a person by the code of their record; one without a meaning is kept, and leaves the person unknown."""
    outcome = meanings.get(record.said, Outcome.UNKNOWN)
    evidence = Evidence.NONE if outcome is Outcome.UNKNOWN else Evidence.REPORTED
    return Verdict(person.key, outcome, evidence, record.said, str(record.message or "")[:300])


def _is(person: Person, record: Participant) -> bool:
    """Tell whether a record is certainly this person's."""
    if person.lid and person.lid == record.lid_jid:
        return True
    return bool(person.phone and record.phone) and record.phone in same_person_keys(person.digits)
