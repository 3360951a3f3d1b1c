"""The ready file: whole or absent."""

import json
from pathlib import Path

from bot.sandbox import ready_file


def test_the_file_is_written_as_a_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("an older one")
    ready_file.write(path, {"page": "http://127.0.0.1:1", "users": {"alice": "U1"}})
    assert json.loads(path.read_text()) == {"page": "http://127.0.0.1:1", "users": {"alice": "U1"}}
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_goes_away_even_when_it_never_was_there(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    ready_file.write(path, {})
    ready_file.remove(path)
    ready_file.remove(path)
    assert not path.exists()
