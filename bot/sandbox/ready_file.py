"""The file that tells other programs that all is up, and where."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write(path: Path, document: Mapping[str, object]) -> None:
    """Put the document in place as a whole: a reader finds all of it or nothing."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    os.replace(draft, path)


def remove(path: Path) -> None:
    """Take the file away: what it says is no longer true."""
    path.unlink(missing_ok=True)
