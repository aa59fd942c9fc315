"""Lets the service run with a fault: an edit of one function or of one module, as a tired hand might have typed it."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import dedent
from types import ModuleType
from typing import Any


@contextmanager
def planted(function: Callable[..., Any], right: str, wrong: str, **names: Any) -> Iterator[None]:
    """Edit a function or method wherever the service looks it up; `names` are known to the edit."""
    plain = inspect.unwrap(function)
    broken = {**plain.__globals__, **names}
    _run(_edited(dedent(inspect.getsource(plain)), right, wrong), plain.__code__.co_filename, broken)
    places = [*_of_the_service(), *(_owner(plain))]
    users = [place for place in places if vars(place).get(plain.__name__) is function]
    assert users, f"nothing of the service uses {plain.__qualname__}"
    for place in users:
        setattr(place, plain.__name__, broken[plain.__name__])
    try:
        yield
    finally:
        for place in users:
            setattr(place, plain.__name__, function)


def twin(module: ModuleType, right: str = "", wrong: str = "", **names: Any) -> ModuleType:
    """A copy of a module that is imported anew, with an edit; `names` are known to it."""
    assert module.__file__ is not None
    spec = importlib.util.spec_from_file_location(module.__name__, module.__file__)
    assert spec is not None
    copy = importlib.util.module_from_spec(spec)
    vars(copy).update(names)
    with open(module.__file__, encoding="utf-8") as file:
        source = file.read()
    _run(_edited(source, right, wrong) if right else source, module.__file__, copy.__dict__)
    return copy


@contextmanager
def replaced(module: ModuleType, name: str, value: Any) -> Iterator[None]:
    """Let a module know something else by a name."""
    right = vars(module)[name]
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, right)


def _edited(source: str, right: str, wrong: str) -> str:
    assert source.count(right) == 1, f"the text to replace is not there exactly once: {right}"
    return source.replace(right, wrong)


def _run(source: str, name: str, names: dict[str, Any]) -> None:
    exec(compile(source, name, "exec"), names)  # noqa: S102 - our own source, broken on purpose


def _of_the_service() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.startswith("sharing_service.")]


def _owner(function: Callable[..., Any]) -> list[type]:
    """The class of a method."""
    *owners, _ = function.__qualname__.split(".")
    return [vars(sys.modules[function.__module__])[owner] for owner in owners]
