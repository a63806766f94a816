"""Wires the application: makes every client once, starts everything in order, and closes it in reverse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import handlers
from bot.domain.groups import KnownGroup
from bot.drafts import Drafts
from bot.intake import Intake
from bot.lines import Line
from bot.lists import Lists
from bot.preview import Previews
from bot.review import Review
from bot.rights import Rights
from bot.runtime.archive import Archive
from bot.runtime.audit import Audit
from bot.runtime.database import Database
from bot.runtime.decisions import Decisions
from bot.runtime.dispatcher import Dispatcher
from bot.runtime.engine import Engine
from bot.runtime.groups import FRESH, Directory
from bot.runtime.journal import Journal
from bot.runtime.metrics import Metrics
from bot.runtime.pace import Pace, Sender
from bot.runtime.postings import Postings
from bot.runtime.schedules import Schedules
from bot.runtime.tasks import background
from bot.server import serving
from bot.settings import ConfigurationError, Settings
from bot.settings.model import NumberStyle
from bot.settings.summary import summary
from bot.slack import probe, slack_client, slack_session
from bot.syncs import Repeater, Syncs
from bot.workflow import Workflow
from handlers import home
from handlers.behind import Behind
from handlers.budget import Budget
from handlers.changes import Changes
from handlers.channels import Channels
from handlers.deciders import Deciders
from handlers.links import Links
from handlers.poster import Poster
from handlers.profiles import Profiles
from handlers.services import Services
from handlers.sync import tell
from handlers.thread import SlackThread
from handlers.usergroups import UserGroups
from handlers.zones import Zones
from providers.base import Provider
from providers.registry import make_provider

CONNECT_TIMEOUT = 30
"""Seconds for opening the connection of Socket Mode."""
SOCKET_PING = 3.0
"""Seconds between two looks whether the connection of Socket Mode lives; a broken one is deaf until the next look."""

log = structlog.get_logger(__name__)


def make_providers(settings: Settings) -> dict[str, Provider]:
    """Make the adapter of each connection, by its name. Raises `ConfigurationError` for values an adapter refuses."""
    providers = {}
    for name, c in settings.connections.items():
        token, account = c.token.get_secret_value(), c.account or ""
        try:
            providers[name] = make_provider(c.provider, base_url=c.base_url, token=token, account=account)
        except ValueError as error:
            raise ConfigurationError(f"connections.{name}: {error}") from None
    return providers


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[str]:
    """Run the bot, and give the base URL of its HTTP server.

    Raises:
        ConfigurationError: a Slack token is missing or refused, or an adapter refuses a connection's values.
        AlreadyRunning: another process uses the database.
        OSError: the port is taken.
    """
    credentials = settings.require_slack()
    async with AsyncExitStack() as stack:
        database = Database(settings.storage.url)
        stack.push_async_callback(database.aclose)
        await stack.enter_async_context(database.hold())
        await database.upgrade()
        providers = make_providers(settings)
        for provider in providers.values():
            stack.push_async_callback(provider.aclose)
        session = await stack.enter_async_context(slack_session())
        client = slack_client(settings, credentials.bot_token, session)
        await probe(client, credentials)
        await Audit(database).configured(summary(settings))
        metrics = Metrics()
        services, engine = _wire(settings, database, providers, client, metrics)
        stack.push_async_callback(services.directory.aclose)
        stack.push_async_callback(services.usergroups.aclose)
        stack.push_async_callback(services.behind.aclose)
        app = _bolt(credentials.signing_secret, client)
        handlers.register(app, services)
        stack.enter_context(services.changes.heard_by(services.directory.follow))
        await stack.enter_async_context(home.running(app, services))
        await engine.launch()
        stack.push_async_callback(engine.aclose)
        await stack.enter_async_context(services.dispatcher.running())
        await stack.enter_async_context(services.repeater.running())
        await stack.enter_async_context(background(_read_ahead(services)))
        socket = None
        if credentials.app_token is not None:
            socket = AsyncSocketModeHandler(app, credentials.app_token.get_secret_value(), ping_interval=SOCKET_PING)
            stack.push_async_callback(socket.close_async)
        ready = asyncio.Event()
        url = await stack.enter_async_context(
            serving(
                settings.server.host,
                settings.server.port,
                events=None if credentials.socket_mode else app,
                is_ready=lambda: ready.is_set() and (socket is None or _is_open(socket)),
                metrics=metrics.exposition,
            )
        )
        if socket is not None:
            await _connect(socket)
        ready.set()
        log.info("running", url=url, socket_mode=credentials.socket_mode, connections=len(providers))
        yield url


async def _connect(socket: AsyncSocketModeHandler) -> None:
    """Open the connection of Socket Mode. Raises `ConfigurationError` when that takes too long."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await socket.client.connect()
    except TimeoutError:
        line = f"slack.api_url: no connection for Socket Mode within {CONNECT_TIMEOUT} seconds"
        raise ConfigurationError(line) from None


