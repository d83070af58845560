"""The dictionary of facility types: the file it comes from, and how the API shows it."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

TypeCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,47}$")]


class TypeEntry(BaseModel):
    """A kind of facility in the dictionary."""

    model_config = ConfigDict(extra="forbid")

    code: TypeCode
    name: str = Field(min_length=1)
    form: Literal["place", "room", "ground", "point"]
    is_comprehensive: bool = Field(description="是否属于社区综合服务设施")
    has_daily_hours: bool = Field(description="是否适用每天不少于 8 小时的开放要求")
    source: str = Field(min_length=4)


class TypeGroup(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: TypeCode
    name: str = Field(min_length=1)
    types: list[TypeEntry] = Field(min_length=1)


class TypeDictionary(BaseModel):
    """The file data/facilities/types.yaml."""

    model_config = ConfigDict(extra="forbid")

    groups: list[TypeGroup] = Field(min_length=1)

    @model_validator(mode="after")
    def _codes_once(self) -> Self:
        counts = Counter(entry.code for group in self.groups for entry in group.types)
        twice = [code for code, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"写了两次：{'、'.join(twice)}")
        return self


class TypeRead(TypeEntry):
    """A kind of facility."""

    model_config = ConfigDict(extra="ignore")

    group_code: str
    group_name: str
    provisional: bool = Field(description="代码为本项目自定，尚无官方编码")
