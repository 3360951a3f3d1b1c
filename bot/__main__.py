"""The `sluice` command."""


def main() -> None:
    """Run the command line."""
