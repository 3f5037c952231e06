from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from pillarbox_web.devbox.application import devbox_app
from pillarbox_web.devbox.box import Box


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def browser(box):
    return TestClient(devbox_app(box), follow_redirects=False)
