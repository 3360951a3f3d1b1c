"""Holds what is deployed and documented to the code: a name that exists in one place only makes a test fail."""
