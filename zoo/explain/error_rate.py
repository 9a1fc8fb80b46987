"""How far alignments are from gold ones."""


def alignment_error_rate(found, sure, possible):
    """Alignment error rate of one corpus: 0 where all links are right and no sure one is missed.

        AER = 1 - (|A & S| + |A & P|) / (|A| + |S|),  S a part of P

    Args:
        found, sure, possible: A, S and P, sets of links of any kind.

    Raises:
        ValueError: where a sure link is not possible, or there is no link at all.

    Reference:
        Och and Ney 2003, "A Systematic Comparison of Various Statistical Alignment Models", eq. 21.
    """
    if not sure <= possible:
        raise ValueError(f"sure links are possible ones; not so {sorted(sure - possible)[:3]}")
    if not found and not sure:
        raise ValueError("no links, found or sure, to take an error rate of")
    return 1 - (len(found & sure) + len(found & possible)) / (len(found) + len(sure))
