"""What each subcommand does, in words and by example."""

from collections.abc import Mapping
from dataclasses import dataclass

from strategies.guards import OVERRIDABLE


@dataclass(frozen=True, slots=True)
class Topic:
    """One subcommand: how it is written, what it does, one example and what else is worth knowing."""

    usage: str
    does: str
    example: str
    more: tuple[str, ...] = ()


EXAMPLE = "For example: "  # a refusal shows what follows it as a command that can be copied
TOPICS: Mapping[str, Topic] = {
    "start": Topic(
        "start <service> <version> [canary|phased|blue-green|shadow|ab] [steps=…] [match=…] [mirror=…] [sticky=…] "
        "[hold=…] [approve=…] [baseline=…] [image=…] [at=…]",
        "moves a service to a version in stages",
        "start reviews v2 steps=5,25,50,100 hold=10m approve=every",
        (
            "What is left out is as the profile says; without one: canary, steps 5,25,50,100, hold 10m, approve every.",
            "`phased from 5 by 10 every 15m to 100` goes by a timetable; `steps=90:10,0:100` names both shares.",
            "`blue-green match=header:x-preview=1` shows it to testers, then switches at once; `shadow mirror=1,10,50` "
            "copies requests; `ab match=cookie:group=beta steps=1,50` gives a group the new version.",
            "`match=` takes header:, cookie:, query:, source_label: with a name, uri, method, authority; `=` exact, "
            "`^=` prefix, `=~` regex. `sticky=cookie` keeps each person at one version while shares grow.",
            "`approve=` is `every` (before each increase), `final` (before the last one) or `none`; not less often "
            "than the profile says.",
            "`image=registry.example.com/reviews:v2` deploys the version first, from the baseline's Deployment.",
            "`at=22:30`, `at=tomorrow 02:00` or `at=2026-12-01 02:00 Europe/Berlin` waits for that time.",
            '`override=STATEFUL reason="…"` begins against a guard; needs the override role, and is told to all.',
        ),
    ),
    "plan": Topic(
        "plan <service> <version> …same words as start…",
        "shows stages, times, guards and the first change; starts nothing",
        "plan reviews v2 steps=10,50,100",
    ),
    "preflight": Topic(
        "preflight <service> [version]",
        "tries the gates on the last two days and counts what each stage needs; starts nothing",
        "preflight reviews v2",
        ("The same as `sluice preflight`; also part of `plan`, and of a release's first message.",),
    ),
    "adopt": Topic(
        "adopt <service> [version] [undo]",
        "pins a service to its present version, so that a release can move its traffic; asks first",
        "adopt reviews",
        ("Makes the missing DestinationRule subset and VirtualService; `undo` takes exactly that away again.",),
    ),
    "status": Topic("status [<id>|<service>]", "shows where a release stands", "status reviews-142"),
    "list": Topic("list [active|scheduled|mine|all]", "lists releases", "list scheduled"),
    "approve": Topic(
        "approve <id> [note]",
        "says yes to the next increase",
        "approve reviews-142 dashboards look fine",
        ("Missing evidence asks for a confirm; a failing gate takes `override`.",),
    ),
    "override": Topic(
        "override <id> [<rule>] <reason>",
        "goes on against a failing gate, or begins against a guard; needs the override role",
        "override reviews-142 the alert is a known false one, see INC-7",
        (
            "A rule is a guard of a release that has not begun: `override reviews-142 NOT_STAGED tested by hand`.",
            f"Rules: {', '.join(OVERRIDABLE)}.",
        ),
    ),
    "pause": Topic(
        "pause <id> [reason]",
        "stops the plan where it is; the split stays, looks go on",
        "pause reviews-142 checking the logs",
    ),
    "resume": Topic("resume <id>", "goes on after a pause, or tries again what got stuck", "resume reviews-142"),
    "rollback": Topic(
        "rollback <id|service> [reason]",
        "sends all traffic back to the baseline, now",
        "rollback reviews checkout errors",
        ("Never refused for a freeze, a window or a failing gate.",),
    ),
    "schedule": Topic(
        "schedule <id> at <time> [zone] [auto|ask] [until <time>]",
        "lets the start, or the next increase, wait for a time",
        "schedule reviews-142 at tomorrow 02:00 Europe/Berlin until 05:00",
        (
            "`auto` (the default) is an approval given in advance: it advances only on passing gates, else it holds.",
            "`ask` puts the question to the approvers at that time.",
        ),
    ),
    "drift": Topic(
        "drift <id> adopt|restore|stop",
        "answers a change of the route made by somebody else",
        "drift reviews-142 restore",
        ("`adopt` makes it the plan, `restore` writes our split again, `stop` rolls back.",),
    ),
    "help": Topic("help [subcommand]", "shows this, or one subcommand in full", "help schedule"),
}
