"""What the crash tests share: empty, migrated databases to copy."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.crash.campaign import Ground
from tests.crash.grounds import migrate_template, migrated_file, on_postgres, on_sqlite
from tests.parts.postgres import running_postgres


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file."""
    return migrated_file(tmp_path_factory.mktemp("template"))


@pytest.fixture
def sqlite(template: Path) -> Ground:
    """A SQLite file per story."""
    return partial(on_sqlite, template)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A real PostgreSQL with a migrated database to copy."""
    with running_postgres() as server:
        migrate_template(server)
        yield server


@pytest.fixture
def postgres(server: str) -> Ground:
    """A PostgreSQL database per story."""
    return partial(on_postgres, server)
