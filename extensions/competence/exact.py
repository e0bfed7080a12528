"""Keep every score an exact number.

Law: never float. A score comes in as decimal text, is worked on as a
`Fraction`, and goes back to the store as text with four places.
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from bioskills.base.text import _

ExactInput = str | int | Decimal | Fraction
"""What `exact` takes: everything but a float."""

# The bound keeps a hostile number from becoming an hour of arithmetic.
_PLAIN = re.compile(r"[+-]?\d{1,15}(\.\d{1,20})?", re.ASCII)
_PLACES = Decimal("0.0001")
_WIDE = Context(prec=50, rounding=ROUND_HALF_EVEN)


class NotExactError(ValueError):
    """A number came as a float or as text that is not plain decimal notation."""

    def __init__(self, value: object) -> None:
        self.value = value
        super().__init__(
            _("{value!r} is not an exact number. Write it as decimal text such as '0.75'.").format(
                value=value
            )
        )


def exact(value: object) -> Fraction:
    """Return the number as a fraction, without ever passing through a float.

    Args:
        value: Plain decimal text ("8.5"), a whole number, a `Decimal` or a `Fraction`.

    Raises:
        NotExactError: A float, a truth value, "1/3", "1e3", "nan" or anything else.
    """
    if isinstance(value, bool) or not isinstance(value, ExactInput):
        raise NotExactError(value)
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        raise NotExactError(value)
    if isinstance(value, Decimal) and not value.is_finite():
        raise NotExactError(value)
    return Fraction(value)


def to_stored(value: Fraction) -> str:
    """Return the number as the store keeps it: four places, half to even.

    Verdicts are made on the stored text, so that reading the evidence again
    always gives the verdict that was shown.
    """
    quotient = _WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))
    return format(quotient.quantize(_PLACES, context=_WIDE), "f")
