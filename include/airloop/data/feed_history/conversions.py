"""How upstream systems change a unit without a word: the conversions a new window is tried against."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Conversion:
    """`new = factor * old + offset`.

    Attributes:
        name: As a message says it.
        clock: It moves differences between two clocks, not amounts; its offset is in minutes.
    """

    name: str
    factor: float
    offset: float = 0.0
    clock: bool = False

    def undo(self, values: Floats) -> Floats:
        """Values as they were before, in the same order."""
        return (values - self.offset) / self.factor

    def undo_quantiles(self, quantiles: Floats) -> Floats:
        """Quantiles as they were before, ascending again."""
        old = self.undo(quantiles)
        return old[::-1] if self.factor < 0 else old


def _both(factor: float, says: str, back: str) -> tuple[Conversion, Conversion]:
    return Conversion(says, factor), Conversion(back, 1 / factor)


AMOUNTS: tuple[Conversion, ...] = (
    *_both(60, "x 60, as minutes to seconds", "x 1/60, as minutes to hours"),
    *_both(1000, "x 1000", "x 1/1000"),
    *_both(100, "x 100", "x 1/100"),
    *_both(24, "x 24, as days to hours", "x 1/24, as hours to days"),
    *_both(1.609344, "x 1.609, as miles to kilometres", "x 1/1.609, as kilometres to miles"),
    Conversion("Fahrenheit to Celsius", 5 / 9, -160 / 9),
    Conversion("Celsius to Fahrenheit", 1.8, 32.0),
    Conversion("sign flipped", -1.0),
    *_both(3600, "x 3600, as hours to seconds", "x 1/3600, as seconds to hours"),
    *_both(10, "x 10", "x 1/10"),
    *_both(1_000_000, "x 1,000,000", "x 1/1,000,000"),
    *_both(2.20462262, "x 2.205, as kilograms to pounds", "x 1/2.205, as pounds to kilograms"),
    *_both(3.2808399, "x 3.281, as metres to feet", "x 1/3.281, as feet to metres"),
    *_both(2.54, "x 2.54, as inches to centimetres", "x 1/2.54, as centimetres to inches"),
    *_both(25.4, "x 25.4, as inches to millimetres", "x 1/25.4, as millimetres to inches"),
    *_both(0.44704, "x 0.447, as miles an hour to metres a second", "x 2.237, as metres a second to miles an hour"),
    *_both(1.15077945, "x 1.151, as knots to miles an hour", "x 1/1.151, as miles an hour to knots"),
    *_both(1.852, "x 1.852, as knots to kilometres an hour", "x 1/1.852, as kilometres an hour to knots"),
    *_both(3.6, "x 3.6, as metres a second to kilometres an hour", "x 1/3.6, as kilometres an hour to metres a second"),
    *_both(1440, "x 1440, as days to minutes", "x 1/1440, as minutes to days"),
    *_both(
        33.8638867, "x 33.86, as inches of mercury to hectopascals", "x 1/33.86, as hectopascals to inches of mercury"
    ),
    *_both(0.017453293, "x 0.01745, as degrees to radians", "x 57.3, as radians to degrees"),
    *_both(12, "x 12, as years to months", "x 1/12, as months to years"),
    *_both(7, "x 7, as weeks to days", "x 1/7, as days to weeks"),
    *_both(365, "x 365, as years to days", "x 1/365, as days to years"),
    *_both(28.3495231, "x 28.35, as ounces to grams", "x 1/28.35, as grams to ounces"),
    *_both(16, "x 16, as pounds to ounces", "x 1/16, as ounces to pounds"),
    *_both(35.2739619, "x 35.27, as kilograms to ounces", "x 1/35.27, as ounces to kilograms"),
    *_both(1024, "x 1024, as kibibytes to bytes", "x 1/1024, as bytes to kibibytes"),
    *_both(1_000_000_000, "x 1,000,000,000", "x 1/1,000,000,000"),
    *_both(86_400, "x 86,400, as days to seconds", "x 1/86,400, as seconds to days"),
    Conversion("Celsius to Kelvin", 1.0, 273.15),
    Conversion("Kelvin to Celsius", 1.0, -273.15),
    Conversion("Fahrenheit to Kelvin", 5 / 9, 273.15 - 160 / 9),
)
"""Commoner ones first: of several that fit alike, the first is named."""

TURNED: tuple[Conversion, ...] = (
    Conversion("1 less what it was", -1.0, 1.0),
    Conversion("100 less what it was", -1.0, 100.0),
)
"""Shares of 1 and of 100 whose other part is written."""

# Half an hour's zones (India, Newfoundland) are rarer than a half hour that is really late.
CLOCKS: tuple[Conversion, ...] = tuple(
    Conversion(f"{hours:+d} h", 1.0, hours * 60.0, clock=True) for hours in sorted(range(-14, 15), key=abs) if hours
)
"""Whole hours between two clocks, in minutes."""
