"""Flags from the fields of a dataclass."""

import argparse
import ast
import dataclasses
import typing


def add_flags(parser, dataclass):
    """Give the parser a flag for each field; a flag that is left out leaves no value.

    The type comes from the field's annotation, the help from its `Annotated` text. `dict` fields
    are written `name=value`, `tuple` fields as so many words.
    """
    hints = typing.get_type_hints(dataclass, include_extras=True)
    for field in dataclasses.fields(dataclass):
        kind, text = typing.get_args(hints[field.name])
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            default=argparse.SUPPRESS,
            help=text,
            **_options(kind, field.name),
        )


def given(arguments, dataclass):
    """The fields that flags were given for, as a dict."""
    names = {field.name for field in dataclasses.fields(dataclass)}
    values = {name: value for name, value in vars(arguments).items() if name in names}
    hints = typing.get_type_hints(dataclass)
    return {
        name: tuple(value) if typing.get_origin(hints[name]) is tuple
        else dict(value) if hints[name] is dict
        else value
        for name, value in values.items()
    }  # fmt: skip


def _options(kind, name):
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if kind is dict:
        return {"nargs": "+", "type": _entry, "metavar": "NAME=VALUE"}
    if typing.get_origin(kind) is tuple:
        return {"nargs": "+", "metavar": name.upper()}
    return {"type": kind, "metavar": name.upper()}


def _entry(text):
    """`units=128` -> ("units", 128); what is no Python literal stays a string."""
    words = {"true": True, "false": False, "none": None}
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    if value.lower() in words:
        return name, words[value.lower()]
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
