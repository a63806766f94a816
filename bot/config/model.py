"""The settings: the sections of the configuration, their keys and defaults."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.config.errors import ConfigurationError
from bot.config.values import (
    ChannelId,
    DatabaseUrl,
    Duration,
    HttpUrl,
    MemberId,
    Name,
    Phone,
    PositiveDuration,
    Region,
    Secret,
    SlackApiUrl,
    Text,
    Texts,
    WorkspaceId,
    one_of,
)
from bot.domain.access import Capability, Role
from bot.domain.approvals import ApprovalRule
from bot.domain.groups import ConfiguredGroup, GroupCatalog, GroupRef
from providers.base import Operation


class ProviderName(StrEnum):
    """The providers that a connection can name."""

    WACR = "wacr"
    WAGATEWAY = "wagateway"
    WASEND = "wasend"
    WUTS = "wuts"
    TWOCHAT = "twochat"


class NumberStyle(StrEnum):
    """How phone numbers are written in public channels."""

    SHORT = "short"
    FULL = "full"


ACCOUNTS = MappingProxyType(
    {
        ProviderName.WAGATEWAY: "the name of the session",
        ProviderName.WASEND: "the session id",
        ProviderName.TWOCHAT: "the sender's phone number",
    }
)
"""The meaning of `account` for the providers whose paths contain it (contracts/). For others the token implies it."""

NEEDS_BASE_URL = frozenset({ProviderName.WAGATEWAY})
"""The self-hosted providers, which have no default address."""


class Section(BaseModel):
    """A table of the configuration. Its keys are fixed, and its values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)


class SlackSettings(Section):
    """`[slack]`: the address of Slack, and the tokens of the app."""

    api_url: SlackApiUrl = Field(
        "https://slack.com/api/",
        description="the base of Slack's Web API; another one for GovSlack or a test workspace",
    )
    approvals_channel: ChannelId | None = Field(
        None, description="the channel for approval requests; default: the channel of the request"
    )
    workspaces: tuple[WorkspaceId, ...] = Field(
        (),
        description="other workspaces whose people may use the app, as in Slack Connect channels or an organisation",
    )
    numbers: Annotated[NumberStyle, one_of("style", NumberStyle)] = Field(
        NumberStyle.SHORT,
        description="phone numbers in public channels: `short` (+1 415 ••• 0100) or `full`",
    )
    bot_token: Secret | None = Field(None, description="the bot token, `xoxb-…`")
    bot_token_file: Path | None = Field(None, description="a file that contains the bot token")
    app_token: Secret | None = Field(None, description="the app-level token for Socket Mode, `xapp-…`")
    app_token_file: Path | None = Field(None, description="a file that contains the app-level token")
    signing_secret: Secret | None = Field(None, description="the signing secret, for HTTP")
    signing_secret_file: Path | None = Field(None, description="a file that contains the signing secret")


class StorageSettings(Section):
    """`[storage]`: the database. The URL may contain a password, and is left out of `repr`."""

    url: DatabaseUrl = Field(
        "sqlite:///rollcall.db", repr=False, description="`sqlite:///path` or `postgresql://user@host/database`"
    )


class ServerSettings(Section):
    """`[server]`: the address that the bot listens on."""

    host: Text = Field("127.0.0.1", description="the address to listen on; `0.0.0.0` for all")
    port: int = Field(3000, ge=0, le=65535, description="the port to listen on; 0 for any free one")


class RequestSettings(Section):
    """`[requests]`: how many requests are accepted."""

    open_per_person: int = Field(
        100, ge=1, description="the maximum number of requests of one person that haven't ended"
    )


class Pace(Section):
    """How fast one account may act. No provider publishes safe figures, so the defaults are guesses.

    Adds 250 to 500 ms apart failed after four, adds 10 s apart passed a hundred (whatsapp-web.js #3220).
    """

    batch: int = Field(
        10, ge=1, le=1024, description="the maximum batch size, if the provider accepts several people in a call"
    )
    gap: Duration = Field(timedelta(seconds=5), description="the time from one call to the next")
    jitter: float = Field(0.3, ge=0, le=1, description="the fraction of the gap by which it varies at random, 0 to 1")
    per_day: int = Field(500, ge=1, description="the maximum number of people that the account acts on in a UTC day")


class ConnectionSettings(Section):
    """`[connections.<name>]`: one account at one provider."""

    provider: Annotated[ProviderName, one_of("provider", ProviderName)] = Field(
        description=f"one of {', '.join(ProviderName)}"
    )
    base_url: HttpUrl | None = Field(None, description="the address of the provider's API; default: the provider's own")
    account: Text | None = Field(None, description="the session id, or the sender's phone number")
    token: Secret = Field(description="the provider's API key")
    token_file: Path | None = Field(None, description="a file that contains the provider's API key")
    default_region: Region | None = Field(
        None, description="the ISO 3166 country of numbers typed without a country code"
    )
    pace: Pace = Field(Pace(), description="how fast the account may act")
    verify_after: tuple[Duration, ...] = Field(
        (timedelta(seconds=2), timedelta(seconds=30), timedelta(minutes=3)),
        description="the waits before each time that unknown results are verified in the group",
    )


class GroupSettings(Section):
    """`[groups.<alias>]`: a short name for a group."""

    connection: Text = Field(description="the name of the group's connection")
    id: Text = Field(description="the group's id at its provider")
    warning: Text | None = Field(None, description="a text that is shown to requesters and approvers of this group")
    keep: tuple[Phone, ...] = Field((), description="phone numbers (with + and country code) that a sync never removes")


