"""Bodies of which everything wrong is named in one answer: faults of form, and between fields."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Annotated, Any, Generic, TypeVar, cast, get_args

from fastapi import Body
from pydantic import BaseModel, GetCoreSchemaHandler, TypeAdapter, ValidationError, WrapValidator

from servicekit.errors import Invalid, describe

T = TypeVar("T", bound=BaseModel)
R = TypeVar("R")


class Unread(Exception):
    """A check asked for a field that is not as it should be: it has nothing to say."""


class Attempt(Generic[T]):
    """A body as it came: `Attempt[FacilityCreate]` is written like the model in OpenAPI.

    With `faults`, `body` has only the fields that are as they should be; nothing may be written
    of it, but the rest can be checked.
    """

    # No dataclass: pydantic would take it for the body.
    def __init__(
        self, body: T, faults: Sequence[dict[str, Any]] = (), unread: frozenset[str] = frozenset()
    ) -> None:
        self.body = body
        #: As in a problem document.
        self.faults = faults
        #: Names of fields that are not as they should be.
        self.unread = unread

    def known(self, record: R) -> R:
        """A record that raises `Unread` where a check reads what nobody could read."""
        return cast(R, _Known(record, self.unread)) if self.unread else record

    def whole(self) -> T:
        """The body, faultless.

        Raises:
            Invalid: it is not.
        """
        self.ensure_faultless((), Invalid)
        return self.body

    def ensure_faultless(self, found: Iterable[dict[str, Any]], error: type[Invalid]) -> None:
        """Refuse a body with all that is wrong; `error` when checks found something, too.

        Raises:
            Invalid: there is something.
        """
        more = list(found)
        if more or self.faults:
            raise (error if more else Invalid)(errors=[*self.faults, *more])

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> Any:
        (model,) = get_args(source)
        return handler(Annotated[model, WrapValidator(partial(_read, model))])


#: How an endpoint takes one.
Sent = Annotated[Attempt[T], Body()]


class _Known:
    def __init__(self, record: Any, unread: frozenset[str]) -> None:
        self._record, self._unread = record, unread

    def __getattr__(self, name: str) -> Any:
        # Methods look at every field.
        if name in self._unread or name not in type(self._record).model_fields:
            raise Unread
        return getattr(self._record, name)


def _read(model: type[T], value: Any, handler: Any) -> Attempt[T]:
    try:
        return Attempt(handler(value))
    except ValidationError as error:
        if not isinstance(value, dict):
            raise
        problems = error.errors(include_url=False)
    unread = frozenset(str(problem["loc"][0]) for problem in problems if problem["loc"])
    good = {
        name: adapter.validate_python(value[name])
        for name, adapter in _adapters(model).items()
        if name in value and name not in unread
    }
    faults = [describe({**problem, "loc": ("body", *problem["loc"])}) for problem in problems]
    attempt = Attempt(model.model_construct(_fields_set=set(good), **good), faults, unread)
    return (
        Attempt(attempt.body, [*faults, *_contradictions(attempt)], unread) if unread else attempt
    )


def _contradictions(attempt: Attempt[T]) -> Iterable[dict[str, Any]]:
    """What the model's own checks say, which pydantic leaves out while a field is wrong."""
    for check in type(attempt.body).__pydantic_decorators__.model_validators.values():
        with suppress(Unread):
            try:
                check.func(attempt.known(attempt.body))
            except ValueError as error:
                problem = {"type": "value_error", "loc": ("body",), "ctx": {"error": error}}
                yield describe(problem)


@cache
def _adapters(model: type[BaseModel]) -> dict[str, TypeAdapter[Any]]:
    fields = model.model_fields.items()
    return {name: TypeAdapter(info.rebuild_annotation()) for name, info in fields}
