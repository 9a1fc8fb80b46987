"""Position schemes by name."""

import keras

from zoo.layers.alibi_positions import AlibiPositions
from zoo.layers.arguments import refuse
from zoo.layers.learned_positions import LearnedPositions
from zoo.layers.noise_positions import NoisePositions
from zoo.layers.positions import Positions
from zoo.layers.rotary_positions import RotaryPositions
from zoo.layers.shaw_positions import ShawPositions
from zoo.layers.sinusoidal_positions import SinusoidalPositions
from zoo.layers.t5_positions import T5Positions

SCHEMES = {
    "alibi": AlibiPositions,
    "learned": LearnedPositions,
    "noise": NoisePositions,
    "rotary": RotaryPositions,
    "shaw": ShawPositions,
    "sinusoidal": SinusoidalPositions,
    "t5": T5Positions,
}


def get(positions, dtype=None, layer="Positions"):
    """The scheme that an argument `positions` means.

    Args:
        positions: a name in `SCHEMES`, a scheme, its serialised config, or None for no positions.
        dtype: of a scheme that is made here.
        layer: whose argument it is, for the error.

    Raises:
        ValueError: for anything else.
    """
    if positions is None:
        return Positions(dtype=dtype)
    if isinstance(positions, str) and positions in SCHEMES:
        return SCHEMES[positions](dtype=dtype)
    scheme = positions
    if isinstance(positions, dict) and "class_name" in positions:
        scheme = keras.saving.deserialize_keras_object(positions)
    if not hasattr(type(scheme), "rotate"):  # of its type: the class of a scheme is no scheme
        refuse(layer, "positions", f"one of {tuple(SCHEMES)} or a `Positions`", positions)
    return scheme


def copy(positions, name, layer="Positions"):
    """A scheme of one's own, of that name, with the settings that `positions` means."""
    scheme = get(positions, layer=layer)
    return type(scheme).from_config({**scheme.get_config(), "name": name})
