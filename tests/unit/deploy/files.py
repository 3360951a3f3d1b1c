"""The repository's files as tests read them."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]


def text(path: str) -> str:
    """A file by its path from the top."""
    return (ROOT / path).read_text(encoding="utf-8")


def documents(path: str) -> list[dict[str, Any]]:
    """The YAML documents of a file."""
    return [each for each in yaml.safe_load_all(text(path)) if each]


def sources(folder: str) -> dict[Path, str]:
    """The Python sources below a folder."""
    return {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py"))}


def rows(markdown: str, head: str) -> list[list[str]]:
    """The cells of the table whose first line is `head`."""
    lines = markdown.split(f"\n{head}\n", 1)[1].splitlines()[1:]
    table = lines[: next((n for n, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
