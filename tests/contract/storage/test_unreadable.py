"""What this version cannot read stops nothing else."""

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.errors import Unreadable
from strategies.effects import SetRoute
from tests.builders import a_release, a_target
from tests.contract.storage.test_outbox import SPLIT, claim, effects, next_moment, pending, put


def test_one_unreadable_effect_does_not_stop_the_lane(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    put(database, SPLIT, SetRoute("q-1", "shop/q"))
    with database._writing() as connection:
        connection.execute(text("UPDATE outbox SET effect = '{}' WHERE release = 'r-1'"))
    assert effects(claim(database)) == [SetRoute("q-1", "shop/q")]
    assert "of r-1 is given up" in caplog.text
    assert pending(database) == []


def test_an_effect_of_a_newer_version_is_left_to_a_newer_replica(database: Database) -> None:
    put(database, SPLIT)
    with database._writing() as connection:
        connection.execute(text("UPDATE outbox SET kind = 'FlipMirror'"))
    assert claim(database) == []
    assert next_moment(database) is None


def test_one_unreadable_release_does_not_hide_the_others(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with database.transaction() as transaction:
        transaction.releases.add(a_release("reviews-1"))
        transaction.releases.add(a_release("ratings-1", targets=(a_target("ratings"),)))
    with database._writing() as connection:
        connection.execute(text("UPDATE releases SET document = '{}' WHERE id = 'reviews-1'"))
    with database.reading() as transaction:
        assert [stored.release.id for stored in transaction.releases.active()] == ["ratings-1"]
        with pytest.raises(Unreadable):
            transaction.releases.get("reviews-1")
    assert "reviews-1" in caplog.text
