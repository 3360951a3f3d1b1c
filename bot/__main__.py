"""The `sluice` command."""

import sys


def main() -> None:
    """Run the command line; a broken pipe or an interrupt ends it without a traceback."""
    from bot.cli import app  # noqa: PLC0415 - so that an interrupt while importing is caught too

    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
