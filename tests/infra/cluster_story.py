"""A cluster's life, told as JSON: run by a test as this account, or as another that root turns into.

`python cluster_story.py DATA SITE [ACCOUNT]`: SITE is the folder that holds the wheel.
"""

import encodings.ascii  # noqa: F401 — loaded before the account may lose sight of the interpreter
import json
import os
import pwd
import sys
from pathlib import Path

from devkit.binaries import Binaries
from devkit.postgres import Cluster


def become(name: str) -> None:
    """Turn root into another account for good."""
    entry = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def tell(data: Path, site: Path) -> dict[str, object]:
    """Make a cluster, commit rows, kill the server, start again, and count the rows."""
    cluster = Cluster(data, binaries=Binaries(site=site))
    cluster.ensure()
    cluster.start()
    try:
        cluster.psql("CREATE TABLE receipt (id int); INSERT INTO receipt SELECT generate_series(1, 500);")
        cluster.kill()
        cluster.start()
        rows = cluster.psql("SELECT count(*) FROM receipt").strip()
        locale = cluster.psql(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database WHERE oid = 1"
        ).strip()
        return {
            "rows": rows,
            "checksums": cluster.psql("SHOW data_checksums").strip(),
            "locale": locale,
            "owner": cluster.pgdata.stat().st_uid,
            "caller": os.geteuid(),
        }
    finally:
        cluster.stop()


if __name__ == "__main__":
    if len(sys.argv) > 3:
        become(sys.argv[3])
    print(json.dumps(tell(Path(sys.argv[1]), Path(sys.argv[2]))))
