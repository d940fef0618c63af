"""The ssh command, as the tools that bring files by it are to call it."""

from __future__ import annotations

import shlex

from feedpub.publish.targets import Place

UNKNOWN_HOST = "its host key is not among the known hosts; add it (ssh-keyscan, and compare it)"


def ssh_command(place: Place, *options: str) -> str:
    """As a shell would read it. Nobody is there to answer; an unknown host is never trusted."""
    ssh = ["ssh", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes", *options]
    if key := place.path(place.settings.key):
        ssh += ["-i", str(key), "-oIdentitiesOnly=yes"]
    if known := place.path(place.settings.known_hosts):
        ssh.append(f"-oUserKnownHostsFile={known}")
    return shlex.join(ssh)
