"""A plugin of pytest (`-p tests.graph.with_schema`): the fakes of the tests are held to Microsoft's published types."""

from __future__ import annotations

from tests.core.testing.graph import asking
from tests.graph.schemas import published

asking.SCHEMA = published()
