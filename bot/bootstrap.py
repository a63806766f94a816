"""Builds every client and service once, starts them in order, and closes them in reverse."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.config import ConfigurationError, Settings, SlackCredentials
from bot.config.model import NumberStyle
from bot.domain.send_limits import SendLimits
from bot.execution.connections import Connection
from bot.execution.dispatcher import Dispatcher
from bot.execution.engine import Engine
from bot.execution.ports import Collaborators
from bot.execution.provider_calls import ProviderCalls
from bot.execution.retries import Retries
from bot.execution.takeover import Takeover, place
from bot.execution.throttle import Throttle
from bot.execution.verdicts import Metrics, VerdictRecorder
from bot.execution.workflow import Workflow
from bot.server import SlackEvents, serving
from bot.services.authorization import Authorizer
from bot.services.groups import GROUP_LIST_TTL, GroupDirectory
from bot.services.preview import PreviewService
from bot.services.revalidation import Revalidator
from bot.services.submission import Submissions
from bot.services.sync import SyncService, SyncSources
from bot.services.sync_scheduler import SyncScheduler
from bot.storage.database import Database
from bot.storage.stores import Stores
from bot.tasks import OpenRequests, background
from handlers.app import running as running_app
from handlers.clients import SlackClients
from handlers.clients.errors import is_transient
from handlers.clients.web_api import probe, slack_client, slack_session
from handlers.delivery import Delivery, notify_requester
from handlers.delivery.notifier import NotifierOptions
from handlers.services import Services
from providers.base import Provider
from providers.capability_docs import PROVIDERS
from providers.registry import make_provider

CONNECT_TIMEOUT = 30
"""Seconds to open the connection of Socket Mode."""
SOCKET_PING = 3.0
"""Seconds between two checks of the Socket Mode connection: a broken one receives nothing until the next check."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[str]:
    """Run the bot, and yield the base URL of its HTTP server.

    Raises:
        ConfigurationError: a Slack token is missing or refused, or an adapter refuses a connection's values.
        AlreadyRunning: another process uses the SQLite file.
        ReplicaFenced: this replica was paused or cut off from PostgreSQL, and another one takes over its work.
    """
    credentials = settings.require_slack()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(_database(settings))
        await stack.enter_async_context(place(database))
        providers = await stack.enter_async_context(_providers(settings))
        session = await stack.enter_async_context(slack_session())
        client = slack_client(settings, credentials.bot_token, session)
        identity = await probe(client, credentials)
        stores = Stores.of(database, settings.access_roles(), settings.group_catalog())
        await stores.audit.record_configuration(settings.public_summary())

        metrics = Metrics()
        services, engine, dispatcher = _build(settings, database, stores, providers, client=client, metrics=metrics)
        for opened in (
            services.directory,
            services.slack.user_groups,
            services.delivery.background,
            services.delivery.notifier,
        ):
            stack.push_async_callback(opened.aclose)
        app = await stack.enter_async_context(running_app(client, services, _workspaces(settings, identity)))
        await engine.launch()
        stack.push_async_callback(engine.aclose)
        await stack.enter_async_context(Takeover(database, engine).running())
        await stack.enter_async_context(dispatcher.running())
        await stack.enter_async_context(services.sync_scheduler.running())
        await stack.enter_async_context(background(_read_ahead(services)))
        url = await _serve(stack, settings, credentials, app, metrics)
        log.info("running", url=url, socket_mode=credentials.socket_mode, connections=len(providers))
        yield url


def make_providers(settings: Settings) -> dict[str, Provider]:
    """Build the adapter of each connection, by its name. Raises `ConfigurationError` for values an adapter refuses."""
    providers = {}
    for name, c in settings.connections.items():
        token, account = c.token.get_secret_value(), c.account or ""
        try:
            providers[name] = make_provider(c.provider, base_url=c.base_url, token=token, account=account)
        except ValueError as error:
            raise ConfigurationError(f"connections.{name}: {error}") from None
    return providers


