"""The parts of `make bench`, in the order in which they run, and the size of each."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from devstack.java import OLDEST_JAVA, find_java, find_maven


class Size(StrEnum):
    """`quick` shows that everything runs, `usual` is what results are quoted from."""

    quick = "quick"
    usual = "usual"
    full = "full"


@dataclass(frozen=True, slots=True)
class Part:
    """One module below `bench`, run in a process of its own."""

    name: str
    title: str
    usual: str = ""
    quick: str = ""
    #: With the sizes that take hours or tens of gigabytes; as usual when empty.
    full: str = ""
    #: Programs without which it cannot run.
    tools: tuple[str, ...] = ()

    def command(self, size: Size) -> list[str]:
        """What comes after `python`."""
        chosen = {Size.quick: self.quick, Size.usual: self.usual, Size.full: self.full}[size]
        return ["-m", f"bench.{self.name}", *(chosen or self.usual).split()]

    def missing(self) -> list[str]:
        """Programs that are not here, and how to get them."""
        return [HOW_TO_GET.get(name, name) for name in self.tools if not _is_there(name)]


#: Package names of Debian and Ubuntu.
HOW_TO_GET = {
    "nginx": "nginx (apt install nginx-light)",
    "wrk": "wrk (apt install wrk)",
    "java": f"Java {OLDEST_JAVA} or newer (apt install openjdk-{OLDEST_JAVA}-jre-headless)",
    "mvn": "Maven (apt install maven)",
    "npm": "npm (apt install npm)",
}


def _is_there(tool: str) -> bool:
    finders = {"java": find_java, "mvn": find_maven}
    return (finders[tool]() if tool in finders else shutil.which(tool)) is not None


PARTS = (
    Part(
        "intake",
        "Intake",
        quick="--rounds 1 --seconds 2",
        tools=("java", "mvn"),
    ),
    Part(
        "gateway",
        "Gateway",
        quick="--rounds 1 --seconds 1",
        tools=("nginx", "wrk"),
    ),
    Part(
        "relay",
        "Relay and consumers",
        quick="--rounds 1 --events 5000 --seconds 2 --probes 100",
        tools=("java", "mvn"),
    ),
    Part(
        "lists",
        "Cases: work lists, look-ups, what falls due next",
        quick="--sizes 2000 20000",
        usual="--sizes 100000 1000000",
        full="--sizes 100000 1000000 10000000",
    ),
    Part("search", "Catalogue search", quick="--items 2000 --seconds 1 --rounds 1"),
    Part("nearby", "Places nearby", quick="--places 20000 --communities 2000 --queries 100"),
    Part("indicators", "Indicators of divisions", quick="--communities 20000"),
    Part(
        "scores",
        "Scores",
        quick="--ratings 20000",
        usual="--ratings 100000 1000000",
        full="--ratings 100000 1000000 10000000",
    ),
    Part("score_events", "Events into scores", quick="--ratings 20000 --chunks 5"),
    Part("startup", "Start-up and memory", quick="--rounds 1 --seconds 2 --idle 1"),
    Part("imports", "Imports of items", quick="--rows 1000"),
    Part("routing", "Routing", quick="--matters 500"),
    Part("divisions", "The national list of divisions", tools=("npm",)),
    Part("integrity", "Detectors of doubtful ratings", quick="--remote 4000 --units 4"),
)


class UnknownPart(SystemExit):
    """A name that is none of the parts."""


def chosen(names: Sequence[str]) -> list[Part]:
    """The parts of these names in their own order; all without a name.

    Raises:
        UnknownPart: one of them is not a part.
    """
    unknown = sorted(set(names) - {part.name for part in PARTS})
    if unknown:
        there = ", ".join(part.name for part in PARTS)
        raise UnknownPart(f"no such part: {', '.join(unknown)}. There are: {there}")
    return [part for part in PARTS if not names or part.name in names]
