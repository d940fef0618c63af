"""The whole run, in order: files → store → changed feeds → output tree."""

from __future__ import annotations

import contextlib
import sqlite3

from feedpub.config import Config
from feedpub.errors import ChangedError, NothingUsableError, RunError
from feedpub.output.tree import OutputTree, locked
from feedpub.records.scan import RunClock
from feedpub.run import inputs, media
from feedpub.run.feeds import Feeds
from feedpub.run.identities import Identities
from feedpub.run.report import RunOptions, RunOutcome, Watch
from feedpub.run.rules import Selection, SelectionRules, Vocabulary
from feedpub.run.sync import Sync, count_all, settle
from feedpub.store.former import FormerStoreError, former_records
from feedpub.store.opening import StoreOwner, StoreSession, unwritable


def generate(config: Config, options: RunOptions, watch: Watch) -> RunOutcome:
    """Writes the output tree from the records. If it raises `RunError`, the tree is unchanged."""
    media.check(config)
    with contextlib.ExitStack() as stack:
        if not options.dry_run:
            output = config.output
            stack.enter_context(locked(output, config.shown(output), options.wait))
        try:
            return _run_with_retry(config, options, watch)
        except sqlite3.Error as error:
            # The store is damaged, or the disk is full.
            shown = config.shown(config.state)
            damaged = f"{shown}: the cache cannot be used ({error})"
        full = options._replace(full=True)
        try:
            outcome = _run_with_retry(config, full, watch)
            outcome.notes.insert(0, f"{damaged}; all files were read again")
        except sqlite3.Error as error:
            full_disk = unwritable(shown, error)
            try:
                outcome = _run_with_retry(config, full, watch, remember=False)
            except sqlite3.Error as again:
                raise RunError(
                    f"the temporary folder has no space for the data of a run ({again}); "
                    "free some space, or set TMPDIR"
                ) from again
            outcome.warnings.insert(0, full_disk)
        return outcome


def _run_with_retry(
    config: Config, options: RunOptions, watch: Watch, remember: bool = True
) -> RunOutcome:
    """Runs, and retries once if a record changed during the run."""
    try:
        return _attempt(config, options, watch, remember)
    except ChangedError:
        return _attempt(config, options, watch, remember)


def _attempt(config: Config, options: RunOptions, watch: Watch, remember: bool) -> RunOutcome:
    tree = OutputTree(config.output, config.shown(config.output), options.dry_run)
    identity = StoreOwner(inputs.configuration(config), inputs.program())
    keep = remember and not options.dry_run
    try:
        with StoreSession(
            config.state, config.shown(config.state), identity, options.full, keep
        ) as session:
            watch.lap("open")
            outcome = _run(config, options, session, tree, watch)
            session.commit()
            watch.lap("save")
            if session.note:
                outcome.notes.insert(0, session.note)
            if session.warning:
                outcome.warnings.insert(0, session.warning)
    except BaseException:
        tree.abandon()
        raise
    if tree.completed_burst:
        outcome.warnings.insert(
            0, "an earlier run was interrupted while moving files; this was completed first"
        )
    outcome.seconds = watch.seconds
    return outcome


def _run(
    config: Config, options: RunOptions, session: StoreSession, tree: OutputTree, watch: Watch
) -> RunOutcome:
    store, clock = session.store, RunClock()
    ids = Identities(config, store, clock)
    vocabulary, selection, sync = _synchronize(config, options, session, clock, ids, watch)
    counts = count_all(store, vocabulary.problems, sync.problems)
    outcome = RunOutcome(counts)
    before = tree.previous.items or int(store.fact("items") or 0)
    if not counts.items and not options.allow_empty and before:
        error = NothingUsableError(before, counts.read, counts.problems)
        error.outcome = outcome
        raise error
    ids.record()
    outcome.warnings += ids.warnings
    if not options.dry_run and (note := ids.write()):
        outcome.notes.append(note)
    watch.lap("select")

    feeds = Feeds(config, options, store, clock, tree)
    outcome.feeds = feeds.paths
    outcome.media = feeds.media
    feeds.publish(vocabulary, selection, sync.kept, counts.items, watch)
    outcome.notes += feeds.notes
    if failed := outcome.media.failed:
        (first, why), *others = failed.items()
        more = f"; {len(others):,} more are in --report" if others else ""
        outcome.notes.append(f"{first}: its type and size are not known ({why}){more}")
    outcome.written = tree.changes.written
    outcome.unchanged = tree.changes.unchanged
    outcome.removed = tree.changes.removed
    outcome.warnings += [
        f"{tree.shown}/{path}: no longer part of a feed, but changed since it was written; "
        "not removed"
        for path in tree.changes.kept
    ]
    return outcome


def _synchronize(
    config: Config,
    options: RunOptions,
    session: StoreSession,
    clock: RunClock,
    ids: Identities,
    watch: Watch,
) -> tuple[Vocabulary, Selection, Sync]:
    """Updates the store from the taxonomy, the ledger, the files and the time."""
    store = session.store
    vocabulary = Vocabulary(config, store, clock)
    watch.lap("taxonomy")
    rules = SelectionRules.of(config, options)
    selection = Selection(rules, options.as_of, vocabulary.terms)
    if config.feeds.archives != "false" and not store.is_new:
        store.dirty_moments = set()
    ids.load()
    sync = Sync(config, store, options, selection, clock, watch, ids)
    sync.read_files()
    watch.lap("read")
    sync.select_again(inputs.of_rules(rules, vocabulary.fingerprint))
    _restore_ids(config, options, session, ids)
    ids.restore_known()
    settle(store)
    return vocabulary, selection, sync


def _restore_ids(
    config: Config, options: RunOptions, session: StoreSession, ids: Identities
) -> None:
    """Keeps the ids that another version of feedpub published."""
    if session.former:
        with contextlib.suppress(FormerStoreError):
            ids.restore_former(former_records(session.former))
            return
    if session.former or session.lost_ids:
        from feedpub.run.importing import match, published_in

        published = published_in(config)
        if published.items:
            ids.assign(match(config, published, options).lines)


def freeze(config: Config, options: RunOptions) -> int:
    """Records all current ids in the ledger; returns the number of added lines.

    The store is read but not changed. Raises `RunError`.
    """
    identity = StoreOwner(inputs.configuration(config), inputs.program())
    shown = config.shown(config.state)
    with StoreSession(config.state, shown, identity, ignore=False, keep=False) as session:
        ids = Identities(config, session.store, clock := RunClock(), record_all=True)
        _synchronize(config, options, session, clock, ids, Watch())
        ids.record()
        ids.write()
        return ids.added
