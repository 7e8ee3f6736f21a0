"""One started cluster for the tests of the set-up; those that break something make their own."""

from collections.abc import Iterator

import pytest

from devkit.postgres import Cluster, temporary_cluster


@pytest.fixture(scope="package")
def cluster() -> Iterator[Cluster]:
    with temporary_cluster() as started:
        yield started