def _is_open(socket: AsyncSocketModeHandler) -> bool:
    """Tell whether the connection of Socket Mode stands now."""
    session = socket.client.current_session
    return session is not None and not session.closed


def _wire(
    settings: Settings, database: Database, providers: dict[str, Provider], client: AsyncWebClient, metrics: Metrics
) -> tuple[Services, Engine]:
    journal = Journal(database)
    aliases = {(group.connection, group.id): alias for alias, group in settings.groups.items()}
    roles = settings.access_roles()
    decisions = Decisions(database, roles, aliases)
    poster, archive, audit = Poster(client, Postings(database)), Archive(database), Audit(database)
    warnings = {(g.connection, g.id): g.warning for g in settings.groups.values() if g.warning}
    changes = Changes()
    usergroups = UserGroups(client, sorted({m for role in roles for m in role.members if m.startswith("S")}))
    links = Links(poster.link)
    channels = Channels(client, shorten=settings.slack.numbers is NumberStyle.SHORT)
    announcer = SlackThread(
        poster,
        links,
        Budget(),
        decisions=decisions,
        deciders=Deciders(poster, decisions, usergroups, channels),
        journal=journal,
        archive=archive,
        channels=channels,
        able={name: frozenset(provider.abilities) for name, provider in providers.items()},
        warnings=warnings,
        approvals_channel=settings.slack.approvals_channel or "",
        changes=changes,
    )
    lines = {name: _line(settings, database, name, provider) for name, provider in providers.items()}
    rights = Rights(lines, roles)
    keep = {(g.connection, g.id): g.keep for g in settings.groups.values()}
    directory = Directory([KnownGroup(g.connection, g.id, alias) for alias, g in settings.groups.items()], providers)
    lists = Lists(lines, Profiles(client).phones_of)
    review = Review(rights, usergroups.actor_for_work, directory.group, lists, keep)
    workflow = Workflow(journal, lines, announcer, review, metrics=metrics, known=directory.group)
    engine = Engine(database.engine_url, workflow.durable())
    dispatcher = Dispatcher(journal, engine)
    intake = Intake(
        journal,
        dispatcher,
        audit,
        rights=rights,
        rules=settings.approval_rules(),
        metrics=metrics,
    )
    syncs, schedules = Syncs(intake, rights, keep, lists, directory.group), Schedules(database)
    services = Services(
        intake=intake,
        rights=rights,
        previews=Previews(intake, lines),
        drafts=Drafts(database),
        directory=directory,
        usergroups=usergroups,
        zones=Zones(client),
        syncs=syncs,
        schedules=schedules,
        repeater=Repeater(
            syncs, schedules, journal, directory.group, actor_of=usergroups.actor_for_work, tell=partial(tell, client)
        ),
        journal=journal,
        archive=archive,
        audit=audit,
        decisions=decisions,
        dispatcher=dispatcher,
        announcer=announcer,
        changes=changes,
        behind=Behind(),
        links=links,
        lines=lines,
        regions={name: c.default_region for name, c in settings.connections.items()},
        warnings=warnings,
    )
    return services, engine


def _line(settings: Settings, database: Database, name: str, provider: Provider) -> Line:
    connection = settings.connections[name]
    pace = Pace(
        batch=connection.pace.batch,
        gap=connection.pace.gap.total_seconds(),
        jitter=connection.pace.jitter,
        per_day=connection.pace.per_day,
    )
    verify_after = [wait.total_seconds() for wait in connection.verify_after]
    return Line(provider, Sender(database, name, pace), verify_after)


def _bolt(signing_secret: SecretStr | None, client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(
        client=client,
        signing_secret=signing_secret.get_secret_value() if signing_secret else None,
        request_verification_enabled=signing_secret is not None,
        raise_error_for_unhandled_request=True,
    )


async def _read_ahead(services: Services) -> None:
    """Read the groups and the user groups before anybody asks, and again before the copies are stale."""
    while True:
        await services.directory.refresh(within=30, fresh=FRESH / 2)
        await services.usergroups.actor("", fresh=FRESH)
        await asyncio.sleep(FRESH / 2)
