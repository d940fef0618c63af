"""The least work that any reader of records does: python benchmarks/baseline.py DIR

Reads every .md file below DIR and parses its front matter with PyYAML's C loader, and nothing else.
run.py measures feedpub against this process.
"""

import os
import sys
from pathlib import Path

import yaml


def main(folder: str) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".md"):
                text = Path(parent, name).read_text(encoding="utf-8")
                front = text[4 : text.index("\n---\n", 4)]
                yaml.load(front, Loader=yaml.CSafeLoader)


if __name__ == "__main__":
    main(sys.argv[1])
