"""The answers of Wasend that are not records. Documentation and SDK disagree on almost each; both are read."""

import re
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, model_validator

from providers.provider_text import ProviderText
from providers.wasend.errors import Envelope
from providers.wasend.records import Flag, GroupRecord, MaybeSettings, Settings, Text

LINK = "https://chat.whatsapp.com/"

_CODE = re.compile(r"[A-Za-z0-9_-]+")


def _none_as_empty(value: Any) -> Any:
    return [] if value is None else value


class Result(BaseModel):
    """What a call says of one person: whose id, and a reason from an open set; a promotion gives the new flags."""

    id: ProviderText = ""
    reason: ProviderText = ""
    is_admin: Flag = Field(None, alias="isAdmin")


Results = Annotated[list[Result], BeforeValidator(_none_as_empty)]


class PeopleReply(Envelope):
    """The answer to a call about people: the two lists under `data` (add, demote) or bare; either may be left out."""

    done: Results = Field(
        default_factory=list, validation_alias=AliasChoices("added", "removed", "promoted", "demoted")
    )
    failed: Results = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, body: Any) -> Any:
        if isinstance(body, dict) and body.get("data") is not None:
            return {**body["data"], "success": body.get("success")} if isinstance(body["data"], dict) else None
        return body


class InviteReply(BaseModel):
    """An invite code: under `inviteCode` (docs), or the bare text (SDK), with or without quotes; a link is one too."""

    code: str = Field(alias="inviteCode", pattern=_CODE.pattern)

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, body: Any) -> Any:
        said = body.get("inviteCode") if isinstance(body, dict) else body
        code = code_of(said) if isinstance(said, str) else ""
        return {"inviteCode": code} if _CODE.fullmatch(code) else None


class ChangeReply(BaseModel):
    """What the answer to a change says of the group as it is now, where it says anything."""

    success: Flag = None
    subject: Text = None
    enabled: Flag = None
    settings: MaybeSettings = Field(default_factory=Settings)


class JoinReply(BaseModel):
    """The group that was joined: under `group` (docs), or bare (SDK); None where neither is there."""

    group: GroupRecord | None = None

    @model_validator(mode="before")
    @classmethod
    def _wrap(cls, body: Any) -> Any:
        return {"group": body} if isinstance(body, dict) and ("id" in body or "jid" in body) else body


class SentReply(BaseModel):
    """The message that was accepted (sendText). The set of its status values is not documented."""

    id: str = Field(min_length=1)
    status: ProviderText = ""


class CheckReply(BaseModel):
    """The answer of checkContactExists; `jid` is there for a known number only."""

    exists: bool
    jid: str | None = None


class Downstream(BaseModel):
    """The part of a session record where the SDK's list type has the status."""

    status: str | None = None


class SessionReply(BaseModel):
    """The answer of getSession; the status is at the top, or under `downstream`."""

    status: str | None = None
    downstream: Downstream | None = None

    @property
    def state(self) -> str:
        """The status in upper case, as the SDK's README writes it; empty where the record has none."""
        return (self.status or (self.downstream.status if self.downstream else None) or "").upper()


def code_of(invite: str) -> str:
    """Give the code of an invite, which may be a whole link."""
    return invite.strip().partition("?")[0].rstrip("/").rpartition("/")[2]
