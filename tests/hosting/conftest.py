"""The translators of all kinds, and a world in memory for each test."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bridge import datafiles
from tests.support.modelworld import ModelWorld
from translators.kinds import build
from translators.model import KindTranslator


@pytest.fixture(scope="session")
def kinds() -> Mapping[str, KindTranslator]:
    """Compiled once."""
    return build(datafiles.mappings())


@pytest.fixture
def world(kinds: Mapping[str, KindTranslator]) -> ModelWorld:
    """AWS, ACK and a cluster, empty."""
    return ModelWorld(kinds)
