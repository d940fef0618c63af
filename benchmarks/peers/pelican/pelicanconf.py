"""The feeds that feedpub makes, as far as Pelican goes (RSS and Atom), and nothing else."""

SITENAME = "Benchmark news"
SITEURL = FEED_DOMAIN = "https://feeds.example.org"
DEFAULT_LANG = "en"
TIMEZONE = "UTC"
READERS = {"html": None, "htm": None, "rst": None}
ARTICLE_TRANSLATION_ID = False  # records with the same title are not translations of each other
CACHE_CONTENT = LOAD_CONTENT_CACHE = False

FEED_MAX_ITEMS = 20
FEED_ALL_ATOM = "atom.xml"
FEED_ALL_RSS = "rss.xml"
TAG_FEED_ATOM = "topics/{slug}/atom.xml"
TAG_FEED_RSS = "topics/{slug}/rss.xml"
CATEGORY_FEED_ATOM = "providers/{slug}/atom.xml"
CATEGORY_FEED_RSS = "providers/{slug}/rss.xml"
AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = TRANSLATION_FEED_ATOM = TRANSLATION_FEED_RSS = None
RSS_FEED_SUMMARY_ONLY = False

# No pages, and items that link to where the record is.
ARTICLE_URL = "{link}"
ARTICLE_SAVE_AS = DRAFT_SAVE_AS = PAGE_SAVE_AS = ""
TAG_SAVE_AS = CATEGORY_SAVE_AS = AUTHOR_SAVE_AS = ""
TAGS_SAVE_AS = CATEGORIES_SAVE_AS = AUTHORS_SAVE_AS = ARCHIVES_SAVE_AS = ""
DIRECT_TEMPLATES = []
STATIC_PATHS = []
THEME = "simple"
THEME_STATIC_PATHS = []
PAGE_PATHS = ["pages"]
