import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.access import MAX_ASKED, Actor, Allowed, Capability, DenialCode, Denied, Role, Target, check_capability

OPERATOR = Role(
    "operator", frozenset({"U1", "S1"}), frozenset({Capability.GROUPS_READ, Capability.GROUPS_WRITE}), ("launch-*",)
)
LEAD = Role("lead", frozenset({"U2"}), frozenset(Capability) - {Capability.ADMIN})
AUDITOR = Role("auditor", frozenset({"U3"}), frozenset({Capability.AUDIT_READ}))
ADMIN = Role("owner", frozenset({"U4"}), frozenset({Capability.ADMIN}))
ROLES = (OPERATOR, LEAD, AUDITOR, ADMIN)
LAUNCH = Target(("launch-team", "120363041234567890@g.us"))
FINANCE = Target(("finance", "120363049999999999@g.us"))


def _denied(actor: Actor, capability: Capability, target: Target | None) -> Denied:
    decision = check_capability(actor, capability, target, ROLES)
    assert isinstance(decision, Denied)
    assert f"`{capability}`" in decision.reason
    return decision


@pytest.mark.parametrize("actor", [Actor("U1"), Actor("U9", frozenset({"S1"})), Actor("U1", frozenset({"S1"}))])
def test_a_role_is_held_by_name_or_through_a_user_group(actor: Actor) -> None:
    assert check_capability(actor, Capability.GROUPS_WRITE, LAUNCH, ROLES) == Allowed()


def test_one_role_that_has_it_for_the_group_is_enough() -> None:
    both = Actor("U2", frozenset({"S1"}))
    assert check_capability(both, Capability.GROUPS_WRITE, LAUNCH, ROLES) == Allowed()
    assert check_capability(both, Capability.GROUPS_WRITE, FINANCE, ROLES) == Allowed()


def test_a_person_without_a_role_reads_whom_to_ask() -> None:
    denied = _denied(Actor("U9", frozenset({"S9"})), Capability.GROUPS_WRITE, LAUNCH)
    assert denied.code is DenialCode.NO_ROLE
    assert denied.text == (
        "You don't have access yet. This needs the capability `groups:write`. Ask <@U1>, <!subteam^S1> or <@U2>."
    )


def test_a_role_without_the_capability_reads_who_has_it() -> None:
    denied = _denied(Actor("U3"), Capability.SEND, LAUNCH)
    assert denied.code is DenialCode.NO_CAPABILITY
    assert denied.text == "This needs the capability `send`, which your roles don't have. Ask <@U2>."


def test_a_role_for_other_groups_is_told_so() -> None:
    denied = _denied(Actor("U1"), Capability.GROUPS_WRITE, FINANCE)
    assert denied.code is DenialCode.OTHER_GROUPS
    assert "`operator`, but not for this group" in denied.reason
    assert denied.ask == ("U2",)


def test_a_capability_of_no_role_needs_another_configuration() -> None:
    decision = check_capability(Actor("U1"), Capability.SEND, LAUNCH, (OPERATOR,))
    assert isinstance(decision, Denied)
    assert "No one has this permission. Ask the person who runs Rollcall" in decision.text


def test_a_person_is_referred_to_a_few_people() -> None:
    crowd = Role("crowd", frozenset(f"U{n}" for n in range(10, 30)), frozenset({Capability.SEND}), ("x", "z"))
    own = Role("own", frozenset({"U3"}), frozenset({Capability.SEND}), ("y",))

    denied = check_capability(Actor("U3"), Capability.SEND, Target(("z",)), (own, crowd))

    assert isinstance(denied, Denied)
    assert denied.text.count("<@") == MAX_ASKED


def test_admin_implies_nothing() -> None:
    assert _denied(Actor("U4"), Capability.GROUPS_WRITE, LAUNCH).code is DenialCode.NO_CAPABILITY
    assert check_capability(Actor("U4"), Capability.ADMIN, None, ROLES) == Allowed()


def test_where_no_group_is_concerned_the_groups_of_a_role_do_not_matter() -> None:
    assert check_capability(Actor("U1"), Capability.GROUPS_READ, None, ROLES) == Allowed()


@pytest.mark.parametrize(
    ("glob", "matches"),
    [
        ("*", True),
        ("launch-*", True),
        ("launch-tea?", True),
        ("12036304*@g.us", True),
        ("Launch-*", False),
        ("launch", False),
        ("", False),
    ],
)
def test_a_glob_covers_a_whole_name_and_minds_case(glob: str, matches: bool) -> None:
    assert LAUNCH.matches((glob,)) is matches


roles = st.lists(
    st.builds(
        Role,
        st.sampled_from("abc"),
        st.frozensets(st.sampled_from(["U1", "U2", "S1", "S2"])),
        st.frozensets(st.sampled_from(list(Capability))),
        st.sampled_from([("*",), ("launch-*",), ("finance",)]),
    )
)


@settings(max_examples=150)
@given(roles, st.frozensets(st.sampled_from(["S1", "S2"])), st.sampled_from(list(Capability)))
def test_nobody_is_allowed_without_one_role_that_has_all_it_takes(
    among: list[Role], usergroups: frozenset[str], capability: Capability
) -> None:
    decision = check_capability(Actor("U1", usergroups), capability, LAUNCH, among)
    enough = [
        role
        for role in among
        if role.members & {"U1", *usergroups}
        and capability in role.capabilities
        and role.groups in {("*",), ("launch-*",)}
    ]
    assert isinstance(decision, Allowed if enough else Denied)
