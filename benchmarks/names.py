"""The names of what is measured, and at which numbers of records."""

FULL = "full"
UNCHANGED = "unchanged"
CHANGED = "one changed"
PERCENT = "1% changed"
WALK = "walk"
TENFOLD = "full of 10,000"  # measured in the turns of 100,000
TOPIC_UNCHANGED = "one topic: unchanged"
ADDED = "one topic: one added"
START = "start"
VERSION = "--version"
NOTHING = "python -c pass"

STARTUP = 10
TEN_THOUSAND = 10_000
HUNDRED_THOUSAND = 100_000
MILLION = 1_000_000
