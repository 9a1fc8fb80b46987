"""What layers check of their arguments."""


def check_positive(layer, **arguments):
    """Raise a `ValueError` for the first that is below 1; None stands for a default."""
    for name, value in arguments.items():
        if value is not None and value < 1:
            raise ValueError(f"{layer}: `{name}` must be 1 or more, got {value}.")


def check_choice(layer, choices, **arguments):
    """Raise a `ValueError` for the first that is none of `choices`."""
    for name, value in arguments.items():
        if value not in choices:
            raise ValueError(f"{layer}: `{name}` must be one of {choices}, got {value!r}.")


def check_rate(layer, **arguments):
    """Raise a `ValueError` for the first that is no share of what may be dropped."""
    for name, value in arguments.items():
        if not 0 <= value < 1:
            raise ValueError(f"{layer}: `{name}` must be from 0 to below 1, got {value}.")
