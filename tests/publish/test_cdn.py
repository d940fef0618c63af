"""CloudFront is told what has changed, by moto's server in its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from feedpub.config import load_config
from feedpub.publish.cdn import MAX_PATHS, collapsed, purge
from feedpub.publish.execute import Execution
from feedpub.publish.push import Result
from feedpub.publish.types import BYTES, NEW, Action

CONFIG = """\
site: {title: A, url: https://feeds.example.org/f/}
records: [records]
push: {web: {to: "s3://bucket", cloudfront: ID}}
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], []),
        (["rss.xml"], ["/f/rss.xml"]),
        (["topics/a b/rss.xml", "rss.xml"], ["/f/rss.xml", "/f/topics/a%20b/rss.xml"]),
        (
            [f"topics/a/{n}.xml" for n in range(MAX_PATHS)] + ["rss.xml"],
            ["/f/rss.xml", "/f/topics/a/*"],
        ),
        (
            [f"topics/{n}/rss.xml" for n in range(MAX_PATHS)] + ["rss.xml"],
            ["/f/rss.xml", "/f/topics/*"],
        ),
        ([f"{n}/rss.xml" for n in range(MAX_PATHS + 1)], ["/f/*"]),
    ],
)
def test_many_paths_become_few(files: list[str], expected: list[str]) -> None:
    assert collapsed(files, "/f/") == expected


@pytest.fixture
def cloudfront(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    yield f"http://127.0.0.1:{port}"
    server.stop()


def invalidations(distribution: str) -> list[list[str]]:
    client = botocore.session.get_session().create_client("cloudfront", "us-east-1")
    listed = client.list_invalidations(DistributionId=distribution)["InvalidationList"]
    ids = [one["Id"] for one in listed.get("Items", ())]
    return [
        client.get_invalidation(DistributionId=distribution, Id=id)["Invalidation"][
            "InvalidationBatch"
        ]["Paths"]["Items"]
        for id in ids
    ]


def distribution() -> str:
    client = botocore.session.get_session().create_client("cloudfront", "us-east-1")
    origin = {
        "Id": "o",
        "DomainName": "o.s3.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    made = client.create_distribution(
        DistributionConfig={
            "CallerReference": "r",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
        }
    )
    return str(made["Distribution"]["Id"])


def result(*actions: Action, error: str = "") -> Result:
    return Result("web", "s3://bucket", done=Execution(actions), error=error)


def test_what_was_there_before_is_fetched_anew_and_what_failed_next_time(
    tmp_path: Path, cloudfront: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "records").mkdir()
    id = distribution()
    (tmp_path / "config.yaml").write_text(CONFIG.replace("ID", id))
    config = load_config(tmp_path / "config.yaml")
    actions = (
        Action("put", "rss.xml", BYTES),
        Action("put", "new.xml", NEW),
        Action("delete", "old/rss.xml", "gone"),
    )
    assert purge(config, [result()]).paths == 0
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    [(name, why)] = purge(config, [result(*actions)]).failed
    assert (name, "127.0.0.1:9" in why) == ("web", True)
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloudfront)
    assert invalidations(id) == []
    assert purge(config, [result()]) == (2, ())
    assert [sorted(paths) for paths in invalidations(id)] == [["/f/old/rss.xml", "/f/rss.xml"]]
    assert purge(config, [result()]) == (0, ())


def test_an_unknown_distribution_is_named(tmp_path: Path, cloudfront: str) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "config.yaml").write_text(CONFIG.replace("ID", "E2EXAMPLE"))
    config = load_config(tmp_path / "config.yaml")
    [(_, why)] = purge(config, [result(Action("put", "rss.xml", BYTES))]).failed
    assert "distribution" in why
