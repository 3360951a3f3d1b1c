"""What the terminal says once the sandbox is up."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from bot.sandbox.supervisor import Supervisor

ROLES = {"alice": "may start releases", "bob": "may approve", "carol": "on call", "mallory": "may do nothing"}
FIRST = "/release start reviews v2"


def banner(supervisor: "Supervisor", console: Console | None = None) -> None:
    """Where everything is, what is real, who one can be, and a first command."""
    console = console or Console()
    seconds = max(supervisor.times.parts.values(), default=0.0)
    console.print(f"\n[bold]Sluice sandbox[/bold] is up after {seconds:.1f} s\n")
    console.print(_table(supervisor))
    console.print(f"\nTry as alice:  [bold]{FIRST}[/bold]   then approve as bob, or make v2 fail by its knobs.")
    console.print("[dim]Ctrl-C ends everything.[/dim]")


def _table(supervisor: "Supervisor") -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    addresses = supervisor.addresses()
    people = [f"{name} ({ROLES.get(name, 'member')})" for name in supervisor.users()]
    stand_ins = addresses["stand_ins"]
    rows = [
        ("Page", Text(str(addresses["page"]), style="bold cyan")),
        ("People", Text(", ".join(people))),
        ("Real", Text(", ".join(_real(supervisor)))),
        ("Stand-ins", Text(", ".join(stand_ins) if isinstance(stand_ins, list) else "")),
        ("Cluster", Text(f"kubectl --kubeconfig {addresses['kubeconfig']} get virtualservices -n shop -o yaml")),
        ("Bot", Text(str(addresses["bot"]))),
        ("Logs", Text(str(supervisor.folder))),
    ]
    for name, value in rows:
        table.add_row(name, value)
    return table


def _real(supervisor: "Supervisor") -> list[str]:
    found = ["the bot"]
    if supervisor.live_mesh.stand_in_reason is None:
        found.append("Envoy and every request through it")
    if supervisor.prometheus.stand_in is None:
        found.append("Prometheus")
    return found
