"""What tests of pages share."""

import pytest

from scripts.screenshot import FLAGS, find_browser


@pytest.fixture(scope="module")
def browser():
    """A running Chromium; one for each module, as another may start its own."""
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()
