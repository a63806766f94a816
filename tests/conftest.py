"""Fixtures that several packages of tests share."""

pytest_plugins = ("tests.postgres", "tests.bot.runtime.databases")
