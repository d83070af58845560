"""Metrics named in rules and dashboards are metrics that the code exports, with those labels."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

KINDS = ("Counter", "Gauge", "Histogram")
PACKAGES = ("servicekit", "services", "gateway")
#: What Prometheus makes itself.
BUILT_IN = {"up": frozenset({"job", "instance"}), "ALERTS": frozenset({"alertname", "alertstate"})}
#: Labels that scraping adds (prometheus.yml, the PodMonitor), and the one it renames.
ADDED = {"job", "instance", "service", "process", "exported_service", "le"}
_WORDS = {
    "and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool",
    "offset", "inf", "nan", "start", "end",
}  # fmt: skip
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_MATCHERS = re.compile(r"\{([^{}]*)\}")
_MATCHER = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_RANGE = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\()(?![a-zA-Z0-9_:])")
_NUMBER = re.compile(r"\b\d+(?:\.\d+)?(?:e[+-]?\d+|ms|[smhdwy])?\b")


@dataclass(frozen=True)
class Expression:
    """A query and where it stands."""

    where: str
    text: str

    @property
    def metrics(self) -> set[str]:
        bare = _MATCHERS.sub("", _RANGE.sub("", _TEXT.sub("", self.text)))
        bare = _NUMBER.sub("", _GROUPING.sub("", bare))
        return set(_NAME.findall(bare)) - _WORDS

    @property
    def labels(self) -> set[str]:
        """Labels that are matched or grouped by."""
        found = {
            label.strip()
            for group in _GROUPING.findall(self.text)
            for label in group.split(",")
            if label.strip()
        }
        bare = _TEXT.sub('""', self.text)
        for matchers in _MATCHERS.findall(bare):
            found |= set(_MATCHER.findall(matchers))
        return found


def exported_metrics(root: Path) -> dict[str, frozenset[str]]:
    """Labels of every time series the code defines, by the name Prometheus stores."""
    found = dict(BUILT_IN)
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            for kind, name, labels in _definitions(ast.parse(path.read_text())):
                for series in _series(kind, name):
                    found[series] = labels
    return found


def _definitions(tree: ast.AST) -> Iterator[tuple[str, str, frozenset[str]]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=kind), args=[ast.Constant(value=str(name)), *rest]):
                if kind in KINDS:
                    lists = [arg for arg in rest if isinstance(arg, ast.List)]
                    labels = ast.literal_eval(lists[0]) if lists else []
                    yield kind, name, frozenset(labels)


def _series(kind: str, name: str) -> list[str]:
    if kind == "Histogram":
        return [f"{name}_bucket", f"{name}_sum", f"{name}_count"]
    return [name]


def rule_files(directory: Path) -> dict[str, Any]:
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted(directory.glob("*.yml"))}


def rules_of(files: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for file, document in files.items():
        for group in document["groups"]:
            for rule in group["rules"]:
                yield f"{file}: {rule.get('alert') or rule.get('record')}", rule


def rule_expressions(files: dict[str, Any]) -> list[Expression]:
    return [Expression(where, rule["expr"]) for where, rule in rules_of(files)]


def dashboard_expressions(directory: Path) -> list[Expression]:
    return [
        Expression(f"{path.name}: {panel['title']}", target["expr"])
        for path in sorted(directory.glob("*.json"))
        for panel in json.loads(path.read_text())["panels"]
        for target in panel.get("targets", [])
    ]


def recorded(files: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Series that recording rules make; their labels are those they are grouped by."""
    return {
        rule["record"]: frozenset(Expression("", rule["expr"]).labels | {"service"})
        for _, rule in rules_of(files)
        if "record" in rule
    }


def unknown_names(expressions: list[Expression], known: dict[str, frozenset[str]]) -> Iterator[str]:
    for expression in expressions:
        strangers = expression.metrics - set(known)
        for name in sorted(strangers):
            yield f"{expression.where}: no code exports {name}"
        if not strangers:
            labels = ADDED.union(*(known[name] for name in expression.metrics))
            for label in sorted(expression.labels - labels):
                yield f"{expression.where}: label {label} is on none of its metrics"


def unwatched(names: set[str], expressions: list[Expression]) -> list[str]:
    """Metrics that nobody looks at."""
    seen = set().union(*(expression.metrics for expression in expressions))
    return sorted(f"{name} is in no rule and no dashboard" for name in names - seen)
