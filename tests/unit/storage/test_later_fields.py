"""An old replica beside a new one, as during an upgrade: it loses nothing that it does not know."""

import json
from dataclasses import replace
from typing import Any

from storage.codec import Codec
from storage.releases import Decoded
from strategies.release import Phase, Release
from tests.builders import a_release

CODEC: Codec[Release] = Codec(Release)


def from_later(**changes: Any) -> str:
    """A release as a later version wrote it: with fields at the top, in its rules and in a stage."""
    document = json.loads(CODEC.dumps(a_release(**changes)))
    document["freeze"] = {"until": "2027-01-01"}
    document["rules"]["calendar"] = ["mon-thu"]
    document["plan"]["stages"][0]["canary_of"] = None
    return json.dumps(document)


def saved_by_old(decoded: Decoded, stored: str, **changes: Any) -> dict[str, Any]:
    """What stands in the database after a replica of this version changed the release."""
    changed = replace(decoded.read("reviews-1", stored), **changes)
    text = decoded.written(changed)
    decoded.keep(changed, text)
    document: dict[str, Any] = json.loads(text)
    assert decoded.read("reviews-1", text) == changed
    return document


def test_what_a_later_version_wrote_goes_along_with_a_save() -> None:
    saved = saved_by_old(Decoded(), from_later(), note="held", revision=7)
    expected = json.loads(from_later(note="held", revision=7))
    assert saved == expected


def test_it_goes_along_with_every_further_save_and_through_another_replica() -> None:
    decoded, stored = Decoded(), from_later()
    for revision in range(2, 5):
        stored = json.dumps(saved_by_old(decoded, stored, revision=revision))
    again = saved_by_old(Decoded(), stored, note="elsewhere")
    assert again == json.loads(from_later(note="elsewhere", revision=4))


def test_it_goes_along_when_a_release_ends_and_is_taken_back() -> None:
    decoded = Decoded()
    ended = json.dumps(saved_by_old(decoded, from_later(), phase=Phase.COMPLETED))
    back = saved_by_old(decoded, ended, phase=Phase.ROLLING_BACK)
    assert back == json.loads(from_later(phase=Phase.ROLLING_BACK))


def test_a_field_that_is_changed_here_is_written_as_it_is_known_here() -> None:
    saved = saved_by_old(Decoded(), from_later(), rules=replace(a_release().rules, scale=True))
    assert "calendar" not in saved["rules"]
    assert saved["rules"]["scale"] is True
    assert (saved["freeze"], saved["plan"]["stages"][0]["canary_of"]) == ({"until": "2027-01-01"}, None)


def test_a_document_that_lacks_a_field_and_has_a_strange_one_keeps_the_strange_one() -> None:
    document = json.loads(CODEC.dumps(a_release()))
    del document["proven_at"]
    document["later"] = 1
    saved = saved_by_old(Decoded(), json.dumps(document), note="held")
    assert (saved["later"], saved["proven_at"], saved["note"]) == (1, None, "held")


def test_nothing_is_carried_where_every_field_is_known() -> None:
    value, document = CODEC.read(CODEC.dumps(a_release()))
    assert (value, document) == (a_release(), {})
