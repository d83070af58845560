"""`python -m contracts.generate` writes the JSON Schemas and the AsyncAPI document."""

import json
import sys
from functools import cache
from pathlib import Path

import yaml

from contracts.asyncapi import document
from contracts.json_schemas import event_schema
from contracts.registry import EVENTS

ROOT = Path(__file__).parent.parent
SCHEMAS = Path("contracts/schemas")
ASYNCAPI = Path("docs/events/asyncapi.yaml")
_HEADER = "# Written by `python -m contracts.generate`; do not edit.\n"


@cache
def generated_files() -> dict[Path, str]:
    """Every generated file, relative to the repository, with its content."""
    files = {SCHEMAS / f"{event.event_type}.json": to_json(event_schema(event)) for event in EVENTS}
    text = yaml.dump(
        document(), Dumper=_Plain, allow_unicode=True, sort_keys=False, width=100, indent=2
    )
    return files | {ASYNCAPI: _HEADER + text}


def to_json(value: object) -> str:
    """JSON as the repository keeps it."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def write(root: Path = ROOT) -> list[Path]:
    """Write what differs and remove what is no longer generated; return the files touched."""
    wanted = generated_files()
    touched = [
        path for path in (root / SCHEMAS).glob("*.json") if path.relative_to(root) not in wanted
    ]
    for path in touched:
        path.unlink()
    for relative, content in wanted.items():
        path = root / relative
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            touched.append(path)
    return touched


class _Plain(yaml.SafeDumper):
    """YAML without anchors, and with texts of several lines as blocks."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - an override
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Plain.add_representer(str, _text)

if __name__ == "__main__":
    for changed in write():
        sys.stdout.write(f"{changed.relative_to(ROOT)}\n")
