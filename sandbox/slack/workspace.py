"""The simulated workspace: people, channels, messages, views, files, and the short-lived tickets Slack hands out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal, TypeVar

Message = dict[str, Any]
T = TypeVar("T")

TRIGGER_LIFE = 3.0
RESPONSE_URL_LIFE = 1800.0
RESPONSE_URL_USES = 5


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot; `tz_offset` in seconds, `title` as in their profile."""

    id: str
    name: str
    real_name: str
    tz: str = "Europe/London"
    tz_label: str = "Greenwich Mean Time"
    tz_offset: int = 0
    email: str = ""
    phone: str = ""
    is_bot: bool = False
    title: str = ""


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


@dataclass(slots=True)
class Channel:
    """A channel with its messages, by `ts`, oldest first."""

    info: ChannelInfo
    members: set[str]
    messages: dict[str, Message] = field(default_factory=dict)


@dataclass(slots=True)
class SlackView:
    """A modal or Home view: its person, Slack's view object, and what they have typed so far.

    Attributes:
        typed: the state of each element, by block id and action id.
        offered: the options that each external select offered last, by block id and action id.
        errors: the app's error at each block at the last submission.
    """

    user: str
    body: dict[str, Any]
    typed: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    offered: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(slots=True)
class Trigger:
    """A `trigger_id`: its person, its expiry, whether it was used, and the modal it came from."""

    user: str
    expires_at: float
    view_id: str | None = None
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """A `response_url`: the person and the message it answers, its expiry, and how often it was used."""

    user: str
    channel: str
    expires_at: float
    message_ts: str | None = None
    uses: int = 0


@dataclass(slots=True)
class Upload:
    """A file: announced, then uploaded (`content`), then completed and shared."""

    id: str
    name: str
    length: int
    user: str
    title: str = ""
    content: bytes | None = None
    completed: bool = False


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """A message only `user` sees, in `channel`."""

    user: str
    channel: str
    message: Message


