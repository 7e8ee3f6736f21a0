"""The second factor of the demo's first citizen."""

from typing import Final

from sqlalchemy import text

from app.core.clock import utc_now
from app.core.crypto import Place, Vault
from app.core.db import Session
from app.core.ids import new_id
from app.demo.people import FACTOR_SECRET, citizen

HOLDER: Final = 1


async def give_factor(session: Session, *, vault: Vault) -> None:
    """Give citizen:1 the factor that the greeting names, unless there is one."""
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    factor_id = new_id(now=utc_now())
    place = Place(table="auth.factor", column="sealed", row_id=factor_id)
    insert = text(
        "INSERT INTO auth.factor (id, citizen_id, sealed, added_at, confirmed_at, last_step, failures, day_failures, "
        "day_began_at) SELECT :id, i.citizen_id, :sealed, now(), now(), 0, 0, 0, now() FROM auth.identifier i "
        "WHERE i.kind = 'PERSONAL_ID' AND i.lookup = :lookup AND i.valid_until IS NULL "
        "ON CONFLICT (citizen_id) WHERE confirmed_at IS NOT NULL DO NOTHING"
    )
    values = {
        "id": factor_id,
        "sealed": vault.sealer.seal(FACTOR_SECRET, place=place),
        "lookup": vault.index.of(citizen(HOLDER).personal_id or "", kind="PERSONAL_ID"),
    }
    await session.execute(insert, values)
