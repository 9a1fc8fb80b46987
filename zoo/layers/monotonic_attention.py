"""Monotonic attention of Raffel et al. 2017."""

import keras
from keras import ops

from zoo.layers import align
from zoo.layers.arguments import check_choice, check_number
from zoo.layers.wrapped_attention import WrappedAttention

MODES = ("soft", "hard")


@keras.saving.register_keras_serializable("zoo")
class MonotonicAttention(WrappedAttention):
    """Attention that reads the keys from left to right and never goes back.

    From where the query before stopped, the search stops at key j with probability `p_ij`, and
    otherwise goes on:

        p_ij = sigmoid(score(s_i, h_j) + r + noise)
        soft:  a_ij = p_ij ((1 - p_i,j-1) a_i,j-1 / p_i,j-1 + a_i-1,j)
        hard:  a_ij = 1 for the first j, from the last one on, with p_ij >= 1/2; otherwise 0

    Soft is hard's expectation, and what is trained; hard is for decoding, has no gradient, and is
    soft for scores that are far from 0. Either sums to at most 1: what is left is the chance that
    the search ran past the last key, after which it stays there and the context is zero.

    Args:
        attention: whose score it is. In the paper, `BahdanauAttention(normed=True)`.
        mode: "soft" or "hard".
        offset: what `r`, which is learned, starts from: below 0, so that the search gets somewhere.
        noise: standard deviation of the noise on the energies in training, which pushes them away
            from 0: fresh for each query and key.

    Call arguments, returns and errors: as `Attention`. The state is the last alignment.

    Reference:
        Raffel, Luong, Liu, Weiss, Eck 2017, "Online and Linear-Time Attention by Enforcing
        Monotonic Alignments", section 2.2 to 2.5, eq. 10 to 14.
    """

    parallel = False

    def __init__(self, attention, mode="soft", offset=-1.0, noise=1.0, seed=None, **kwargs):
        super().__init__(attention, **kwargs)
        check_choice("MonotonicAttention", MODES, mode=mode)
        check_number("MonotonicAttention", offset=offset)
        check_number("MonotonicAttention", least=0, noise=noise)
        self.mode = mode
        self.offset = offset
        self.noise = noise
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, query_shape, value_shape, key_shape=None):
        super().build(query_shape, value_shape, key_shape)
        start = keras.initializers.Constant(self.offset)
        self.r = self.add_weight(shape=(), initializer=start, name="offset")

    def start(self, value):
        nothing = ops.zeros_like(value[:, :, 0], dtype="float32")
        return [ops.cast(ops.equal(ops.cumsum(nothing + 1, axis=-1), 1), "float32")]

    def draw(self, query, value):
        if self.mode == "hard":
            return []
        shape = (*ops.shape(query)[:2], ops.shape(value)[1])
        return [keras.random.normal(shape, 0, self.noise, "float32", seed=self.seed_generator)]

    def align(self, query, key, mask, state):
        previous, *noise = state
        energy = ops.cast(self.score(query, key), "float32") + ops.cast(self.r, "float32")
        choose = self._choose(sum(noise, energy))
        choose = choose if mask is None else ops.where(mask, choose, 0.0)
        weights = align.monotonic(choose, previous)
        return ops.cast(weights, query.dtype), [weights]

    def _choose(self, energy):
        return ops.cast(energy >= 0, "float32") if self.mode == "hard" else ops.sigmoid(energy)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("mode", "offset", "noise", "seed")}
        return {**super().get_config(), **own}
