"""Wires the application: makes every client once, starts everything in order, and closes it in reverse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import handlers
from bot.config import ConfigurationError, Settings, SlackCredentials
from bot.config.model import NumberStyle
from bot.domain.send_limits import SendLimits
from bot.execution.connections import Connection
from bot.execution.dispatcher import Dispatcher
from bot.execution.engine import Engine
from bot.execution.ports import Collaborators
from bot.execution.provider_calls import ProviderCalls
from bot.execution.throttle import Throttle
from bot.execution.verdicts import Metrics, VerdictRecorder
from bot.execution.workflow import Workflow
from bot.server import SlackEvents, serving
from bot.services.authorization import Authorizer
from bot.services.groups import GROUP_LIST_TTL, GroupDirectory
from bot.services.preview import PreviewService
from bot.services.revalidation import Revalidator
from bot.services.submission import Submissions
from bot.services.sync import SyncScheduler, SyncService
from bot.services.sync_sources import SyncSources
from bot.storage.audit import AuditJournal
from bot.storage.database import Database
from bot.storage.drafts import DraftStore
from bot.storage.postings import Postings
from bot.storage.request_queries import RequestQueries
from bot.storage.requests import RequestStore
from bot.storage.sync_schedules import SyncSchedules
from bot.storage.votes import Votes
from bot.storage.work_queue import WorkQueue
from bot.tasks import BackgroundTasks, background
from handlers import answering, home
from handlers.clients.channels import ChannelDirectory
from handlers.clients.permalinks import Permalinks
from handlers.clients.profiles import Profiles
from handlers.clients.time_zones import TimeZones
from handlers.clients.user_groups import UserGroups
from handlers.clients.web_api import probe, slack_client, slack_session
from handlers.delivery.approvers import ApproverNotifier
from handlers.delivery.notifier import SlackNotifier
from handlers.delivery.poster import Poster
from handlers.delivery.rate_limit import MessageRateLimit
from handlers.delivery.request_events import RequestEvents
from handlers.services import Services
from handlers.sync import notify_requester
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
        await AuditJournal(database).record_configuration(settings.public_summary())
        metrics = Metrics()
        services, engine = _wire(settings, database, providers, client, metrics)
        stack.push_async_callback(services.directory.aclose)
        stack.push_async_callback(services.usergroups.aclose)
        stack.push_async_callback(services.background.aclose)
        app = _bolt(client)
        handlers.register(app, services)
        stack.enter_context(services.events.subscribe(services.directory.follow))
        await stack.enter_async_context(home.running(app, services))
        await engine.launch()
        stack.push_async_callback(engine.aclose)
        await stack.enter_async_context(services.dispatcher.running())
        await stack.enter_async_context(services.sync_scheduler.running())
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
                events=_events(app, credentials),
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
    journal = RequestStore(database)
    catalog = settings.group_catalog()
    roles = settings.access_roles()
    decisions = Votes(database, roles, catalog)
    poster, archive, audit = Poster(client, Postings(database)), RequestQueries(database), AuditJournal(database)
    changes = RequestEvents()
    usergroups = UserGroups(client, sorted({m for role in roles for m in role.members if m.startswith("S")}))
    links = Permalinks(poster.permalink)
    channels = ChannelDirectory(client, shorten=settings.slack.numbers is NumberStyle.SHORT)
    announcer = SlackNotifier(
        poster,
        links,
        MessageRateLimit(),
        decisions=decisions,
        deciders=ApproverNotifier(poster, decisions, usergroups, channels),
        journal=journal,
        archive=archive,
        channels=channels,
        able={name: frozenset(provider.abilities) for name, provider in providers.items()},
        catalog=catalog,
        approvals_channel=settings.slack.approvals_channel or "",
        changes=changes,
    )
    lines = {name: _line(settings, database, name, provider) for name, provider in providers.items()}
    rights = Authorizer(lines, roles)
    directory = GroupDirectory(catalog.aliased(), providers)
    lists = SyncSources(lines, Profiles(client).phones_of)
    review = Revalidator(rights, usergroups.actor_for_work, directory.get, lists, catalog)
    calls, recorder = ProviderCalls(directory.get), VerdictRecorder(journal, metrics)
    workflow = Workflow(Collaborators(journal, lines, announcer, review, calls, recorder))
    engine = Engine(database.engine_url, workflow.durable())
    dispatcher = Dispatcher(WorkQueue(database), engine)
    intake = Submissions(
        journal,
        dispatcher,
        audit,
        rights=rights,
        rules=settings.approval_rules(),
        metrics=metrics,
    )
    syncs, schedules = SyncService(intake, rights, catalog, lists, directory.get), SyncSchedules(database)
    services = Services(
        submissions=intake,
        authorizer=rights,
        previews=PreviewService(intake, lines),
        drafts=DraftStore(database),
        directory=directory,
        usergroups=usergroups,
        time_zones=TimeZones(client),
        syncs=syncs,
        schedules=schedules,
        sync_scheduler=SyncScheduler(
            syncs,
            schedules,
            journal,
            directory.get,
            actor_of=usergroups.actor_for_work,
            tell=partial(notify_requester, client),
        ),
        requests=journal,
        queries=archive,
        audit=audit,
        votes=decisions,
        dispatcher=dispatcher,
        notifier=announcer,
        events=changes,
        background=BackgroundTasks(),
        permalinks=links,
        connections=lines,
        catalog=catalog,
    )
    return services, engine


def _line(settings: Settings, database: Database, name: str, provider: Provider) -> Connection:
    connection = settings.connections[name]
    pace = SendLimits(
        batch=connection.pace.batch,
        gap=connection.pace.gap.total_seconds(),
        jitter=connection.pace.jitter,
        per_day=connection.pace.per_day,
    )
    verify_after = [wait.total_seconds() for wait in connection.verify_after]
    return Connection(provider, Throttle(database, name, pace), verify_after)


def _bolt(client: AsyncWebClient) -> AsyncApp:
    """Make the Bolt app. Its requests are verified by the HTTP server, or come over Socket Mode."""
    return AsyncApp(
        client=client,
        request_verification_enabled=False,
        before_authorize=answering.prepare(client.base_url),
        raise_error_for_unhandled_request=True,
    )


def _events(app: AsyncApp, credentials: SlackCredentials) -> SlackEvents | None:
    """Return what takes Slack's requests over HTTP; None in Socket Mode."""
    if credentials.socket_mode or credentials.signing_secret is None:
        return None
    return SlackEvents(app, credentials.signing_secret)


async def _read_ahead(services: Services) -> None:
    """Read the groups and the user groups before anybody asks, and again before the copies are stale."""
    while True:
        await services.directory.refresh(max_wait=30, max_age=GROUP_LIST_TTL / 2)
        await services.usergroups.actor("", fresh=GROUP_LIST_TTL)
        await asyncio.sleep(GROUP_LIST_TTL / 2)
