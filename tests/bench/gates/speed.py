"""How many looks a second `sluice replay` judges, as a whole process over a file of mixed releases.

`python -m tests.bench.gates.speed [releases]`: the start of Python and scipy is measured on one look and told apart. On
a busy machine the clock says little; what counts is the processor's time.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.gates.recordings import lines
from tests.bench.gates.traffic import Scenario, flat

SCENARIO = Scenario("mixed", 40, flat(0.002), flat(0.0025), windows=60)
LEAST_PER_SECOND = 10_000


def seconds(file: Path) -> tuple[float, float, int]:
    """How long the command takes by the clock and on the processor, and how many lines it answers."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", "bot", "replay", str(file)], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, busy, done.stdout.count(b"\n")


def main(releases: int) -> int:
    """Print both figures; 1 when the goal is missed."""
    with tempfile.TemporaryDirectory() as folder:
        whole, first = Path(folder) / "mixed.jsonl", Path(folder) / "first.jsonl"
        told = list(lines(SCENARIO, releases))
        whole.write_text("\n".join(told) + "\n")
        first.write_text(f"{told[0]}\n{told[releases]}\n")
        start, busy_start, _ = seconds(first)
        took, busy, answers = seconds(whole)
    looks = answers - releases
    print(f"{looks:,} looks of {releases} releases: {took:.1f} s by the clock, {busy:.1f} s of a processor;")
    print(f"the start alone: {start:.1f} s and {busy_start:.1f} s.")
    per_second = looks / (busy - busy_start)
    print(f"{looks / took:,.0f} looks/s by the clock, start included; {per_second:,.0f} of a processor without it.")
    return int(per_second < LEAST_PER_SECOND)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
