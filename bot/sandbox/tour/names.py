"""The names of the tours, known without loading one."""

DEFAULT = "canary"
NAMES = (DEFAULT,)
