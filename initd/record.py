"""Immutable, slotted values without the price of dataclasses. Pure, and imports nothing.

Dataclasses, enum and typing would cost PID 1 20 ms and 2 MB before main runs, so a record is made by the
lines below; type checkers see an ordinary frozen dataclass.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform(frozen_default=True)
    def record(cls: type[T]) -> type[T]:
        """Seen by type checkers only: a record is a frozen, slotted dataclass."""
        return cls

else:

    def record(cls):
        """Make ``cls`` an immutable, slotted value with the annotated fields, in their order."""
        fields = tuple(cls.__annotations__)
        defaults = {name: cls.__dict__[name] for name in fields if name in cls.__dict__}
        put = object.__setattr__
        setters = []  # of the slots: twice as quick as by name, and a storm makes thousands of these

        def __init__(self, *args, **kwargs):
            if len(args) > len(fields):
                raise TypeError(f"{cls.__name__} takes {len(fields)} fields")
            for set_field, value in zip(setters, args):  # noqa: B905  a short args tuple is meant
                set_field(self, value)
            for name in fields[len(args) :]:
                if name in kwargs:
                    put(self, name, kwargs.pop(name))
                elif name in defaults:
                    put(self, name, defaults[name])
                else:
                    raise TypeError(f"{cls.__name__} needs {name}")
            if kwargs:
                raise TypeError(f"{cls.__name__} has no field {', '.join(kwargs)}")

        def __setattr__(self, name, value):
            raise AttributeError(f"{cls.__name__} is immutable")

        def __eq__(self, other):
            return type(other) is type(self) and all(
                getattr(self, name) == getattr(other, name) for name in fields
            )

        def __hash__(self):
            return hash(tuple(getattr(self, name) for name in fields))

        def __repr__(self):
            inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in fields)
            return f"{cls.__name__}({inside})"

        body = {k: v for k, v in cls.__dict__.items() if k not in (*fields, "__dict__", "__weakref__")}
        methods = (__init__, __setattr__, __eq__, __hash__, __repr__)
        body.update({function.__name__: function for function in methods})
        body["__slots__"] = body["__match_args__"] = fields
        made = type(cls.__name__, cls.__bases__, body)
        setters.extend(made.__dict__[name].__set__ for name in fields)
        return made
