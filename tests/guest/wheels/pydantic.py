"""pydantic: models whose validation and serialisation is pydantic-core's, in Rust."""

import datetime
import decimal
import enum
import json
import uuid
from typing import Annotated, Literal

import pydantic


class Size(enum.Enum):
    small = "S"
    large = "L"


class Address(pydantic.BaseModel):
    city: Annotated[str, pydantic.StringConstraints(min_length=2, strip_whitespace=True)]
    code: Annotated[str, pydantic.Field(pattern=r"^\d{5}$")]


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    key: uuid.UUID
    kind: Literal["order"] = "order"
    placed: datetime.datetime
    price: decimal.Decimal = pydantic.Field(gt=0, max_digits=8)
    sizes: list[Size]
    home: Address
    tags: dict[str, int | float | None] = {}

    @pydantic.field_validator("placed")
    @classmethod
    def in_utc(cls, value: datetime.datetime) -> datetime.datetime:
        return value.astimezone(datetime.UTC)

    @pydantic.computed_field
    def label(self) -> str:
        return f"{self.home.city}: {self.price}"


good = {
    "key": "12345678-1234-5678-1234-567812345678",
    "placed": "2024-03-31T02:30:00+02:00",
    "price": "12.50",
    "sizes": ["S", "L"],
    "home": {"city": "  Kiel ", "code": "24103"},
    "tags": {"a": 1, "b": 2.5, "c": None},
}
order = Order.model_validate(good)
print(order)
print(order.model_dump_json())
print(Order.model_validate_json(order.model_dump_json(exclude={"label"})) == order)
bad = {**good, "price": -1, "sizes": ["M"], "home": {"city": "x", "code": "1"}, "more": 1}
try:
    Order.model_validate(bad)
except pydantic.ValidationError as error:
    print(json.dumps(error.errors(include_url=False, include_context=False), default=str))
print(json.dumps(Order.model_json_schema(), sort_keys=True))
many = pydantic.TypeAdapter(list[Order])
packed = many.dump_json([order] * 300, exclude={"__all__": {"label"}})
print(len(packed), len(many.validate_json(packed)))
try:
    many.validate_json(packed[:-10])
except pydantic.ValidationError as error:
    print(error.errors(include_url=False)[0]["msg"])
