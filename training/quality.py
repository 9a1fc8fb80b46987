"""How good translations are, in percent."""


def exact_match(hypotheses, references):
    """The share of hypotheses that are their reference, letter by letter."""
    pairs = list(zip(hypotheses, references, strict=True))
    return 100.0 * sum(hypothesis == reference for hypothesis, reference in pairs) / len(pairs)


def bleu(hypotheses, references):
    """Corpus BLEU of detokenised text, tokenised by 13a (sacreBLEU; Post 2018)."""
    import sacrebleu

    return sacrebleu.corpus_bleu(hypotheses, [references]).score


def chrf(hypotheses, references):
    """Corpus chrF2 (sacreBLEU; Popović 2015)."""
    import sacrebleu

    return sacrebleu.corpus_chrf(hypotheses, [references]).score


MEASURES = {"exact_match": exact_match, "bleu": bleu, "chrf": chrf}


def better(metric, new, old):
    """Whether a validation is better than the best before it, None for none; a tie is not."""
    if old is None:
        return True
    return new < old if metric == "loss" else new > old
