"""What the crash tests share: an empty, migrated database to copy."""

from pathlib import Path

import pytest

from tests.crash.lives import migrated


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file."""
    return migrated(tmp_path_factory.mktemp("template"))
