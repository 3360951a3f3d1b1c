"""The README: its tables are the code's, its profile is one that the bot takes, its links lead somewhere."""

import ast
import re
from datetime import UTC, timedelta

import pytest

from bot import criteria, durations, profiles
from bot.cli import app
from bot.cli.output import Exit
from bot.requests import StartRequest
from bot.settings import SECRETS, Settings, variable
from bot.slack.commands import parse
from bot.slack.guide import TOPICS
from strategies.plan import StrategyName
from strategies.reasons import ReasonCode
from strategies.release import Phase, Role
from tests.builders import NOW
from tests.unit.deploy.files import ROOT, rows, sources, text

README = text("README.md")


def codes_raised() -> set[str]:
    """Codes that are given to a refusal, or bound to a name that is."""
    found: set[str] = set()
    for source in [*sources("bot").values(), *sources("strategies").values()]:
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Name(id="Refused"), args=[code, *_]) | ast.Assign(value=ast.Tuple() as code):
                    found |= set(re.findall(r"ReasonCode\.([A-Z_]+)", ast.unparse(code)))
    return found


def shown(default: object) -> str:
    if isinstance(default, timedelta):
        return f"`{durations.written(default)}`"
    return "" if default in {None, (), ""} else f"`{default}`"


def test_the_settings_table_is_the_settings() -> None:
    expected = []
    for field, info in Settings.model_fields.items():
        file = f" or `{variable(field)}_FILE`" if field in SECRETS else ""
        expected.append([f"`{variable(field)}`{file}", info.description, shown(info.default)])
    assert rows(README, "| variable | meaning | default |") == expected


def test_every_subcommand_is_shown_as_the_help_shows_it() -> None:
    block = "\n".join(f"/release {topic.usage}\n    {topic.does}" for topic in TOPICS.values())
    assert f"```text\n{block}\n```" in README


def test_every_command_of_the_command_line_has_its_line() -> None:
    found = [row[0].strip("`").split()[0] for row in rows(README, "| `sluice …` | what it does |")]
    assert found == [command.callback.__name__ for command in app.registered_commands if command.callback]


def test_every_phase_has_its_line() -> None:
    found = [row[0].strip("`") for row in rows(README, "| phase | what happens | what leads on |")]
    assert sorted(found) == sorted(phase.value for phase in Phase)


def test_every_role_has_its_line() -> None:
    found = [row[0].strip("`") for row in rows(README, "| role | may |")]
    assert found == [role.value for role in Role]


def test_the_reason_codes_are_those_that_this_version_can_give() -> None:
    found = [row[0].strip("`") for row in rows(README, "| code | what it means |")]
    assert set(found) <= {code.value for code in ReasonCode}
    assert sorted(found) == sorted(codes_raised())


def test_exit_codes_are_those_of_the_command_line() -> None:
    found = {int(row[0]) for row in rows(README, "| exit code | meaning |")}
    assert found <= {code.value for code in Exit} | {130}


def test_every_word_is_a_word_of_the_core() -> None:
    names: set[str] = set()
    for source in sources("strategies").values():
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    names.add(re.sub(r"([A-Z])", r"_\1", name).lower())
    parts = {part for name in names for part in name.split("_")}
    words = [word for row in rows(README, "| word | meaning |") for word in re.split(r",? ", row[0])]
    assert words
    assert set(words) <= parts


def test_the_annotated_profile_is_taken_and_shows_every_key() -> None:
    block = re.search(r"```yaml\n(service: reviews.*?)```", README, re.DOTALL)
    assert block is not None
    profile = profiles.read("reviews.yaml", block[1])
    assert profile.model_fields_set == set(profiles.Profile.model_fields)
    assert all(metric in block[1] for metric in criteria.UNITS)


@pytest.mark.parametrize("key", ["steps", "hold", "approve", "quorum", "requester_may_approve", "deadline", "soak"])
def test_a_value_that_is_called_the_default_is_the_default(key: str) -> None:
    line = re.search(rf"^{key}: .*default.*$", README, re.MULTILINE)
    assert line is not None
    profile = profiles.read("p.yaml", f"service: reviews\nnamespace: shop\n{line[0]}")
    assert getattr(profile, key) == getattr(profiles.Profile(service="reviews", namespace="shop"), key)


def links() -> set[str]:
    found = re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", README + text("CONTRIBUTING.md"))
    return {first or second for first, second in found if not (first or second).startswith("http")}


def test_links_lead_to_files() -> None:
    assert "CONTRIBUTING.md" in links()
    assert [each for each in links() if not (ROOT / each).exists()] == []


def test_the_contents_lead_to_headings() -> None:
    headings = re.findall(r"^##+ (.+)$", README, re.MULTILINE)
    places = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    contents = set(re.findall(r"\]\(#([^)]+)\)", README))
    assert contents
    assert contents <= places


def test_the_pictures_are_those_that_the_browser_tests_take() -> None:
    assert {each for each in links() if each.endswith(".png")} == {
        "deploy/images/sandbox-1440.png",
        "deploy/images/gate-good.png",
        "deploy/images/gate-bad.png",
        "deploy/images/sandbox-390.png",
        *(f"deploy/images/strategy-{told}.png" for told in (*StrategyName, "pipeline")),
    }


def test_every_strategy_has_its_section_with_one_command() -> None:
    for strategy in (*StrategyName, "Pipelines"):
        section = README.partition(f"\n### {strategy}\n")[2].partition("\n### ")[0]
        words = re.search(r"`(/release start reviews v2[^`]*)`", section)
        assert words is not None, strategy
        command = parse(words[1].removeprefix("/release "), NOW, UTC)
        assert isinstance(command, StartRequest), command
        assert "*When:*" in section and "*When not:*" in section
