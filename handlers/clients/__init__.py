"""Calls to Slack: user groups, profiles, channels, files, and what is sent to one person."""

from collections.abc import Iterable
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Role
from handlers.clients.channels import ChannelDirectory
from handlers.clients.profiles import Profiles
from handlers.clients.user_groups import UserGroups


@dataclass(frozen=True, slots=True)
class SlackClients:
    """The clients that read Slack, each with its cache."""

    user_groups: UserGroups
    channels: ChannelDirectory
    profiles: Profiles

    @classmethod
    def of(cls, client: AsyncWebClient, roles: Iterable[Role] = (), *, shorten_numbers: bool = True) -> "SlackClients":
        """Build the clients.

        Args:
            client: calls Slack's Web API.
            roles: the roles of the configuration, whose user groups are read.
            shorten_numbers: whether phone numbers are shortened in public channels.
        """
        groups = {member for role in roles for member in role.members if member.startswith("S")}
        return cls(
            user_groups=UserGroups(client, sorted(groups)),
            channels=ChannelDirectory(client, shorten=shorten_numbers),
            profiles=Profiles(client),
        )