class RoleSettings(Section):
    """`[roles.<name>]`: who may do what in which groups."""

    members: Annotated[tuple[MemberId, ...], Field(min_length=1)] = Field(
        description="ids of Slack users (U…, W…) and user groups (S…)"
    )
    capabilities: Annotated[
        tuple[Annotated[Capability, one_of("capability", Capability)], ...], Field(min_length=1)
    ] = Field(description=f"some of {', '.join(Capability)}")
    groups: Texts = Field(("*",), description="globs of groups, such as `launch-*`; default: all")


class ApprovalSettings(Section):
    """`[[approvals]]`: one rule; the first that matches a request wins."""

    operations: Annotated[
        tuple[Annotated[Operation, one_of("operation to approve", Operation)], ...],
        Field(min_length=1),
    ] = Field(description=f"some of {', '.join(Operation)}")
    groups: Texts = Field(("*",), description="globs of groups, such as `launch-*`; default: all")
    min_participants: int = Field(0, ge=0, description="the minimum number of people for the rule to apply")
    approvers: Texts = Field(description="the roles whose members approve; each has the capability `approve`")
    quorum: int = Field(1, ge=0, description="how many different people must approve; 0: no approval is needed")
    expires_after: PositiveDuration = Field(
        timedelta(hours=24), description="how long a request waits for its approval"
    )
    remind_after: PositiveDuration | None = Field(
        None, description="the wait before the approvers are reminded; it doubles after each reminder"
    )


@dataclass(frozen=True, slots=True)
class SlackCredentials:
    """The tokens that the bot runs with: the app token for Socket Mode, otherwise the signing secret for HTTP."""

    bot_token: SecretStr
    app_token: SecretStr | None
    signing_secret: SecretStr | None

    @property
    def socket_mode(self) -> bool:
        """Whether events arrive over a WebSocket that the bot opens, instead of HTTP requests by Slack."""
        return self.app_token is not None


class Settings(BaseSettings):
    """The whole configuration. `bot.config.load` reads it; its constructor uses only its arguments."""

    model_config = SettingsConfigDict(
        env_prefix="ROLLCALL_", env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    slack: SlackSettings = SlackSettings()
    storage: StorageSettings = StorageSettings()
    server: ServerSettings = ServerSettings()
    requests: RequestSettings = RequestSettings()
    connections: dict[Name, ConnectionSettings] = Field(default_factory=dict)
    groups: dict[Name, GroupSettings] = Field(default_factory=dict)
    roles: dict[Name, RoleSettings] = Field(default_factory=dict)
    approvals: tuple[ApprovalSettings, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use only the constructor's arguments: `load` reads the environment itself, to know each key's variable."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    def public_summary(self) -> dict[str, Any]:
        """Return the configuration without its secrets, for the audit journal.

        The included keys are listed one by one, so that a new key is left out until it is known not to be a secret.
        The storage's URL is left out, since it may contain a password.
        """
        connection = {"provider", "base_url", "account", "default_region", "pace", "verify_after"}
        public: dict[str, Any] = {
            "slack": {"api_url", "approvals_channel"},
            "server": True,
            "requests": True,
            "connections": {"__all__": connection},
            "groups": True,
            "roles": True,
            "approvals": True,
        }
        return self.model_dump(include=public)

    def access_roles(self) -> tuple[Role, ...]:
        """Return the roles for the domain."""
        return tuple(
            Role(
                name=name,
                members=frozenset(role.members),
                capabilities=frozenset(role.capabilities),
                groups=role.groups,
            )
            for name, role in self.roles.items()
        )

    def group_catalog(self) -> GroupCatalog:
        """Return what the configuration says of groups, by their identity."""
        regions = {name: connection.default_region for name, connection in self.connections.items()}
        return GroupCatalog(
            {
                GroupRef(group.connection, group.id): ConfiguredGroup(
                    alias, group.warning or "", group.keep, regions.get(group.connection)
                )
                for alias, group in self.groups.items()
            },
            regions,
        )

    def approval_rules(self) -> tuple[ApprovalRule, ...]:
        """Return the approval rules in order; the first that matches wins."""
        return tuple(
            ApprovalRule(
                operations=frozenset(rule.operations),
                groups=rule.groups,
                min_participants=rule.min_participants,
                approvers=rule.approvers,
                quorum=rule.quorum,
                expires_after=rule.expires_after,
                remind_after=rule.remind_after,
            )
            for rule in self.approvals
        )

    def require_slack(self) -> SlackCredentials:
        """Return the tokens to run with. Raises `ConfigurationError` if one is missing or in another one's place."""
        slack = self.slack
        if slack.bot_token is None:
            raise ConfigurationError(
                "SLACK_BOT_TOKEN: slack.bot_token is missing; copy the bot token (xoxb-…) from the app's"
                " OAuth & Permissions page"
            )
        if slack.app_token is None and slack.signing_secret is None:
            raise ConfigurationError(
                "SLACK_APP_TOKEN: slack.app_token is missing; Socket Mode needs SLACK_APP_TOKEN (xapp-…),"
                " HTTP needs SLACK_SIGNING_SECRET"
            )
        if slack.bot_token.get_secret_value().startswith("xapp-"):
            raise ConfigurationError(
                "SLACK_BOT_TOKEN: slack.bot_token is an app-level token; a bot token begins with xoxb-"
            )
        if slack.app_token is not None and slack.app_token.get_secret_value().startswith("xoxb-"):
            raise ConfigurationError(
                "SLACK_APP_TOKEN: slack.app_token is a bot token; an app-level token begins with xapp-"
            )
        return SlackCredentials(slack.bot_token, slack.app_token, slack.signing_secret)
