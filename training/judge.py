"""How good a model in training is, on the validation set."""

import keras

from training.losses import Perplexity, TokenAccuracy, TokenCrossentropy, TokenLoss
from training.quality import MEASURES
from training.xla import jit


class TokenJudge:
    """Measures a model as its weights are now: `loss`, `perplexity` and `accuracy`.

    They are of the whole set given the right tokens before, each token alike.

    Args:
        model: a translator.
        batches: of the whole set: `in_order` gives them, `len` says how many.
        recipe: says the loss's smoothing.

    Attributes:
        metric: the measure by which weights are the best.
    """

    metric = "loss"

    def __init__(self, model, batches, recipe):
        self.model = model
        self.batches = batches
        # The same layers again, since a model that is in `fit` has its metrics in use.
        self._again = keras.Model(model.inputs, model.outputs[0])
        self._again.compile(
            loss=TokenCrossentropy(recipe.label_smoothing),
            metrics=[TokenLoss(recipe.label_smoothing), Perplexity(), TokenAccuracy()],
            jit_compile=jit(recipe),
        )

    def measures(self):
        """A dict of measures by their names; the metric is among them."""
        result = self._again.evaluate(
            self.batches.in_order(), steps=len(self.batches), verbose=0, return_dict=True
        )
        # Keras's own "loss" is a mean of the batches' means.
        measured = {"loss": result["token_loss"]}
        return measured | {name: result[name] for name in ("perplexity", "accuracy")}


class Judge(TokenJudge):
    """Measures what a model translates by itself, too: `exact_match`, `bleu` or `chrf`.

    Args:
        translator: of the model; it decodes as in validation.
        batches: of the whole set: `in_order` gives them.
        pairs: what to translate, with the right translations.
        recipe: says the metric and the loss's smoothing.
    """

    def __init__(self, translator, batches, pairs, recipe):
        super().__init__(translator.model, batches, recipe)
        self.translator = translator
        self.pairs = pairs
        self.metric = recipe.metric

    def measures(self):
        measured = super().measures()
        if self.metric in MEASURES:
            hypotheses = self.translator.translate_all(self.pairs.sources)
            measured[self.metric] = MEASURES[self.metric](hypotheses, self.pairs.targets)
        return measured
