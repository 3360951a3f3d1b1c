"""What every tier shares."""

import gc
import os

from hypothesis import HealthCheck, settings

# Examples may be slow on a busy machine, and slow to draw; pytest-timeout bounds the test as a whole.
# Fifty examples of each property find what a rule broken by hand breaks; `SLUICE_FUZZ=long` looks for the rest.
EXAMPLES = 1_000 if os.environ.get("SLUICE_FUZZ") == "long" else 50
settings.register_profile("sluice", deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sluice")


def pytest_collection_finish() -> None:
    """What the imports made stays to the end: no collection walks through it again."""
    gc.collect()
    gc.freeze()
