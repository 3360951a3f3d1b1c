"""A Slack on loopback that speaks the real wire protocol to unmodified Slack clients.

Here belong the Web API, both ways Slack reaches an app (Socket Mode and signed HTTP), what Slack
shows to whom, its limits and refusals, the hands of the people who click, and the faults a test may
ask for. No word about releases belongs here, no Slack library, and nothing of the bot: it is met only
over sockets. The command line, the sandbox page and tests may import it.

Documents on this wire are JSON of Slack's shape, so `Json` (an untyped object) travels through the
package; identities, settings, faults and outcomes are frozen dataclasses.
"""

from bot.sandbox.slack.faults import Fault, FaultKind
from bot.sandbox.slack.outcome import DriverError, Outcome
from bot.sandbox.slack.stand_in import SlackStandIn
from bot.sandbox.slack.thread import SlackThread
from bot.sandbox.slack.workspace import Channel, Delivery, Settings, User, UserGroup

__all__ = [
    "Channel",
    "Delivery",
    "DriverError",
    "Fault",
    "FaultKind",
    "Outcome",
    "Settings",
    "SlackStandIn",
    "SlackThread",
    "User",
    "UserGroup",
]
