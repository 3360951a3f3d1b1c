"""YAML that people wrote, read into plain values or refused with its line."""

import yaml

# What the library's constructors let through: `!!int x`, `!!bool x`, 2001-99-99, 5,000 digits, 1,000 brackets.
_UNFORESEEN = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class NotYaml(ValueError):
    """The text is no YAML; the message is `is not YAML`, with the line where it is known."""


def load(text: str) -> object:
    """The values in `text`; NotYaml when there are none to be had."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise NotYaml(f"is not YAML at line {mark.line + 1}" if mark else "is not YAML") from error
    except _UNFORESEEN as error:
        raise NotYaml(f"is not YAML: it holds a value that cannot be read ({type(error).__name__})") from error
