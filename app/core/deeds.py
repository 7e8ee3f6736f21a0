"""What a mutation's step hands back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import AppError


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a mutation did, as JSON values by name; its payload is read from them.

    `kept` (ids, moments, numbers) stays with the idempotency key, so that a repeat answers alike. `secret` is never
    stored: a repeat derives it again.
    """

    kept: Mapping[str, Any] = field(default_factory=dict)
    secret: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A refusal whose traces stay (a wrong code was counted): committed first, raised then."""

    error: AppError
