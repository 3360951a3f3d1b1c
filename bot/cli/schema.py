"""`sluice schema`: the JSON Schema of a service's profile."""

from collections.abc import Mapping
from typing import Any

from bot.cli.output import Format, FormatOption, print_json


def schema(format: FormatOption = Format.JSON) -> None:
    """Print the JSON Schema of a profile, for editors and checks in CI; as a table, its keys."""
    from bot import profiles  # noqa: PLC0415 - pydantic waits until it is wanted

    found = profiles.schema()
    if format is Format.JSON:
        print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **found})
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("Key", "Takes", "Default", box=None, header_style="bold", pad_edge=False)
    for name, key in found["properties"].items():
        default = "required" if name in found["required"] else _shown(key.get("default"))
        table.add_row(name, _takes(key, found["$defs"]), default)
    Console(highlight=False).print(table)


def _takes(key: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """What a key takes, in one word or the words it allows."""
    if "$ref" in key:
        return _takes(known[str(key["$ref"]).rpartition("/")[2]], known)
    if "anyOf" in key:
        return " or ".join(_takes(each, known) for each in key["anyOf"] if each.get("type") != "null")
    if "enum" in key:
        return " | ".join(str(each) for each in key["enum"])
    if "const" in key:
        return str(key["const"])
    if key.get("type") == "array":
        return f"list of {_takes(key.get('items', {}), known)}"
    return {"object": "mapping", "boolean": "true | false"}.get(str(key.get("type")), str(key.get("type", "anything")))


def _shown(default: object) -> str:
    if default is None or default in ("", [], {}):
        return ""
    if isinstance(default, dict):
        return ", ".join(f"{name}: {value}" for name, value in default.items())
    if isinstance(default, bool):
        return str(default).lower()
    return ", ".join(map(str, default)) if isinstance(default, list) else str(default)
