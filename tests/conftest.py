"""What every tier shares."""

from hypothesis import settings

# A single example may be slow on a busy machine; pytest-timeout bounds the test as a whole.
settings.register_profile("sluice", deadline=None)
settings.load_profile("sluice")
