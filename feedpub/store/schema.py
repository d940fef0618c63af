"""The tables of the store. A store with another `VERSION` is discarded; there are no migrations."""

from __future__ import annotations

# An index of the ledger, so that one record can be looked up without reading the whole file.
LEDGER = """
    CREATE TABLE ledger (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        derived TEXT NOT NULL,
        path TEXT NOT NULL,
        published INTEGER NOT NULL,
        content TEXT NOT NULL
    );
    CREATE INDEX ledger_ids ON ledger (id);
    CREATE INDEX ledger_derived ON ledger (derived) WHERE derived <> '';
    CREATE INDEX ledger_paths ON ledger (path) WHERE path <> '';
    CREATE INDEX ledger_contents ON ledger (content) WHERE content <> ''
"""

# A `;` ends a statement, even in a comment.
SCHEMA = (
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

    -- Names and paths of files are bytes. Paths are relative to config.yaml if they are below it.
    CREATE TABLE folders (
        id INTEGER PRIMARY KEY,
        source TEXT NOT NULL,     -- as config.yaml names it
        path BLOB NOT NULL,
        shown TEXT NOT NULL,      -- prefix of its files' names in messages
        below TEXT NOT NULL,      -- prefix of their paths below the source
        reading BLOB NOT NULL,    -- a hash of the settings for reading them
        signature BLOB,           -- a hash of that and of all its files, NULL: check each file
        UNIQUE (source, path)
    );
    CREATE TABLE files (
        id INTEGER PRIMARY KEY,
        folder INTEGER NOT NULL,
        name BLOB NOT NULL,
        size INTEGER, mtime INTEGER, ctime INTEGER, inode INTEGER,
        digest BLOB NOT NULL,     -- a hash of its content and of how it is read
        content BLOB,             -- a hash of its bytes only, NULL if it could not be read
        notes TEXT                -- JSON: its problems, and what in it is not a record
    );

    -- The part of a record that selection, placing and windows need.
    CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        file INTEGER NOT NULL,
        part INTEGER,             -- its index in a file with several records, from 0
        line INTEGER NOT NULL,
        guid TEXT NOT NULL,
        guid_from TEXT NOT NULL,
        published INTEGER NOT NULL,  -- seconds since 1970
        updated INTEGER NOT NULL,
        digest BLOB NOT NULL,     -- a hash of everything its item depends on
        status TEXT NOT NULL,
        topics TEXT NOT NULL,     -- one per line
        provider TEXT, domain TEXT, provider_url TEXT, image TEXT,
        language TEXT, type TEXT, category TEXT, price TEXT, quality, heat,
        reason TEXT NOT NULL,     -- why it is left out, '' if it is not
        feeds BLOB NOT NULL,      -- the ids of its feeds, four bytes each
        guid_key INTEGER NOT NULL,   -- 64 bits of a hash of guid
        derived TEXT NOT NULL,    -- the guid without the ledger, '' if it is the same
        media TEXT NOT NULL,      -- addresses of media whose facts are needed, one per line
        lost INTEGER NOT NULL DEFAULT 0  -- to a record with its guid: 1 duplicate, 2 by accident
    );

    CREATE TABLE feeds (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        total INTEGER NOT NULL DEFAULT 0,
        inputs BLOB,              -- a hash of everything its files depend on, NULL: no files
        entry TEXT                -- JSON: its entry in the catalogues
    );
    -- "The newest N of this feed" are the first N rows of the feed.
    CREATE TABLE placements (
        feed INTEGER NOT NULL,
        age INTEGER NOT NULL,     -- the date of publication, negated
        record INTEGER NOT NULL,
        PRIMARY KEY (feed, age, record)
    ) WITHOUT ROWID;

    -- The files of the output tree as of the last write: the manifest, with signatures.
    CREATE TABLE outputs (
        path TEXT PRIMARY KEY,
        feed INTEGER,             -- NULL: a catalogue
        size INTEGER, mtime INTEGER, ctime INTEGER, inode INTEGER,
        digest TEXT NOT NULL,
        period TEXT NOT NULL      -- of an archive's file, '' for other files
    ) WITHOUT ROWID;

    -- Archives of records that are too old for a feed, by period like 2026-01.
    CREATE TABLE archives (
        feed INTEGER NOT NULL,
        period TEXT NOT NULL,
        context BLOB NOT NULL,    -- a hash of what its files depend on besides its items
        inputs BLOB NOT NULL,     -- a hash of everything its files depend on
        PRIMARY KEY (feed, period)
    ) WITHOUT ROWID;
    """
    + LEDGER
)
# Created after a new store is filled, which takes half the time.
INDEXES = (
    "CREATE INDEX IF NOT EXISTS files_of_folder ON files (folder)",
    "CREATE INDEX IF NOT EXISTS files_with_notes ON files (id) WHERE notes IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS records_of_file ON records (file)",
    "CREATE INDEX IF NOT EXISTS records_of_guid ON records (guid_key)",
    "CREATE INDEX IF NOT EXISTS records_left_out ON records (reason) WHERE reason <> ''",
    "CREATE INDEX IF NOT EXISTS records_with_media ON records (id) WHERE media <> ''",
    "CREATE INDEX IF NOT EXISTS records_lost ON records (lost) WHERE lost <> 0",
)
VERSION = 4
