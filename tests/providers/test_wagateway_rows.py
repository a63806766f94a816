import json

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from providers.base import ProviderFault
from providers.http import Reply
from providers.identity import lid_of
from providers.wagateway.models import (
    ContactRecord,
    CreatedReply,
    ErrorDetail,
    GroupRecord,
    MemberRecord,
    Page,
    SentReply,
    SessionReply,
)

NAMES = st.sampled_from(
    ["data", "error", "code", "lid", "jid", "role", "phoneJid", "phoneNumber", "identity", "group", "id", "groupJid"]
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["1@lid", "2@s.whatsapp.net"])
)
BODIES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
MODELS: list[type[BaseModel]] = [GroupRecord, CreatedReply, SentReply, SessionReply, ContactRecord, Page[MemberRecord]]


@settings(max_examples=60)
@given(BODIES)
def test_any_answer_is_read_or_called_a_fault(body: object) -> None:
    reply = Reply(200, body, json.dumps(body))
    assert ErrorDetail.of(reply) is None or isinstance(body, dict)
    for model in MODELS:
        try:
            row = reply.parse(model)
        except ProviderFault:
            continue
        for member in getattr(row, "data", None) or []:
            assert member.lid_key == lid_of(member.lid_key)
            assert member.digits == "" or member.digits.isdecimal()
        if isinstance(row, CreatedReply):
            assert row.jid == "" or row.jid.endswith("@g.us")