class Workspace:
    """Everything the simulated Slack knows.

    Args:
        seed: the people and channels at the start.
        clock: returns the current time in seconds.

    Attributes:
        oddities: what Slack accepts but shows wrongly: unescaped text, blocks without text.
    """

    def __init__(self, seed: Seed, *, clock: Callable[[], float] = time.time) -> None:
        self.seed = seed
        self.now = clock
        self.users: dict[str, User] = {user.id: user for user in seed.users}
        self.groups: dict[str, UserGroup] = {group.id: group for group in seed.groups}
        self.channels = {channel.id: Channel(channel, set(channel.members)) for channel in seed.channels}
        self.views: dict[str, SlackView] = {}
        self.modals: dict[str, list[str]] = {}
        self.homes: dict[str, str] = {}
        self.files: dict[str, Upload] = {}
        self.ephemerals: list[Ephemeral] = []
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.oddities: list[str] = []
        self._numbers = count(1)
        self._last_microsecond = 0
        self._change = asyncio.Event()

    def changed(self) -> None:
        """Wake every waiter."""
        self._change.set()
        self._change = asyncio.Event()

    def wait_for(self, predicate: Callable[[], T | None], timeout: float = 60.0) -> Awaitable[T]:
        """Wait until `predicate` returns something true, and return that.

        Raises:
            TimeoutError: it did not within `timeout` seconds.
        """

        async def wait() -> T:
            async with asyncio.timeout(timeout):
                while not (found := predicate()):
                    await self._change.wait()
            return found

        return wait()

    @property
    def change(self) -> asyncio.Event:
        """The event that the next change sets."""
        return self._change

    def names(self, prefix: str) -> Iterator[str]:
        """Yield new ids with this prefix."""
        while True:
            yield f"{prefix}{next(self._numbers):08X}"

    def new_id(self, prefix: str) -> str:
        """Return a new id with this prefix."""
        return next(self.names(prefix))

    def new_ts(self) -> str:
        """Return a timestamp later than every one before it: seconds, a dot, microseconds."""
        self._last_microsecond = max(self._last_microsecond + 1, int(self.now() * 1_000_000))
        return f"{self._last_microsecond // 1_000_000}.{self._last_microsecond % 1_000_000:06d}"

    def post(self, channel: str, message: Message) -> Message:
        """Put a message into a channel, keep its thread's parent up to date, and return it with its `ts`."""
        posted_in = self.channels[channel]
        message = {"type": "message", **message, "ts": self.new_ts(), "team": self.seed.team_id}
        parent = posted_in.messages.get(message.get("thread_ts", ""))
        if parent is not None:
            message["parent_user_id"] = parent.get("user")
            parent["thread_ts"] = parent["ts"]
            parent["reply_count"] = parent.get("reply_count", 0) + 1
            parent["latest_reply"] = message["ts"]
            if message.get("user") not in parent.setdefault("reply_users", []):
                parent["reply_users"].append(message.get("user"))
            parent["reply_users_count"] = len(parent["reply_users"])
        posted_in.messages[message["ts"]] = message
        self.changed()
        return message

    def post_ephemeral(self, user: str, channel: str, message: Message) -> Message:
        """Show a message to one person only, and return it with its `ts`."""
        message = {"type": "message", "is_ephemeral": True, **message, "ts": self.new_ts()}
        self.ephemerals.append(Ephemeral(user, channel, message))
        self.changed()
        return message

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return a thread: its parent first, then the replies, oldest first."""
        messages = self.channels[channel].messages
        return [m for m in messages.values() if m["ts"] == ts or m.get("thread_ts") == ts]

    def im(self, user: str) -> Channel:
        """Return the direct-message channel of the app and this person; it is made when there is none."""
        for known in self.channels.values():
            if known.info.user == user:
                return known
        channel = ChannelInfo(self.new_id("D"), "directmessage", (user, self.seed.bot_user_id), kind="im", user=user)
        self.channels[channel.id] = Channel(channel, set(channel.members))
        return self.channels[channel.id]

    def new_trigger(self, user: str, view_id: str | None = None) -> str:
        """Return a `trigger_id`; it lives 3 s and opens one view."""
        name = f"{next(self._numbers)}.{self.seed.team_id}.{self.new_id('')}"
        self.triggers[name] = Trigger(user, self.now() + TRIGGER_LIFE, view_id)
        return name

    def new_response_url(self, user: str, channel: str, message_ts: str | None = None) -> str:
        """Return the name of a new `response_url`; it can be used 5 times within 30 minutes."""
        name = f"{self.seed.team_id}/{self.new_id('R')}"
        self.response_urls[name] = ResponseUrl(user, channel, self.now() + RESPONSE_URL_LIFE, message_ts)
        return name

    def top_modal(self, user: str) -> SlackView | None:
        """Return the modal a person sees, None when they see none."""
        stack = self.modals.get(user)
        return self.views[stack[-1]] if stack else None

    def find_message(self, channel: str, ts: str) -> Message | None:
        """Return a message of a channel, or an ephemeral one shown there; None when there is none."""
        found = self.channels[channel].messages.get(ts)
        if found is not None:
            return found
        whispers = (e.message for e in self.ephemerals if e.channel == channel and e.message["ts"] == ts)
        return next(whispers, None)


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
        ChannelInfo("C0PRIVATE", "private", (*_PEOPLE, _BOT), "groups"),
        ChannelInfo("D0ALICE", "directmessage", ("U01ALICE", _BOT), "im", "U01ALICE"),
        ChannelInfo("D0BOB", "directmessage", ("U02BOB", _BOT), "im", "U02BOB"),
        ChannelInfo("D0CAROL", "directmessage", ("U03CAROL", _BOT), "im", "U03CAROL"),
        ChannelInfo("D0DAVE", "directmessage", ("U04DAVE", _BOT), "im", "U04DAVE"),
    ),
)
