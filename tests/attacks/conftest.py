"""The catalogue of a database in which the product is installed."""

import pytest

from app.core.settings import Settings
from tests.attacks.catalogue import Catalogue
from tests.conftest import Ground


@pytest.fixture(scope="module")
def catalogue(ground: Ground, settings: Settings) -> Catalogue:
    return Catalogue(ground, settings)
