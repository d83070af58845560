"""Where things are: the repository, and what a stack keeps in its directory."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
STATE: Final = ROOT / ".local"

SERVICES: Final = ("catalogue", "requests", "facilities", "evaluation", "exchange")
#: Everything with a database of its own, under a role of the same name.
DATABASES: Final = (*SERVICES, "gateway")
