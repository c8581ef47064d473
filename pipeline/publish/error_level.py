"""How sure the gate must be of a gain, given how many challengers a champion has met.

All challengers of a champion are compared with it on the same hold-out, and each may be
lucky there: the more there were, the less luck may explain a gain. Together, all
challengers of a champion, however many, have the probability `FALSE_PROMOTIONS` that
one of them replaces it without being better.
"""

FALSE_PROMOTIONS = 0.01
# The levels fall slowly while there were fewer challengers than this, then quickly. With
# 20, each of the first 120 needs less of a gain than if 1,000 shared the error evenly.
EVENNESS = 20


def level(place: int) -> float:
    """Return the largest p-value with which a challenger is promoted.

    The levels of all places add up to `FALSE_PROMOTIONS`, since the sum of
    1 / ((k - 1 + n) (k + n)) over all k from 1 is 1 / n.

    Args:
        place: which challenger of its champion it is, from 1.
    """
    before = place - 1 + EVENNESS
    product = before * (before + 1)
    return FALSE_PROMOTIONS * EVENNESS / product
