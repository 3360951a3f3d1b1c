"""Text is edited where YAML says it stands, in the manner of its file."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.offline.manifests import Unreadable, read, values
from bot.offline.rendering import Manner, manner_of, mapping_lines, scalar, sequence_lines
from bot.offline.text_edits import CannotEdit, Change, edited

INSERTED = {"name": "sluice-a:b:1"}


def changed(text: str, after: Any) -> str:
    """The text with its only object made `after`."""
    (manifest,) = read("file", text.encode()).manifests
    result = edited(text, [Change(manifest.node, manifest.document, after)])
    assert values(result) == [after]
    return result


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("a: 1 # one\n", {"a": 2}, "a: 2 # one\n"),
        ("a: 1", {"a": 1, "b": {"c": [1]}}, "a: 1\nb:\n  c:\n    - 1"),
        ("a:\nb: 1\n", {"a": 5, "b": 1}, "a: 5\nb: 1\n"),
        ("a:\n- x: 1 # x\n\n# b\nb: 2\n", {"a": [{"x": 1}, 3], "b": 2}, "a:\n- x: 1 # x\n- 3\n\n# b\nb: 2\n"),
        ("a:\n    - x: 1\n", {"a": [{"x": 1, "y": [2]}]}, "a:\n    - x: 1\n      y:\n          - 2\n"),
        ("a: |\n  text\n\nb: 1\n", {"a": "text\n", "b": 1, "c": 2}, "a: |\n  text\n\nb: 1\nc: 2\n"),
        ("a:\n  b: >\n    text\n\n", {"a": {"b": "text\n", "c": 1}}, "a:\n  b: >\n    text\n  c: 1\n\n"),
        ("a: {b: 1}\n", {"a": {"b": 1, "c": 2}}, "a: {b: 1, c: 2}\n"),
        ("a: []\n", {"a": [{"b": 1}]}, "a: [{b: 1}]\n"),
        ('{"a": {}}', {"a": {"b": [None]}}, '{"a": {"b": [null]}}'),
        ('{\n  "a": 1\n}\n', {"a": 1, "b": "x"}, '{\n  "a": 1,\n  "b": "x"\n}\n'),
        ("---\na: 1\n...\n", {"a": 1, "b": 2}, "---\na: 1\nb: 2\n...\n"),
        ("\ufeffa: 1\n", {"a": 2}, "\ufeffa: 2\n"),
    ],
)
def test_a_change_is_written_into_its_place(text: str, after: Any, expected: str) -> None:
    assert changed(text, after) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n# x\n- x: 1\n", "a:\n- name: sluice-a:b:1\n# x\n- x: 1\n"),
        (
            "a:\n  - y: 1 # y\n  # x\n  #\n  - x: 1\n",
            "a:\n  - y: 1 # y\n  - name: sluice-a:b:1\n  # x\n  #\n  - x: 1\n",
        ),
        ("a: [{x: 1}]\n", "a: [{name: 'sluice-a:b:1'}, {x: 1}]\n"),
        ('{"a": [\n  {"x": 1}\n]}', '{"a": [\n  {"name": "sluice-a:b:1"},\n  {"x": 1}\n]}'),
    ],
)
def test_an_inserted_route_stands_above_the_comments_of_its_neighbour(text: str, expected: str) -> None:
    (before,) = values(text)
    assert changed(text, {"a": [*before["a"][:-1], INSERTED, {"x": 1}]}) == expected


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: 1\nb: 2\n", {"a": 1}),
        ("a: [1, 2]\n", {"a": [1]}),
        ("a: {b: 1}\n", {"a": [1]}),
        ("x: &x {b: 1}\na:\n  <<: *x\n  c: 1\n", {"x": {"b": 1}, "a": {"b": 2, "c": 1}}),
        ("a:\n- - x: 1\n", {"a": [[INSERTED, {"x": 1}]]}),
    ],
)
def test_a_change_without_a_place_of_its_own_is_refused(text: str, after: Any) -> None:
    (manifest,) = read("file", text.encode()).manifests
    with pytest.raises(CannotEdit, match="line"):
        edited(text, [Change(manifest.node, manifest.document, after)])


def test_a_change_through_an_anchor_is_seen_when_the_text_is_read_again() -> None:
    text = "a: &x {b: 1}\nc: *x\n"
    (manifest,) = read("file", text.encode()).manifests
    after = edited(text, [Change(manifest.node, manifest.document, {"a": {"b": 1}, "c": {"b": 2}})])
    assert values(after) == [{"a": {"b": 2}, "c": {"b": 2}}]


@pytest.mark.parametrize(
    ("text", "manner"),
    [
        ("a:\n    b: 1\nc:\n- 1\n", Manner(4, 0)),
        ("a:\n b:\n   - 1\n", Manner(1, 2)),
        ("a: 1\r\n", Manner(2, 2, "\r\n")),
        ("[]", Manner()),
    ],
)
def test_the_manner_of_a_file_is_taken_from_it(text: str, manner: Manner) -> None:
    node = read("file", f"{text if text != '[]' else 'a: []'}".encode()).manifests[0].node
    assert manner_of(text, node) == manner


plain = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
trees = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=3),
    max_leaves=8,
)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
manners = st.builds(Manner, st.integers(1, 4), st.integers(0, 4))


@patient
@given(st.dictionaries(st.text(min_size=1, max_size=8), trees, min_size=1), manners, st.integers(0, 4))
def test_whatever_is_rendered_is_read_back(value: dict[str, Any], manner: Manner, column: int) -> None:
    assert values("\n".join(mapping_lines(value, column, manner))) == [value]
    assert values("\n".join(sequence_lines([value], column, manner))) == [[value]]


@patient
@given(plain)
def test_a_scalar_is_one_line(value: Any) -> None:
    assert len(scalar(value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe", "file is not UTF-8 text"),
        (b"a: [1\n", "file is not YAML at line 2"),
        (b"a: {{ .Values.a }}\n", "file "),
        (b"a: \x01\n", "file "),
        (b"a: 1\n" + b"[" * 5000, "file "),
    ],
)
def test_what_is_no_yaml_says_where(content: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read("file", content)


ISTIO = "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("", "file line 1: VirtualService has no metadata.name"),
        ("metadata: {name: a}\n", "has no spec"),
        ("metadata: {name: a}\nspec: {http: 1}\n", "no list of objects in spec.http"),
        ("metadata: {name: a}\nspec: {http: [{route: [1]}]}\n", r"in spec.http\[0\].route"),
        (
            "metadata: {name: a}\nspec: {tcp: [{route: [{destination: 1}]}]}\n",
            r"object in spec.tcp\[0\].route\[0\].dest",
        ),
        (
            "metadata: {name: a}\nspec: {http: [{match: [{headers: 1}]}]}\n",
            r"object in spec.http\[0\].match\[0\].headers",
        ),
        ("metadata: {name: a}\nspec: {http: [{match: [{headers: {a: b}}]}]}\n", r"match\[0\].headers.a"),
        ("metadata: {name: a}\nspec: {http: [{mirror: b}]}\n", r"object in spec.http\[0\].mirror"),
        ("metadata: {name: a, namespace: 1}\nspec: {}\n", "no text in metadata.namespace"),
        ("metadata: {name: a, annotations: b}\nspec: {}\n", "no object in metadata.annotations"),
        ("metadata: {name: a, ownerReferences: [b]}\nspec: {}\n", "no list of objects in metadata.ownerReferences"),
        ("metadata: {name: a, x: !!binary aGk=}\nspec: {}\n", "values that JSON does not know"),
    ],
)
def test_an_object_without_the_shape_of_its_kind_is_unreadable(rest: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read("file", (ISTIO + rest).encode())


@pytest.mark.parametrize(("subset", "why"), [("{labels: {}}", "no text in"), ("{name: a, labels: b}", "no object in")])
def test_a_rule_without_the_shape_of_its_kind_is_unreadable(subset: str, why: str) -> None:
    rule = f"{ISTIO.replace('VirtualService', 'DestinationRule')}metadata: {{name: a}}\nspec: {{subsets: [{subset}]}}\n"
    with pytest.raises(Unreadable, match=why):
        read("file", rule.encode())
