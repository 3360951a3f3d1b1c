"""The small changes of the mutation check: what is changed, and what is left alone."""

from pathlib import Path

import pytest

from tests.mutation.mutants import mutants


def changes(folder: Path, source: str) -> list[str]:
    path = folder / "some.py"
    path.write_text(source)
    return [str(mutant).removeprefix(f"{path}:") for mutant in mutants(path)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return a < b <= c", ["a < b <= c  ->  a <= b <= c", "a < b <= c  ->  a < b < c"]),
        ("return not a", ["not a  ->  not not a"]),
        ("return a and b", ["a and b  ->  a or b"]),
        ("return a if b else c", ["if b  ->  if not b"]),
        ("return min(a, b)", ["min(a, b)  ->  max(a, b)"]),
        ("return [x for x in a if b]", [" for x in a if b  ->   for x in a if not b"]),
        ("return Phase.ROLLED_BACK", ["Phase.ROLLED_BACK  ->  Phase.SCHEDULED"]),
        ("return replace(a, b=c, d=a)", ["replace(b, d)  ->  replace(d)", "replace(b, d)  ->  replace(b)"]),
        ("return 0.0, 0.5, 3, True", ["0.0  ->  1.0", "0.5  ->  1.0", "3  ->  4", "True  ->  False"]),
        ("return f'{a}' 'text'", []),
        ("return 1  # pragma: no cover", []),
    ],
)
def test_one_thing_changes_at_a_time(tmp_path: Path, line: str, expected: list[str]) -> None:
    assert changes(tmp_path, f"def some(a: 1, b, c):\n    {line}\n") == [f"2: {change}" for change in expected]


def test_what_is_outside_of_functions_needs_a_new_import(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text("A = 1\n\n\ndef some(a=2):\n    return 3\n")
    assert [(mutant.lines.start, mutant.is_inside) for mutant in mutants(path)] == [(1, False), (4, False), (5, True)]
