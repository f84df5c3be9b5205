"""The layout of the datastore file and how older files come to it: forward only, with a copy kept."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from twinplane.errors import StartError
from twinplane.transaction import copy

# Entry n brings layout n to n + 1; `PRAGMA user_version` holds the number. Never edited, only added to.
MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE object (origin TEXT NOT NULL, path TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (origin, path));
    CREATE TABLE commits (
        number INTEGER PRIMARY KEY, time INTEGER NOT NULL, author TEXT NOT NULL, source TEXT NOT NULL,
        peer TEXT NOT NULL, comment TEXT NOT NULL, forward TEXT NOT NULL, reverse TEXT NOT NULL);
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('PENDING', 'COMMITTED')), body BLOB NOT NULL);
    CREATE TABLE foreign_values (
        device TEXT NOT NULL, attribute TEXT NOT NULL, value INTEGER NOT NULL, owner TEXT NOT NULL,
        PRIMARY KEY (device, attribute));
    """,
    """
    CREATE TABLE confirm (
        id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, author TEXT NOT NULL,
        number INTEGER NOT NULL);
    """,
    """
    ALTER TABLE commits ADD COLUMN confirmation TEXT NOT NULL DEFAULT '';
    CREATE TABLE snapshot (number INTEGER PRIMARY KEY, body BLOB NOT NULL);
    CREATE TABLE notice (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, kind TEXT NOT NULL,
        path TEXT NOT NULL, body TEXT NOT NULL);
    CREATE INDEX notice_time ON notice (time);
    """,
    """
    CREATE TABLE touched (path TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (path, number))
        WITHOUT ROWID;
    INSERT INTO touched
        SELECT DISTINCT json_extract(edit.value, '$.path'), commits.number
        FROM commits, json_each(commits.forward) AS edit;
    """,
    """
    CREATE TABLE leftover (
        noun TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('PENDING', 'COMMITTED')), cause TEXT NOT NULL,
        PRIMARY KEY (noun, name));
    """,
    """
    CREATE TABLE piece (
        id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, uses INTEGER NOT NULL, gone INTEGER,
        body BLOB NOT NULL);
    CREATE INDEX piece_gone ON piece (gone) WHERE gone IS NOT NULL;
    """,
    """
    ALTER TABLE foreign_values ADD COLUMN ifindex INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE foreign_values ADD COLUMN address INTEGER NOT NULL DEFAULT 0;
    """,
)


def migrate(db: sqlite3.Connection, file: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring an open file to the newest layout; of an older one a copy is kept first.

    Raises:
        StartError: the file was written by a newer program; it is not touched.
        sqlite3.Error: it cannot be written. UnreadableError, OSError: nor can its copy.
    """
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > len(migrations):
        raise StartError(
            f"{file} has layout {found}, this program knows up to {len(migrations)}: run the newer program"
        )
    if found == len(migrations):
        return
    if found:
        copy.write(file, file.with_name(copy.FOLDER), layout=found)
    script = "".join(migrations[found:])
    try:
        db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {len(migrations)}; COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
