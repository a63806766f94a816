"""Any JSON body is read or refused by each provider's models, and no verdict says more than the body."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from providers.base import (
    Action,
    Evidence,
    GroupNotFound,
    Operation,
    Outcome,
    OutcomeUnknown,
    ProviderError,
    ProviderFault,
    Verdict,
)
from providers.http import Reply
from providers.identity import lid_of
from providers.twochat.membership import PeopleReply
from providers.wagateway import models as wagateway
from providers.wasend import errors as wasend_errors
from providers.wasend import membership as wasend_membership
from providers.wasend import models as wasend
from providers.wuts import errors as wuts_errors
from providers.wuts import membership as wuts_membership
from providers.wuts import models as wuts
from tests.providers.harness import ANA, BEN, people

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([ANA, f"+{ANA}", 200, 403, "429", "1@lid", "2@s.whatsapp.net", "3@g.us"])
)


def bodies(*names: str) -> st.SearchStrategy[Any]:
    """Build bodies whose objects have these fields."""
    return st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=5),
        max_leaves=12,
    )


TWOCHAT = bodies(
    "participants", "accepted_numbers", "unaccepted_numbers", "statusCode", "message", "success", f"+{ANA}", ANA
)


@settings(max_examples=150)
@given(body=TWOCHAT, operation=st.sampled_from([Operation.ADD, Operation.REMOVE, Operation.PROMOTE]))
def test_twochat_judges_only_people_whom_a_body_names(body: Any, operation: Operation) -> None:
    ana, ben = (PeopleReply.of(Reply(200, body, "")).judge(person, operation) for person in people(ANA, BEN))
    assert ben == Verdict(f"+{BEN}", Outcome.UNKNOWN, provider_message=ben.provider_message)
    assert (ana.evidence is Evidence.NONE) == (ana.outcome is Outcome.UNKNOWN)
    assert ana.outcome is Outcome.UNKNOWN or ANA in json.dumps(body)


WAGATEWAY = bodies(
    "data", "error", "code", "lid", "jid", "role", "phoneJid", "phoneNumber", "identity", "group", "id", "groupJid"
)
WAGATEWAY_MODELS: tuple[type[BaseModel], ...] = (
    wagateway.GroupRecord,
    wagateway.CreatedReply,
    wagateway.SentReply,
    wagateway.SessionReply,
    wagateway.ContactRecord,
    wagateway.Page[wagateway.MemberRecord],
)


@settings(max_examples=60)
@given(WAGATEWAY)
def test_wagateway_reads_any_body_or_calls_it_a_fault(body: object) -> None:
    reply = Reply(200, body, json.dumps(body))
    assert wagateway.ErrorDetail.of(reply) is None or isinstance(body, dict)
    for model in WAGATEWAY_MODELS:
        try:
            answer = reply.parse(model)
        except ProviderFault:
            continue
        for member in getattr(answer, "data", None) or []:
            assert member.lid_key == lid_of(member.lid_key)
            assert member.digits == "" or member.digits.isdecimal()
        if isinstance(answer, wagateway.CreatedReply):
            assert answer.jid == "" or answer.jid.endswith("@g.us")


WASEND = bodies(
    "success", "error", "message", "data", "info", "group", "groups", "pagination", "hasMore", "participants",
    "id", "jid", "lid", "name", "subject", "description", "topic", "settings", "announce", "restrict",
    "ephemeral", "isAnnounce", "disappearingTimer", "participantsCount", "phoneNumber", "isAdmin", "addRequest",
    "added", "failed", "removed", "reason", "inviteCode", "enabled", "status", "downstream", "exists",
)  # fmt: skip
WASEND_MODELS: tuple[type[BaseModel], ...] = (
    wasend.GroupRecord,
    wasend.GroupsReply,
    wasend.MembersReply,
    wasend.ChangeReply,
    wasend.CheckReply,
    wasend.InviteReply,
    wasend.JoinReply,
    wasend.SentReply,
    wasend.SessionReply,
)


@given(WASEND)
def test_wasend_reads_any_body_or_refuses_it(body: Any) -> None:
    reply = Reply(200, body, json.dumps(body))
    for model in WASEND_MODELS:
        try:
            answer = reply.parse(model)
        except ProviderFault:
            with pytest.raises(OutcomeUnknown):
                wasend_errors.parse_success(reply, model)
            continue
        if isinstance(answer, wasend.GroupRecord):
            answer.to_group(answer.id)
            assert len(answer.members) <= len(answer.participants or ())
        if isinstance(answer, wasend.MembersReply):
            assert len([row.to_member() for row in answer.participants]) == len(answer.participants)
    with suppress(OutcomeUnknown):
        verdicts = wasend_membership.result_of(Action.ADD, people(ANA, BEN), reply).verdicts
        assert [verdict.key for verdict in verdicts] == [f"+{ANA}", f"+{BEN}"]


WUTS = bodies(
    "success", "error", "error_code", "code", "message", "validation", "value", "participants", "group", "jid"
)
WUTS_MODELS: tuple[type[BaseModel], ...] = (wuts.GroupReply, wuts.CreatedReply, wuts.ChangedReply, wuts.PeopleReply)


@given(WUTS, st.sampled_from((200, 201, 204, 400, 401, 403, 404, 409, 429, 500, 503)), st.booleans())
def test_wuts_reads_any_body_or_raises_a_provider_error(body: Any, status: int, wrote: bool) -> None:
    reply, asked = Reply(status, body, "text"), people(ANA)
    addressed = wuts_membership.Addressed({asked[0]: ANA}, {})
    error = wuts_errors.error_for(reply, not_found=GroupNotFound, wrote=wrote)
    if error is not None:
        with suppress(ProviderError):
            wuts_membership.result_of_failure(error, asked, addressed)
        return
    assert reply.ok
    for model in WUTS_MODELS:
        with suppress(ProviderError):
            reply.parse_result(model)
    with suppress(ProviderError):
        records = reply.parse_result(wuts.PeopleReply).participants or []
        result = wuts_membership.result_of(records, asked, addressed, wuts_membership.ADD_OUTCOMES)
        assert [verdict.key for verdict in result.verdicts] == [f"+{ANA}"]
