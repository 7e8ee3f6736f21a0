"""How the embedded server is set: for a small machine, safe against a power cut, silent about people."""

from collections.abc import Mapping
from pathlib import Path

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "max_locks_per_transaction": "512",  # a message of 2,000 new people takes 6,000 locks
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "default_text_search_config": "pg_catalog.simple",
    "cluster_name": "sokhoe",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


def write_settings(file: Path, settings: Mapping[str, str]) -> None:
    """Write a postgresql.conf that the server's account can read; it holds no secret."""
    lines = ["# Written at each start."]
    for name, value in settings.items():
        quoted = value.replace("'", "''")
        lines.append(f"{name} = '{quoted}'")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file.chmod(0o644)
