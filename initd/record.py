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

    class Record:
        """What all records do, by the names in their class's ``__slots__``."""

        __slots__ = ()

        def __init__(self, *args, **kwargs):
            cls = type(self)
            fields = cls.__slots__
            if len(args) > len(fields):
                raise TypeError(f"{cls.__name__} takes {len(fields)} fields")
            for set_field, value in zip(cls._setters, args):  # noqa: B905  a short args tuple is meant
                set_field(self, value)
            for name in fields[len(args) :]:
                if name in kwargs:
                    _put(self, name, kwargs.pop(name))
                elif name in cls._defaults:
                    _put(self, name, cls._defaults[name])
                else:
                    raise TypeError(f"{cls.__name__} needs {name}")
            if kwargs:
                raise TypeError(f"{cls.__name__} has no field {', '.join(kwargs)}")

        def __setattr__(self, name, value):
            raise AttributeError(f"{type(self).__name__} is immutable")

        def __eq__(self, other):
            return type(other) is type(self) and all(
                getattr(self, name) == getattr(other, name) for name in self.__slots__
            )

        def __hash__(self):
            return hash(tuple([getattr(self, name) for name in self.__slots__]))

        def __repr__(self):
            inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
            return f"{type(self).__name__}({inside})"

    _put = object.__setattr__
    _NOT_KEPT = ("__dict__", "__weakref__", "__annotations__")

    def record(cls):
        """Make ``cls`` an immutable, slotted value with the annotated fields, in their order."""
        assert cls.__bases__ == (object,)  # another one would be lost
        fields = tuple(cls.__annotations__)
        body = {name: value for name, value in cls.__dict__.items() if name not in (*fields, *_NOT_KEPT)}
        body["__slots__"] = body["__match_args__"] = fields
        body["_defaults"] = {name: cls.__dict__[name] for name in fields if name in cls.__dict__}
        # By the slots: twice as quick as by name, and a storm makes thousands of these.
        body["_setters"] = setters = []
        made = type(cls.__name__, (Record,), body)
        setters += [made.__dict__[name].__set__ for name in fields]
        return made
