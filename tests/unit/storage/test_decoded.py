"""Decoded releases are shared, and never given out for a text they were not read from."""

import pytest

from storage.codec import Codec
from storage.releases import Decoded
from strategies.release import Phase, Release
from tests.builders import a_release

CODEC: Codec[Release] = Codec(Release)


def test_the_same_text_is_decoded_once() -> None:
    decoded, text = Decoded(), CODEC.dumps(a_release())
    assert decoded.read("reviews-1", text) is decoded.read("reviews-1", str(text))


def test_another_text_is_decoded_anew() -> None:
    decoded = Decoded()
    decoded.keep(a_release(note="taken back"), CODEC.dumps(a_release(note="taken back")))
    assert decoded.read("reviews-1", CODEC.dumps(a_release(note="stored"))).note == "stored"


def test_what_was_written_is_not_decoded_at_all() -> None:
    decoded, release = Decoded(), a_release()
    decoded.keep(release, CODEC.dumps(release))
    assert decoded.read("reviews-1", CODEC.dumps(release)) is release


def test_ended_releases_are_not_kept() -> None:
    decoded, ended = Decoded(), a_release(phase=Phase.COMPLETED)
    text = CODEC.dumps(ended)
    assert decoded.read("reviews-1", text) is not decoded.read("reviews-1", text)


def test_the_oldest_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Decoded, "LIMIT", 2)
    decoded, releases = Decoded(), [a_release(f"reviews-{n}") for n in range(3)]
    for release in releases:
        decoded.keep(release, CODEC.dumps(release))
    kept = [decoded.read(release.id, CODEC.dumps(release)) is release for release in reversed(releases)]
    assert kept == [True, True, False]