def _build(
    settings: Settings,
    database: Database,
    stores: Stores,
    providers: Mapping[str, Provider],
    *,
    client: AsyncWebClient,
    metrics: Metrics,
) -> tuple[Services, Engine, Dispatcher]:
    """Build the services from the inside out: accounts, Slack, execution, use cases."""
    roles, catalog = settings.access_roles(), settings.group_catalog()
    connections = {name: _connection(settings, database, name, provider) for name, provider in providers.items()}
    directory, authorizer = GroupDirectory(catalog, providers), Authorizer(providers, roles)

    slack = SlackClients.of(client, roles, shorten_numbers=settings.slack.numbers is NumberStyle.SHORT)
    abilities = {name: frozenset(provider.abilities) for name, provider in providers.items()}
    accounts = {name: PROVIDERS[c.provider][0] for name, c in settings.connections.items()}
    options = NotifierOptions(abilities, accounts, catalog, settings.slack.approvals_channel or "")
    delivery = Delivery.of(client, slack, stores, options)

    sources = SyncSources(providers, slack.profiles.phones_of)
    actor_of = slack.user_groups.actor_for_work
    revalidator = Revalidator(authorizer, actor_of, directory, sources)
    calls, recorder = ProviderCalls(directory.get), VerdictRecorder(stores.requests, metrics)
    retries = Retries(is_transient, lambda _, step, __: metrics.given_up(step))
    metrics.watch_stuck(lambda: len(retries.stuck()))
    collaborators = Collaborators(
        stores.requests, connections, delivery.notifier, revalidator, calls, recorder, retries
    )
    workflow = Workflow(collaborators)
    engine = Engine(database.engine_url, workflow.durable(), replica=database.replica)
    open_requests = OpenRequests()
    dispatcher = Dispatcher(stores.work, engine, open_requests)

    rules = settings.approval_rules()
    submissions = Submissions(
        stores.requests,
        dispatcher,
        stores.audit,
        authorizer=authorizer,
        rules=rules,
        metrics=metrics,
        max_open=settings.requests.open_per_person,
    )
    syncs = SyncService(submissions, authorizer, directory, sources, providers)
    notify = partial(notify_requester, client)
    scheduler = SyncScheduler(syncs, stores.schedules, stores.requests, directory, actor_of=actor_of, notify=notify)
    previews = PreviewService(submissions, connections)
    services = Services(
        stores,
        slack,
        delivery,
        directory,
        connections,
        authorizer,
        submissions,
        previews,
        syncs,
        scheduler,
        open_requests,
    )
    return services, engine, dispatcher


def _workspaces(settings: Settings, identity: AsyncSlackResponse) -> frozenset[str]:
    """Return the workspaces whose people may use the app: its own, its organisation, and those of the configuration."""
    own = (str(identity.get(field) or "") for field in ("team_id", "enterprise_id"))
    return frozenset({*own, *settings.slack.workspaces} - {""})


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    """Open the database, on SQLite for this process alone, and upgrade it to the newest version."""
    async with AsyncExitStack() as stack:
        database = Database(settings.storage.url)
        stack.push_async_callback(database.aclose)
        await stack.enter_async_context(database.hold())
        await database.upgrade()
        yield database


@asynccontextmanager
async def _providers(settings: Settings) -> AsyncIterator[dict[str, Provider]]:
    async with AsyncExitStack() as stack:
        providers = make_providers(settings)
        for provider in providers.values():
            stack.push_async_callback(provider.aclose)
        yield providers


def _connection(settings: Settings, database: Database, name: str, provider: Provider) -> Connection:
    connection = settings.connections[name]
    limits = SendLimits(
        batch=connection.pace.batch,
        gap=connection.pace.gap.total_seconds(),
        jitter=connection.pace.jitter,
        per_day=connection.pace.per_day,
    )
    verify_after = [wait.total_seconds() for wait in connection.verify_after]
    return Connection(provider, Throttle(database, name, limits), verify_after)


async def _serve(
    stack: AsyncExitStack, settings: Settings, credentials: SlackCredentials, app: AsyncApp, metrics: Metrics
) -> str:
    """Start receiving from Slack, over HTTP or Socket Mode, and return the base URL of the HTTP server."""
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
    return url


def _events(app: AsyncApp, credentials: SlackCredentials) -> SlackEvents | None:
    """Return the receiver of Slack's requests over HTTP; None in Socket Mode."""
    if credentials.socket_mode or credentials.signing_secret is None:
        return None
    return SlackEvents(app, credentials.signing_secret)


async def _connect(socket: AsyncSocketModeHandler) -> None:
    """Open the connection of Socket Mode. Raises `ConfigurationError` if that takes too long."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await socket.client.connect()
    except TimeoutError:
        line = f"slack.api_url: no connection for Socket Mode within {CONNECT_TIMEOUT} seconds"
        raise ConfigurationError(line) from None


def _is_open(socket: AsyncSocketModeHandler) -> bool:
    session = socket.client.current_session
    return session is not None and not session.closed


async def _read_ahead(services: Services) -> None:
    """Read the groups and the user groups before they are needed, and again before the copies expire."""
    while True:
        await services.directory.refresh(max_wait=30, max_age=GROUP_LIST_TTL / 2)
        await services.slack.user_groups.actor("", max_age=GROUP_LIST_TTL)
        await asyncio.sleep(GROUP_LIST_TTL / 2)
