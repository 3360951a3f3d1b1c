"""Decoded releases are shared, and never given out for a text they were not read from."""

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


def test_what_another_replica_ended_is_forgotten_a_minute_after_it_was_missed_first() -> None:
    decoded, active, ended = Decoded(), a_release(), a_release("ratings-1")
    texts = {release.id: decoded.written(release) for release in (active, ended)}
    for release in (active, ended):
        decoded.keep(release, texts[release.id])
    decoded.only([active.id], 100.0)
    decoded.only([active.id], 160.0)
    assert decoded.read(ended.id, texts[ended.id]) is ended
    decoded.only([active.id], 160.1)
    assert set(decoded._known) == set(decoded._pieces) == {active.id}


def test_a_release_that_was_missed_by_an_older_look_is_kept() -> None:
    decoded, release = Decoded(), a_release()
    decoded.keep(release, decoded.written(release))
    decoded.only([], 100.0)
    decoded.only([release.id], 120.0)
    decoded.only([], 170.0)
    assert set(decoded._known) == {release.id}


def test_what_was_written_and_taken_back_does_not_pile_up() -> None:
    decoded = Decoded()
    decoded.written(a_release())
    for at in (0.0, 61.0):
        decoded.only([], at)
    assert not decoded._pieces
