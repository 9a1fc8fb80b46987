"""Rotary position embedding."""

import keras
from keras import ops

from zoo.layers.arguments import check_number
from zoo.layers.positions import Positions


@keras.saving.register_keras_serializable("zoo")
class RotaryPositions(Positions):
    """Turn pairs of a query's and a key's features by angles that grow with the position.

        (x, y) -> (x cos m t_i - y sin m t_i, y cos m t_i + x sin m t_i),   t_i = base^(-2i / w)

    for the pair of features (x, y) = (x_i, x_{i + w/2}) at position m. A score then depends on the
    distance of its query and key alone. The paper pairs neighbours, which is the same but for the
    features' order.

    Args:
        base: of the wavelengths, above 0.
        linear: how many times longer than in training the inputs may be; positions are divided by
            it (position interpolation). 1: not at all.
        ntk: the same by stretching the wavelengths, the long ones most: `base * ntk^(w / (w - 2))`.

    Raises:
        ValueError: for heads of odd width, a `base` of 0 or below, or a scale below 1.

    Reference:
        Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding", eq. 15 and
        34. Linear scaling: Chen et al. 2023, "Extending Context Window of Large Language Models via
        Positional Interpolation", eq. 3. NTK: Peng et al. 2023, "YaRN", definition 1.
    """

    def __init__(self, base=10_000.0, linear=1.0, ntk=1.0, **kwargs):
        super().__init__(**kwargs)
        check_number("RotaryPositions", above=0, base=base)
        check_number("RotaryPositions", least=1, linear=linear, ntk=ntk)
        self.base = base
        self.linear = linear
        self.ntk = ntk

    def prepare(self, num_heads, width, causal):
        if width % 2 or (width == 2 and self.ntk > 1):
            raise ValueError(
                f"{self.name}: the width of a head must be even, and over 2 for `ntk`; got {width}."
            )

    def rotate(self, sequence, positions):
        width = sequence.shape[-1]
        base = self.base * self.ntk ** (width / (width - 2)) if self.ntk > 1 else self.base
        rates = [base ** (-2 * i / width) / self.linear for i in range(width // 2)]
        angle = ops.expand_dims(ops.cast(positions, "float32"), -1) * ops.convert_to_tensor(rates)
        angle = ops.expand_dims(angle, 1)  # (1 or b, 1, len, w / 2)
        sine, cosine = ops.sin(angle), ops.cos(angle)
        left, right = ops.split(ops.cast(sequence, "float32"), 2, axis=-1)
        turned = [left * cosine - right * sine, right * cosine + left * sine]
        return ops.cast(ops.concatenate(turned, axis=-1), sequence.dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "base": self.base,
            "linear": self.linear,
            "ntk": self.ntk,
        }
