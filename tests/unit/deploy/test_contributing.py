"""CONTRIBUTING: every dependency has its reason, every tool its locked version, every rule its place."""

import re
import tomllib
from typing import Any

import yaml

from tests.unit.deploy.files import rows, sources, text

CONTRIBUTING = text("CONTRIBUTING.md")
PROJECT = tomllib.loads(text("pyproject.toml"))


def names(requirements: list[str]) -> list[str]:
    return sorted(match[0] for each in requirements if (match := re.match(r"[\w.-]+", each)))


def explained(section: str, head: str) -> list[str]:
    return [row[0] for row in rows(CONTRIBUTING.split(section, 1)[1], head)]


def hooks() -> list[dict[str, Any]]:
    config = yaml.safe_load(text(".pre-commit-config.yaml"))
    return [hook for repo in config["repos"] for hook in repo["hooks"]]


def test_every_dependency_of_the_bot_has_its_reason() -> None:
    found = explained("What ships with the bot:", "| dependency | why | home |")
    assert found == names(PROJECT["project"]["dependencies"])


def test_every_dependency_of_every_group_has_its_reason() -> None:
    for group, requirements in PROJECT["dependency-groups"].items():
        assert explained(f"Group `{group}`", "| dependency | why |") == names(requirements)


def test_every_rule_has_its_line() -> None:
    numbers = [row[0].partition(".")[0] for row in rows(CONTRIBUTING, "| rule | test |")]
    assert numbers == [str(number) for number in range(1, 13)]


def test_every_test_that_holds_a_rule_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", CONTRIBUTING))
    written = {name for source in sources("tests").values() for name in re.findall(r"def (test_\w+)\(", source)}
    assert named
    assert named - written == set()


def test_every_tier_of_the_tests_has_its_line() -> None:
    tiers = re.search(r"^TIERS = \((.*)\)$", text("tests/run"), re.MULTILINE)
    assert tiers is not None
    found = [row[0].strip("`") for row in rows(CONTRIBUTING, "| tier | what it holds | real parts |")]
    assert found == re.findall(r"\w+", tiers[1])


def test_decisions_are_numbered_short_and_say_their_price() -> None:
    decisions = re.split(r"^### ", CONTRIBUTING.split("## Decisions", 1)[1], flags=re.MULTILINE)[1:]
    assert [each.partition(".")[0] for each in decisions] == [str(n) for n in range(1, len(decisions) + 1)]
    assert all(word in each for each in decisions for word in ("*Context.*", "*Decision.*", "*Price.*"))
    assert all(len(each.strip().splitlines()) <= 20 for each in decisions)


def test_every_hook_runs_a_tool_of_the_lock() -> None:
    locked = {package["name"] for package in tomllib.loads(text("uv.lock"))["package"]}
    commands = {"lint-imports": "import-linter"}
    tools = [hook["entry"].removeprefix("uv run --frozen --group lint ").split()[0] for hook in hooks()]
    assert {commands.get(tool, tool) for tool in tools} - {"uv"} <= locked
    assert all(hook["language"] == "system" for hook in hooks())


def test_hooks_run_every_tool_that_the_lint_tier_runs() -> None:
    tier = re.findall(r'tool / "([\w-]+)"', text("tests/run"))
    assert tier
    assert all(any(f" {tool}" in hook["entry"] for hook in hooks()) for tool in tier)
