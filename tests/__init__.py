"""Tests mirror the tree of what they test. What several of them share is listed here, once.

Starting the application
    `tests.app.running_app`     serves a sandbox and runs the bot; yields a `RunningApp`.
    `tests.app.module_app`      a fixture (`app = module_app(...)`) that runs one bot for all tests of a module.
    `tests.app.app_slack`       a fixture (`slack = app_slack`): the workspace of that bot.
    `tests.app.RunningApp`      the bot, its workspace, providers and database; sends commands, waits for messages.
    `tests.app.SubmittedRequest`  one request: its messages, their buttons, and its end.
    `tests.app.put_people`      puts people into a simulated provider, and returns their numbers.
    `tests.app.group_id`        the id of a simulated provider's first group.
    `tests.app.new_phones`      phones that no test has used.
    `app` (tests/acceptance)    a bot of its own for one test.
    `tests.chaos.process`       the bot as a process that can be killed.

What people do and see in Slack
    `tests.slack_ui`            people, channels, commands, buttons, modals and ephemeral messages.
    `tests.handlers.samples`    requests and people at their extremes.
    `tests.handlers.catching`   a server that isn't Slack, and what is sent to it.

What people do in the page of `rollcall demo` (tests/browser)
    `tests.browser.demo`        the demo as a process, and what a person does in its page.
    `page`      the page of a new demo in Chromium, which must log no error and load nothing from elsewhere.
    `picture`   takes a picture of it; ROLLCALL_PICTURES=folder keeps the pictures.

Parts of the application (tests/handlers/conftest.py)
    `slack`     a simulated workspace without a bot.
    `client`    a Slack client for it, like the bot's own.
    `database`  a new database with one request.
    `poster`    what posts that request's messages.
    `post`      posts and updates a message, and returns it as Slack has it.
    `log`       the log of the test, as structured entries.

Storage and configuration
    `tests.postgres`, `tests.bot.storage.databases`     databases of both kinds.
    `tests.bot.configuration`   a valid configuration, and how changes to it are read.
    `tests.contracts`           the providers' OpenAPI contracts.
    `tests.counting.work_of`    counts the work of a function, the same on every machine.
"""
