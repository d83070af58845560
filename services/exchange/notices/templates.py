"""The templates of notices: read from their file when the worker starts, and checked whole."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import Event
from services.exchange.notices.rules import WITHHELD, fields_of, fill

FILE = Path("notices", "templates.yaml")


class Part(BaseModel):
    """A piece of text that depends on whether a field holds anything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    given: str
    text: str
    otherwise: str = ""


class Line(BaseModel):
    """A line that is written for each entry of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    parts: dict[str, Part] = Field(default_factory=dict)


class Template(BaseModel):
    """What is said when an event of a type has happened."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=r"^[a-z][a-z-]{2,47}$")
    event: str
    #: Field → value: the template speaks only when all of them hold.
    when: dict[str, bool | int | str] = Field(default_factory=dict)
    title: str = Field(min_length=2, max_length=40)
    body: str = Field(min_length=4, max_length=500)
    parts: dict[str, Part] = Field(default_factory=dict)
    each: dict[str, Line] = Field(default_factory=dict)

    def speaks_for(self, event: Event) -> bool:
        """Whether the conditions of the template hold for an event."""
        return all(getattr(event, name) == value for name, value in self.when.items())

    def words(self, event: Event) -> tuple[str, str]:
        """Title and body for an event."""
        values = _values(event)
        title = fill(self.title, values, parts=self.parts)
        return title, fill(self.body, values, parts=self.parts, each=self.each)


class TemplatesInvalid(Exception):
    """The file cannot be used; every reason is named."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class Templates:
    """Templates by event type; of several the first whose conditions hold."""

    def __init__(self, templates: Sequence[Template], events: Sequence[type[Event]]) -> None:
        """Check the templates against the events they are for.

        Raises:
            TemplatesInvalid: a field that does not exist, a case without words, a code twice.
        """
        self._by_event: Mapping[str, list[Template]] = {
            event.event_type: [one for one in templates if one.event == event.event_type]
            for event in events
        }
        reasons = [*_of_all(templates, self._by_event)]
        for event in events:
            for template in self._by_event[event.event_type]:
                reasons += [f"{template.code}: {reason}" for reason in _faults(template, event)]
        if reasons:
            raise TemplatesInvalid(reasons)

    def find(self, event: Event) -> Template:
        """The template for an event; there is always one."""
        return next(one for one in self._by_event[event.event_type] if one.speaks_for(event))


def load_templates(directory: Path, events: Sequence[type[Event]]) -> Templates:
    """Read and check the file of templates.

    Raises:
        TemplatesInvalid: it cannot be used as it is.
    """
    content = yaml.safe_load((directory / FILE).read_text(encoding="utf-8"))
    return Templates([Template.model_validate(one) for one in content["templates"]], events)


def _values(model: BaseModel) -> dict[str, Any]:
    return {
        name: [_values(entry) for entry in value] if _is_models(value) else value
        for name, value in model
        if name not in WITHHELD
    }


def _is_models(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(entry, BaseModel) for entry in value)


def _of_all(templates: Sequence[Template], by_event: Mapping[str, Sequence[Template]]) -> list[str]:
    codes = [template.code for template in templates]
    reasons = [f"{code}: the code stands twice" for code in set(codes) if codes.count(code) > 1]
    reasons += [
        f"{one.code}: nobody sends {one.event}" for one in templates if one.event not in by_event
    ]
    for event_type, own in by_event.items():
        if not own or own[-1].when:
            reasons.append(f"{event_type}: no template without conditions at the end")
        reasons += [f"{one.code}: leaves nothing to the next" for one in own[:-1] if not one.when]
    return reasons


def _faults(template: Template, event: type[Event]) -> list[str]:
    """What a template asks for that its event cannot give."""
    unknown = [name for name in template.when if name not in event.model_fields]
    reasons = [f"the event has no field {name}" for name in unknown]
    reasons += _text_faults(template.title, event, template.parts)
    reasons += _text_faults(template.body, event, template.parts, lists=template.each)
    reasons += _part_faults(template.parts, event)
    for name, line in template.each.items():
        entry = _entry_of(event, name)
        if entry is None:
            reasons.append(f"{name} is no list of the event")
        else:
            reasons += _text_faults(line.text, entry, line.parts)
            reasons += _part_faults(line.parts, entry)
    return reasons


def _part_faults(parts: Mapping[str, Part], model: type[BaseModel]) -> list[str]:
    reasons = []
    for name, part in parts.items():
        if name in model.model_fields:
            reasons.append(f"the part {name} hides a field")
        if part.given not in model.model_fields:
            reasons.append(f"no field {part.given}")
        reasons += _text_faults(part.text, model, {}, given=part.given)
        reasons += _text_faults(part.otherwise, model, {})
    return reasons


def _text_faults(
    text: str,
    model: type[BaseModel],
    parts: Mapping[str, Part],
    *,
    lists: Mapping[str, Line] | None = None,
    given: str | None = None,
) -> list[str]:
    try:
        names = fields_of(text)
    except ValueError as error:
        return [str(error)]
    reasons = []
    for name in names:
        if name in parts or name in (lists or {}):
            continue
        if name not in model.model_fields or name in WITHHELD:
            reasons.append(f"no field {name} to show")
            continue
        kind, may_be_absent = _kind_of(model, name)
        if not _is_showable(kind):
            reasons.append(f"the field {name} cannot be shown as it is")
        if may_be_absent and name != given:
            reasons.append(f"the field {name} may be absent: write it in a part")
    return reasons


def _kind_of(model: type[BaseModel], name: str) -> tuple[Any, bool]:
    """A field's type without None, and whether None was in it."""
    annotation = model.model_fields[name].annotation
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, False
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    return kinds[0], NoneType in get_args(annotation)


def _is_showable(kind: Any) -> bool:
    if get_origin(kind) is tuple:
        return get_args(kind)[0] is str
    return kind in (str, int, date)


def _entry_of(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The model of a list's entries, where a field is such a list."""
    if name not in model.model_fields:
        return None
    annotation = model.model_fields[name].annotation
    entry = get_args(annotation)[0] if get_origin(annotation) is tuple else None
    return entry if isinstance(entry, type) and issubclass(entry, BaseModel) else None
