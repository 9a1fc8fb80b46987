"""Several translators that answer as one."""

import functools

from keras import ops


class Ensemble:
    """The mean of what several models of the same vocabularies say, token by token.

        p(y_t | y_<t, x) = 1/n sum_i p_i(y_t | y_<t, x)

    It is called, encodes, starts and steps as a translator does; it is trained in its parts. Its
    attention is the mean of those that have one.

    Args:
        models: translators, all built with the same two vocabulary sizes.

    Raises:
        ValueError: for fewer models than two, or vocabularies of several sizes.

    Reference:
        Sutskever et al. 2014, section 3.6 (ensembles of LSTMs).
    """

    def __init__(self, models):
        sizes = {
            (model.options["source_vocabulary_size"], model.options["target_vocabulary_size"])
            for model in models
        }
        if len(models) < 2:
            raise ValueError(f"an ensemble is of 2 models or more, got {len(models)}.")
        if len(sizes) > 1:
            raise ValueError(f"the models of an ensemble share vocabularies, got sizes {sizes}.")
        self.models = list(models)
        self.views = [(model.encode, model.step, model.embed) for model in models]
        self.has_attention = any(model.has_attention for model in models)
        limits = [model.longest_source for model in models if model.longest_source is not None]
        self.longest_source = min(limits, default=None)

    @property
    def variables(self):
        return [variable for model in self.models for variable in model.variables]

    @property
    def layers(self):
        return [layer for model in self.models for layer in model.layers]

    def __call__(self, inputs):
        return _mean_of_probabilities([model(inputs) for model in self.models])

    def embed(self, source):
        """The models' sentence vectors, side by side."""
        return ops.concatenate([embed(source) for _, _, embed in self.views], axis=-1)

    def encode(self, source):
        return _together(encode(source) for encode, _, _ in self.views)

    def start(self, encoded, room=0):
        parts = enumerate(self.models)
        return _together(model.start(_part(encoded, i), room) for i, model in parts)

    def step(self, inputs):
        return self._stepped([step for _, step, _ in self.views], inputs)

    @functools.cached_property
    def step_in_room(self):
        steps = [model.step_in_room for model in self.models]
        return lambda inputs: self._stepped(steps, inputs)

    def _stepped(self, steps, inputs):
        tokens, given = inputs
        answers = [step((tokens, _part(given, i))) for i, step in enumerate(steps)]
        logits, states, attentions = zip(*answers, strict=True)
        looking = [
            attention
            for model, attention in zip(self.models, attentions, strict=True)
            if model.has_attention
        ]
        attention = sum(looking) / len(looking) if looking else attentions[0]
        return _mean_of_probabilities(logits), _together(states), attention


def _together(dicts):
    """Flat dicts as one, each model's entries under its number."""
    return {f"{i}.{name}": tensor for i, each in enumerate(dicts) for name, tensor in each.items()}


def _part(together, number):
    """One model's own of what `_together` made."""
    own = (key.partition(".") for key in together)
    return {name: together[f"{i}.{name}"] for i, _, name in own if i == str(number)}


def _mean_of_probabilities(logits):
    """Log of the mean of the softmaxes."""
    logs = ops.stack([ops.log_softmax(ops.cast(one, "float32")) for one in logits])
    return ops.logsumexp(logs, axis=0) - ops.log(float(len(logits)))
