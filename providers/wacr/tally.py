"""The verdicts of one call about people to WA.cr, kept without any I/O."""

from collections.abc import Collection, Mapping, Sequence

from providers.base import Evidence, Outcome, PeopleResult, Person, ProviderError, Verdict, verdicts_for_error
from providers.responses import MAX_PROVIDER_TEXT


class BatchTally:
    """The verdicts of one call about people, as they become known. A person with only a LID is invalid.

    Attributes:
        people: the people with a phone.
        in_flight: the people of the last write.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        self._all_people = people
        self._verdicts: dict[str, Verdict] = {}
        self.people = [person for person in people if person.digits]
        self.in_flight: tuple[Person, ...] = ()
        for person in people:
            if not person.digits:
                self.record(person, Outcome.INVALID, text="WA.cr needs a phone number, and this LID has none.")

    def __contains__(self, person: Person) -> bool:
        """Return whether the verdict of a person is known."""
        return person.key in self._verdicts

    def record(
        self, person: Person, outcome: Outcome, evidence: Evidence = Evidence.NONE, *, code: str = "", text: str = ""
    ) -> None:
        """Record the verdict of a person."""
        self._verdicts[person.key] = Verdict(person.key, outcome, evidence, code, text[:MAX_PROVIDER_TEXT])

    def reported(self, person: Person, outcome: Outcome, code: str, text: str) -> None:
        """Record what WA.cr reports about a person."""
        self._verdicts[person.key] = Verdict.reported(person.key, outcome, code, text[:MAX_PROVIDER_TEXT])

    def record_error(self, person: Person, error: ProviderError) -> None:
        """Record the error of a call about this person only."""
        self._verdicts[person.key] = verdicts_for_error(error, [person])[0]

    def record_count(
        self,
        contacts: Mapping[Person, Collection[int]],
        done: Outcome,
        count: int,
        *,
        of: int,
        code: str,
        unsure: Collection[Person],
    ) -> None:
        """Record the verdicts of people by the number of contacts that a call changed, as `inferred`.

        If none changed, none of these people did. If fewer contacts stayed unchanged than a person has, at least one of
        theirs changed. Between the two it isn't known whose did. Contacts of people who are `unsure` may have been
        skipped, so for them the count decides only if all contacts changed.
        """
        for person, own in contacts.items():
            outcome, evidence = Outcome.UNKNOWN, Evidence.NONE
            if count == 0 and person not in unsure:
                outcome, evidence = Outcome.ALREADY_DONE, Evidence.INFERRED
            elif 0 <= of - count < (1 if person in unsure else len(own)):
                outcome, evidence = done, Evidence.INFERRED
            self.record(person, outcome, evidence, code=code, text=f"contacts_{done}: {count} of {of}")

    def result(self, error: ProviderError | None = None) -> PeopleResult:
        """Return the verdicts, in the order of the people."""
        return PeopleResult(tuple(self._verdicts[person.key] for person in self._all_people), error)

    def result_of_failure(self, error: ProviderError) -> PeopleResult:
        """Return the verdicts after a failed call: people of the last write share the error, the rest wasn't attempted.

        Raises:
            ProviderError: `error`, if no other verdict is known.
        """
        failed = [person for person in self.in_flight if person not in self]
        if not self._verdicts and len(failed) in {0, len(self._all_people)}:
            raise error
        self._verdicts |= {verdict.key: verdict for verdict in verdicts_for_error(error, failed)}
        for person in self._all_people:
            if person not in self:
                self._verdicts[person.key] = Verdict(
                    person.key, Outcome.NOT_ATTEMPTED, Evidence.NONE, error.code, error.message, error.cause
                )
        return self.result(error)
