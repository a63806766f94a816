"""One call about people in progress: who was judged, and for whom a write was sent last."""

from collections.abc import Collection, Mapping, Sequence

from providers.base import Evidence, Outcome, PeopleResult, Person, ProviderError, Verdict, verdicts_for_error


class Run:
    """Gathers one verdict for each of `people`; whoever has a LID alone is invalid from the start.

    Attributes:
        sending: those for whom the last write was sent.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        self._people = people
        self._verdicts: dict[str, Verdict] = {}
        self.sending: tuple[Person, ...] = ()
        for person in people:
            if not person.digits:
                self.tell(person, Outcome.INVALID, Evidence.NONE, "", "WA.cr knows people by phone; a LID has none.")

    @property
    def people(self) -> list[Person]:
        """Those who have a phone."""
        return [person for person in self._people if person.digits]

    def tell(self, person: Person, outcome: Outcome, evidence: Evidence, code: str = "", words: str = "") -> None:
        """Judge a person."""
        self._verdicts[person.key] = Verdict(person.key, outcome, evidence, code, words[:300])

    def refuse(self, person: Person, error: ProviderError) -> None:
        """Judge a person by the error of the call that was about them alone."""
        self._verdicts[person.key] = verdicts_for_error(error, [person])[0]

    def has(self, person: Person) -> bool:
        """Tell whether a person was judged."""
        return person.key in self._verdicts

    def count(
        self,
        contacts: Mapping[Person, Collection[int]],
        done: Outcome,
        number: int,
        *,
        of: int,
        code: str,
        unsure: Collection[Person],
    ) -> None:
        """Judge people by how many of their contacts a call says it changed, which is `inferred`.

        Fewer unchanged ones than somebody has contacts: one of theirs was changed. None changed: nobody's. In between
        nobody can tell who. Contacts of those who are `unsure` may have been passed over: of them all changed tells.
        """
        for person, own in contacts.items():
            outcome, evidence = Outcome.UNKNOWN, Evidence.NONE
            if number == 0 and person not in unsure:
                outcome, evidence = Outcome.ALREADY_DONE, Evidence.INFERRED
            elif 0 <= of - number < (1 if person in unsure else len(own)):
                outcome, evidence = done, Evidence.INFERRED
            self.tell(person, outcome, evidence, code, f"contacts_{done}: {number} of {of}")

    def result(self, error: ProviderError | None = None) -> PeopleResult:
        """Give the verdicts, in the order of the people."""
        return PeopleResult(tuple(self._verdicts[person.key] for person in self._people), error)

    def stopped(self, error: ProviderError) -> PeopleResult:
        """Judge those whose write failed by the error; those after them were not attempted.

        Raises `error` where it is all that is known.
        """
        failed = [person for person in self.sending if person.key not in self._verdicts]
        if not self._verdicts and len(failed) in {0, len(self._people)}:
            raise error
        self._verdicts |= {verdict.key: verdict for verdict in verdicts_for_error(error, failed)}
        for person in self._people:
            if person.key not in self._verdicts:
                left = Verdict(person.key, Outcome.NOT_ATTEMPTED, Evidence.NONE, error.code, error.message, error.cause)
                self._verdicts[person.key] = left
        return self.result(error)
