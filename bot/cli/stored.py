"""Which database a command reads: the bot's own, which must be there already."""

import os
from pathlib import Path

from bot.cli.output import Exit, stop

_FILE = "sqlite:///"


def stored_in() -> str:
    """The URL in SLUICE_DATABASE, or the default; exits 2 for a file that is not there, so that none is made."""
    from bot.settings import Settings  # noqa: PLC0415 - brings pydantic

    url = str(os.environ.get("SLUICE_DATABASE") or Settings.model_fields["database"].default)
    file = url.removeprefix(_FILE).partition("?")[0]
    if url.startswith(_FILE) and file and not file.startswith((":memory:", "file:")) and not Path(file).is_file():
        stop(Exit.USAGE, f"SLUICE_DATABASE: there is no file {file}; name the database of the bot.")
    return url
