"""The names of the tours, known without loading one."""

DEFAULT = "canary"
ALL = "all"
NAMES = (DEFAULT, "phased", "blue-green", "shadow", "ab", "pipeline", "routes", "life", "adopt", ALL)
