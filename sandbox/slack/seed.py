"""Who and what a simulated workspace holds at its start, as plain data."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot; `tz_offset` in seconds."""

    id: str
    name: str
    real_name: str
    tz: str = "Europe/London"
    tz_label: str = "Greenwich Mean Time"
    tz_offset: int = 0
    email: str = ""
    phone: str = ""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A user group (`S…`) with its members."""

    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A channel. `kind` is the family of its scopes: public, private or direct message; `user` is a DM's person."""

    id: str
    name: str
    members: tuple[str, ...]
    kind: Literal["channels", "groups", "im"] = "channels"
    user: str = ""


@dataclass(frozen=True, slots=True)
class Seed:
    """A workspace at its start."""

    users: tuple[User, ...]
    groups: tuple[UserGroup, ...]
    channels: tuple[ChannelInfo, ...]
    team_id: str = "T0SANDBOX"
    team_name: str = "Sandbox"
    team_domain: str = "sandbox"
    app_id: str = "A0ROLLCALL"
    bot_id: str = "B0ROLLCALL"
    bot_user_id: str = "U0ROLLCALL"


_PEOPLE = ("U01ALICE", "U02BOB", "U03CAROL", "U04DAVE")
_BOT = "U0ROLLCALL"

DEFAULT_SEED = Seed(
    users=(
        User("U01ALICE", "alice", "Alice Archer", email="alice@example.com"),
        User("U02BOB", "bob", "Bob Baker", "America/New_York", "Eastern Standard Time", -18000, "bob@example.com"),
        User("U03CAROL", "carol", "Carol Cole", "Asia/Kolkata", "India Standard Time", 19800, "carol@example.com"),
        User("U04DAVE", "dave", "Dave Dale", "America/Sao_Paulo", "Brasilia Time", -10800, "dave@example.com"),
        User(_BOT, "rollcall", "Rollcall", is_bot=True),
    ),
    groups=(UserGroup("S0OPERATORS", "operators", "Operators", ("U01ALICE", "U03CAROL")),),
    channels=(
        ChannelInfo("C0LAUNCH", "launch", (*_PEOPLE, _BOT)),
        ChannelInfo("C0APPROVALS", "approvals", (*_PEOPLE, _BOT)),
        ChannelInfo("C0ELSEWHERE", "elsewhere", _PEOPLE),
        ChannelInfo("D0ALICE", "directmessage", ("U01ALICE", _BOT), "im", "U01ALICE"),
        ChannelInfo("D0BOB", "directmessage", ("U02BOB", _BOT), "im", "U02BOB"),
        ChannelInfo("D0CAROL", "directmessage", ("U03CAROL", _BOT), "im", "U03CAROL"),
        ChannelInfo("D0DAVE", "directmessage", ("U04DAVE", _BOT), "im", "U04DAVE"),
    ),
)
