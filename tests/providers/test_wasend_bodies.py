import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from providers.base import Action, OutcomeUnknown, ProviderFault
from providers.http import Reply
from providers.wasend.errors import parse_success
from providers.wasend.membership import result_of
from providers.wasend.models import (
    ChangeReply,
    CheckReply,
    GroupRecord,
    GroupsReply,
    InviteReply,
    JoinReply,
    MembersReply,
    SentReply,
    SessionReply,
)
from tests.providers.harness import people

NAMES = [
    "success", "error", "message", "data", "info", "group", "groups", "pagination", "hasMore", "participants",
    "id", "jid", "lid", "name", "subject", "description", "topic", "settings", "announce", "restrict",
    "ephemeral", "isAnnounce", "disappearingTimer", "participantsCount", "phoneNumber", "isAdmin", "addRequest",
    "added", "failed", "removed", "reason", "inviteCode", "enabled", "status", "downstream", "exists",
]  # fmt: skip
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["x", "1@lid", "1@g.us", "+14155550101"])
)
BODIES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
)
MODELS = (
    GroupRecord,
    GroupsReply,
    MembersReply,
    ChangeReply,
    CheckReply,
    InviteReply,
    JoinReply,
    SentReply,
    SessionReply,
)


@given(BODIES)
def test_any_body_is_read_or_refused(body: Any) -> None:
    reply = Reply(200, body, json.dumps(body))
    for model in MODELS:
        _read(reply, model)
    try:
        verdicts = result_of(Action.ADD, people("14155550101", "14155550102"), reply).verdicts
    except OutcomeUnknown:
        return
    assert [verdict.key for verdict in verdicts] == ["+14155550101", "+14155550102"]


def _read(reply: Reply, model: type[BaseModel]) -> None:
    try:
        answer = reply.parse(model)
    except ProviderFault:
        with pytest.raises(OutcomeUnknown):
            parse_success(reply, model)
        return
    if isinstance(answer, GroupRecord):
        answer.to_group(answer.id)
        assert len(answer.members) <= len(answer.participants or ())
    if isinstance(answer, MembersReply):
        assert len([row.to_member() for row in answer.participants]) == len(answer.participants)
