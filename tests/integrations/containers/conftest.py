"""An image of this tree, built once."""

import os
from collections.abc import Iterator

import pytest

from release import image as release_image
from tests.integrations.containers import store


@pytest.fixture(scope="session")
def own_store() -> Iterator[None]:
    """Podman keeps what the tests make apart."""
    before = dict(os.environ)
    store.use_own_store(store.build_folder())
    yield
    os.environ.clear()
    os.environ |= before


@pytest.fixture(scope="session")
def image(own_store: None) -> str:  # noqa: ARG001 - what it sets is the environment
    """The name of an image of this tree."""
    store.build_image(release_image.main)
    return store.IMAGE
