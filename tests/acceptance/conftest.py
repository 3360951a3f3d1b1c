"""A sandbox for each module, a browser for all."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, expect, sync_playwright

from tests.acceptance.sandbox import Sandbox, running
from tests.acceptance.visitor import Visitor
from tests.parts.chromium import chromium_path, launch_arguments
from tests.patience import PATIENCE

Visit = Callable[..., Visitor]
PATIENCE_MS = 1_000 * PATIENCE
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path, arguments = chromium_path(), launch_arguments()
        found = playwright.chromium.launch(executable_path=path, args=arguments, timeout=PATIENCE_MS)
        yield found
        found.close()


@pytest.fixture
def visit(browser: Browser, sandbox: Sandbox) -> Iterator[Visit]:
    """Opens the page in a browser of its own; what the browser complains about fails the test."""
    contexts, complaints = [], []

    def open_page(width: int = 1440, height: int = 900, scheme: str = "light") -> Visitor:
        size = {"width": width, "height": height}
        # Sixty drawings a second of the moving streams cost more than all else here; who looks at them asks for them.
        context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            bypass_csp=True,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
        page.goto(sandbox.page)
        page.get_by_test_id("user-alice").wait_for(state="attached")
        return Visitor(page)

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def _is_complaint(said: ConsoleMessage) -> bool:
    # A refusal is an answer that the page shows; the browser mentions it all the same.
    return said.type == "error" and "status of 400" not in said.text
