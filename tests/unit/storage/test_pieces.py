"""A document written field by field is the document that the codec writes, however it came about."""

from dataclasses import replace

import pytest

from storage.codec import Codec
from storage.pieces import Piecewise, text_of
from storage.releases import Decoded
from strategies.release import Phase, Release
from tests.builders import NOW, a_release

CODEC: Codec[Release] = Codec(Release)
PIECEWISE: Piecewise[Release] = Piecewise(Release)


def test_the_fields_together_are_the_whole_document() -> None:
    assert text_of(PIECEWISE.pieces(a_release())) == CODEC.dumps(a_release())


@pytest.mark.parametrize("changes", [{"note": "held"}, {"phase": Phase.PAUSED, "revision": 9}, {"hold_until": NOW}])
def test_what_changed_is_written_anew(changes: dict[str, object]) -> None:
    release = a_release()
    changed = replace(release, **changes)  # type: ignore[arg-type]  # names of its own fields
    assert text_of(PIECEWISE.pieces(changed, PIECEWISE.pieces(release))) == CODEC.dumps(changed)


def test_what_did_not_change_is_not_written_again() -> None:
    before = PIECEWISE.pieces(release := a_release())
    after = PIECEWISE.pieces(replace(release, note="held"), before)
    assert [name for name in after if after[name] is not before[name]] == ["note"]


def test_a_release_saved_after_another_of_its_name_is_written_whole() -> None:
    decoded = Decoded()
    decoded.written(a_release(note="one"))
    assert decoded.written(a_release(note="other", revision=7)) == CODEC.dumps(a_release(note="other", revision=7))
