"""Installs the plugin into a folder, as pip would, for the commands that have it on their path."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent


def install(
    folder: Path, group: str, name: str, value: str, version: str = "1.0"
) -> Mapping[str, str]:
    """The environment of commands that find the entry point `name = value` of a package."""
    module = value.partition(":")[0]
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    package = module.replace("_", "-")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
    if (HERE / f"{module}.py").exists():
        shutil.copy(HERE / f"{module}.py", folder)
    return {"PYTHONPATH": str(folder)}
