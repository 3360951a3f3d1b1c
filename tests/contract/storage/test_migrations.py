"""The schema is built by its migrations, once, and is the one that the tables declare."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from storage import schema
from storage.database import Database
from storage.errors import BadDatabase
from storage.tables import Table
from tests.builders import a_release


def test_an_empty_database_becomes_ours(empty_url: str) -> None:
    with Database(empty_url) as database:
        database.migrate()
        with database.transaction() as transaction:
            transaction.releases.add(a_release())
        with database.reading() as transaction:
            assert len(transaction.releases.active()) == 1


def test_the_migrations_build_what_the_tables_declare(database: Database) -> None:
    with database._writing() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Table.metadata) == []


def test_the_guards_of_the_schema_are_there(database: Database) -> None:
    with database._writing() as connection:
        indexes = inspect(connection).get_indexes("release_routes") + inspect(connection).get_indexes("outbox")
    unique = {index["name"] for index in indexes if index["unique"]}
    assert unique == {"uq_release_routes_active", "uq_outbox_queued"}


def test_the_newest_step_is_the_one_the_code_expects(database: Database) -> None:
    with database._writing() as connection:
        steps = ScriptDirectory.from_config(schema.alembic_config(connection))
        assert steps.get_heads() == [schema.HEAD]


def test_a_second_start_changes_nothing(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.releases.add(a_release())
    database.migrate()
    with database.reading() as transaction:
        assert transaction.releases.get("reviews-1") is not None


def test_replicas_that_start_together_migrate_once(empty_url: str) -> None:
    def start(_: int) -> bool:
        with Database(empty_url) as database:
            database.migrate()
            with database.reading() as transaction:
                return transaction.releases.active() == []

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(start, range(4))) == [True] * 4


def test_an_older_replica_works_on_a_newer_schema(empty_url: str) -> None:
    with Database(empty_url) as database:
        database.migrate()
        with database._writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
            connection.execute(text("ALTER TABLE releases ADD COLUMN weather TEXT DEFAULT 'fair'"))
        database.migrate()
        with database.transaction() as transaction:
            transaction.releases.add(a_release())
            assert transaction.releases.save(a_release(note="still here"), 1) == 2


@pytest.mark.parametrize("statement", ["CREATE TABLE releases (id TEXT)", "CREATE TABLE outbox (id TEXT)"])
def test_somebody_elses_database_is_refused_and_left_alone(empty_url: str, statement: str) -> None:
    with Database(empty_url) as database:
        with database._writing() as connection:
            connection.execute(text(statement))
        with pytest.raises(BadDatabase, match="give Sluice one of its own"):
            database.migrate()
        with database._writing() as connection:
            assert len(inspect(connection).get_table_names()) == 1


def test_somebody_elses_migrations_are_refused(empty_url: str) -> None:
    with Database(empty_url) as database:
        with database._writing() as connection:
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            connection.execute(text("INSERT INTO alembic_version VALUES ('ae1027a6acf')"))
        with pytest.raises(BadDatabase, match="ae1027a6acf"):
            database.migrate()
