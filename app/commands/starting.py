"""What the server needs, tried before it starts: what is missing is told, where a log would name a kind alone."""

from app.commands.console import fail
from app.core.logins import Login, connect
from app.core.marks import open_known_vault
from app.core.settings import Settings
from app.identity.provider import read_client_keys

_HAS_OPERATIONS = "SELECT EXISTS (SELECT FROM pg_proc WHERE pronamespace = to_regnamespace('op'))"


async def check_start(settings: Settings) -> None:
    """Read every key, and connect as every login of the API.

    :raises SecretMissing: when a password cannot be read
    :raises KeyFileError: when a key file is missing or malformed
    :raises OtherKeys: when a key is missing that this database was filled with
    """
    await open_known_vault(settings, Login.INGEST)
    if settings.provider is not None:
        read_client_keys(settings.secrets_dir)
    for login in (Login.API, Login.DESK, Login.PORTER, Login.INGEST, *((Login.DEMO,) if settings.demo else ())):
        connection = await connect(settings, login)
        try:
            is_installed = login is not Login.API or await connection.fetchval(_HAS_OPERATIONS)
        finally:
            await connection.close()
        if not is_installed:
            fail(
                "Cơ sở dữ liệu chưa được cài đặt. Hãy chạy `sokhoe migrate` trước.",
                "Nothing is installed in the database. Run `sokhoe migrate` first.",
            )
