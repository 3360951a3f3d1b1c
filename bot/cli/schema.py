"""`sluice schema`: the JSON Schema of a service's profile."""

from bot.cli.output import print_json


def schema() -> None:
    """Print the JSON Schema of a profile, for editors and checks in CI."""
    from bot.profiles import Profile  # noqa: PLC0415 - pydantic waits until it is wanted

    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **Profile.model_json_schema()})
