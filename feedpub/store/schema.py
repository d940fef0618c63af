"""The tables of the store, made anew with it: a store of another version is not used."""

from __future__ import annotations

# The ledger, line by line, so that not all of it need be read to know of one record.
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

# A `;` ends a statement, in a comment too.
SCHEMA = (
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

    -- Files and folders, by their names on this machine, as bytes, below config.yaml's if they are.
    CREATE TABLE folders (
        id INTEGER PRIMARY KEY,
        source TEXT NOT NULL,     -- as config.yaml names it
        path BLOB NOT NULL,
        shown TEXT NOT NULL,      -- what its files' names begin with in messages
        below TEXT NOT NULL,      -- what their paths below the source begin with
        reading BLOB NOT NULL,    -- a hash of what the configuration says of reading them
        signature BLOB,           -- a hash of that and of all its files, NULL: look at each
        UNIQUE (source, path)
    );
    CREATE TABLE files (
        id INTEGER PRIMARY KEY,
        folder INTEGER NOT NULL,
        name BLOB NOT NULL,
        size INTEGER, mtime INTEGER, ctime INTEGER, inode INTEGER,
        digest BLOB NOT NULL,     -- of its content and of how it is read
        content BLOB,             -- a hash of its bytes alone, NULL where it could not be read
        notes TEXT                -- JSON: what is wrong with it, and what in it is no record
    );

    -- What of a record selection, placing and windows need.
    CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        file INTEGER NOT NULL,
        part INTEGER,             -- its number in a file of several
        line INTEGER NOT NULL,
        guid TEXT NOT NULL,
        guid_from TEXT NOT NULL,
        published INTEGER NOT NULL,  -- seconds since 1970
        updated INTEGER NOT NULL,
        digest BLOB NOT NULL,     -- of all that its item is made of
        status TEXT NOT NULL,
        topics TEXT NOT NULL,     -- a line each
        provider TEXT, domain TEXT, provider_url TEXT, image TEXT,
        language TEXT, type TEXT, category TEXT, price TEXT, quality, heat,
        reason TEXT NOT NULL,     -- why it is left out, '' if it may be in feeds
        feeds BLOB NOT NULL,      -- the ids of those it belongs to if it may, four bytes each
        guid_key INTEGER NOT NULL,   -- 64 bits of a hash of guid
        derived TEXT NOT NULL,    -- what guid would be without the ledger, '' if it is that
        media TEXT NOT NULL,      -- addresses of media to ask or look at, a line each
        lost INTEGER NOT NULL DEFAULT 0  -- to another of its item: 1 as a copy, 2 by accident
    );

    CREATE TABLE feeds (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        total INTEGER NOT NULL DEFAULT 0,
        inputs BLOB,              -- of all that its files were made of, NULL: it has none
        entry TEXT                -- JSON: what the catalogues say of it
    );
    -- "The newest N of this feed" is a walk from the start of a feed's rows.
    CREATE TABLE placements (
        feed INTEGER NOT NULL,
        age INTEGER NOT NULL,     -- the date of publication, negated
        record INTEGER NOT NULL,
        PRIMARY KEY (feed, age, record)
    ) WITHOUT ROWID;

    -- The files of the output tree as they were left: the manifest, with signatures.
    CREATE TABLE outputs (
        path TEXT PRIMARY KEY,
        feed INTEGER,             -- NULL: a catalogue
        size INTEGER, mtime INTEGER, ctime INTEGER, inode INTEGER,
        digest TEXT NOT NULL,
        period TEXT NOT NULL      -- of an archive's file, '' for any other
    ) WITHOUT ROWID;

    -- Documents for what is older than a feed holds, by a period like 2026-01.
    CREATE TABLE archives (
        feed INTEGER NOT NULL,
        period TEXT NOT NULL,
        context BLOB NOT NULL,    -- of what its file was made of, besides its items
        inputs BLOB NOT NULL,     -- of all that
        PRIMARY KEY (feed, period)
    ) WITHOUT ROWID;
    """
    + LEDGER
)
# Made when a new store has been filled: one by one, rows would cost twice as much.
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
