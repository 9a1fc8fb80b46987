"""How good a model in training is, on the validation set."""

import keras

from training.losses import Perplexity, TokenAccuracy, TokenCrossentropy, TokenLoss
from training.quality import MEASURES


class Judge:
    """Measures a model as its weights are now.

    `loss`, `perplexity` and `accuracy` are of the whole set given the right tokens before, each
    token alike; `exact_match`, `bleu` and `chrf` are of what the model translates by itself.

    Args:
        translator: of the model; it decodes as in validation.
        batches: of the whole set: `in_order` gives them.
        pairs: what to translate, with the right translations.
        recipe: says the metric and the loss's smoothing.
    """

    def __init__(self, translator, batches, pairs, recipe):
        self.translator = translator
        self.batches = batches
        self.pairs = pairs
        self.metric = recipe.metric
        # The same layers again, since a model that is in `fit` has its metrics in use.
        self._again = keras.Model(self.model.inputs, self.model.outputs[0])
        self._again.compile(
            loss=TokenCrossentropy(recipe.label_smoothing),
            metrics=[TokenLoss(recipe.label_smoothing), Perplexity(), TokenAccuracy()],
            jit_compile=recipe.jit,
        )

    @property
    def model(self):
        return self.translator.model

    def measures(self):
        """A dict of measures by their names; the metric is among them."""
        result = self._again.evaluate(self.batches.in_order(), verbose=0, return_dict=True)
        # Keras's own "loss" is a mean of the batches' means.
        measured = {"loss": result["token_loss"]}
        measured |= {name: result[name] for name in ("perplexity", "accuracy")}
        if self.metric in MEASURES:
            hypotheses = self.translator.translate_all(self.pairs.sources)
            measured[self.metric] = MEASURES[self.metric](hypotheses, self.pairs.targets)
        return measured
