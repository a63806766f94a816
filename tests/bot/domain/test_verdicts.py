from hypothesis import given
from hypothesis import strategies as st

from bot.domain.operations import OPERATIONS
from bot.domain.verdicts import Look, compare, outcome_from, verdict_from_membership
from providers.base import Evidence, MembershipStatus, Operation, Outcome, Verdict

ADD, REMOVE = OPERATIONS[Operation.ADD].desired, OPERATIONS[Operation.REMOVE].desired
ABSENT, HIDDEN, MEMBER, UNKNOWN = (
    MembershipStatus.ABSENT,
    MembershipStatus.HIDDEN,
    MembershipStatus.MEMBER,
    MembershipStatus.UNKNOWN,
)
OWN = "1@lid"


def look(*, inside: bool, visible: bool, others: frozenset[str], shows_lid: bool) -> Look:
    """Return what a complete list shows about a person: by phone, if the phone behind the LID is known."""
    hidden = others | ({OWN} if inside and not visible else set())
    if inside and visible:
        return Look(MEMBER, hidden, OWN if shows_lid else "")
    return Look(HIDDEN if hidden else ABSENT, hidden)


@st.composite
def looks(draw: st.DrawFn, *, inside: bool) -> Look:
    """Draw a look at a group whose other hidden members may have changed."""
    others = draw(st.frozensets(st.sampled_from(["7@lid", "8@lid"])))
    return look(inside=inside, visible=draw(st.booleans()), others=others, shows_lid=draw(st.booleans()))


@given(was_inside=st.booleans(), is_inside=st.booleans(), data=st.data())
def test_two_looks_never_prove_what_is_not_so(was_inside: bool, is_inside: bool, data: st.DataObject) -> None:
    before, now = compare(data.draw(looks(inside=was_inside)), data.draw(looks(inside=is_inside)))
    assert before.is_member in {None, was_inside}
    assert now.is_member in {None, is_inside}


def test_a_person_who_is_visible_beside_the_same_hidden_members_is_new() -> None:
    hidden = frozenset({"7@lid"})
    assert compare(Look(HIDDEN, hidden), Look(MEMBER, hidden)) == (ABSENT, MEMBER)
    assert compare(Look(HIDDEN, hidden), Look(MEMBER, hidden, OWN)) == (ABSENT, MEMBER)


def test_a_person_whose_lid_was_hidden_was_there_before() -> None:
    before, _ = compare(Look(HIDDEN, frozenset({OWN, "7@lid"})), Look(MEMBER, frozenset({"7@lid"}), OWN))
    assert before.is_member


def test_a_person_who_is_gone_beside_the_same_hidden_members_is_removed() -> None:
    hidden = frozenset({"7@lid"})
    assert compare(Look(MEMBER, hidden), Look(HIDDEN, hidden)) == (MEMBER, ABSENT)


def test_a_person_may_have_become_hidden() -> None:
    before, after = frozenset({"7@lid"}), frozenset({"7@lid", "9@lid"})
    assert compare(Look(MEMBER, before), Look(HIDDEN, after)) == (MEMBER, HIDDEN)


def test_looks_that_cannot_be_compared_prove_nothing_together() -> None:
    assert compare(Look(HIDDEN), Look(MEMBER, frozenset())) == (HIDDEN, MEMBER)
    assert compare(Look(MEMBER), Look(HIDDEN, frozenset({"7@lid"}))) == (MEMBER, HIDDEN)


def test_being_as_requested_proves_no_past() -> None:
    assert ADD is not None
    assert REMOVE is not None
    assert [outcome_from(ADD, was_met=met) for met in (True, False, None)] == [
        Outcome.ALREADY_DONE,
        Outcome.ADDED,
        Outcome.CONFIRMED,
    ]
    observed = verdict_from_membership("+1", REMOVE, ABSENT, was_met=None)
    assert observed == Verdict("+1", Outcome.CONFIRMED, Evidence.OBSERVED)
    assert verdict_from_membership("+1", REMOVE, UNKNOWN, was_met=False) is None
