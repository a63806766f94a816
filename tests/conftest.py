"""Fixtures that several packages of tests share."""

from hypothesis import settings

pytest_plugins = ("tests.postgres", "tests.bot.runtime.databases")

settings.register_profile("no deadlines", deadline=None)  # a busy machine is no bug
settings.load_profile("no deadlines")
