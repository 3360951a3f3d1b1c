"""The image's recipe: what it copies exists, and the sandbox stays out."""

import re
import tomllib

from bot.settings import Settings, variable
from tests.unit.deploy.files import ROOT, text

DOCKERFILE = text("deploy/Dockerfile")
FINAL = DOCKERFILE.rsplit("\nFROM ", 1)[1]


def copied() -> set[str]:
    lines = re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
    return {source for line in lines for source in line.split()[:-1]}


def test_everything_that_is_copied_exists_and_is_not_ignored() -> None:
    ignored = text("deploy/Dockerfile.dockerignore")
    assert {f"!{source}" for source in copied()} == set(re.findall(r"^!.*$", ignored, re.MULTILINE))
    assert all((ROOT / source).exists() for source in copied())


def test_every_package_of_the_wheel_is_copied() -> None:
    project = tomllib.loads(text("pyproject.toml"))
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) < copied()
    assert {project["project"]["readme"], *project["project"]["license-files"]} < copied()


def test_both_installations_follow_the_lock_and_leave_the_sandbox_out() -> None:
    syncs = re.findall(r"uv sync (.*)$", DOCKERFILE, re.MULTILINE)
    assert len(syncs) == 2
    assert all({"--frozen", "--no-default-groups"} <= set(sync.split()) for sync in syncs)


def test_the_image_sets_only_settings_that_exist() -> None:
    names = set(re.findall(r"\b(SLUICE_\w+)=", FINAL))
    assert names
    assert names <= {variable(field) for field in Settings.model_fields}


def test_the_process_is_the_bot_itself() -> None:
    assert 'ENTRYPOINT ["sluice"]\nCMD ["run"]' in FINAL
