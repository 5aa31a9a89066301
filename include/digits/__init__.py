"""An upstream system for images: scikit-learn's bundled scans of handwritten digits, replayed as feeds.

The 1,797 images and their digits are real (the test set of UCI's "Optical Recognition of Handwritten Digits", forms
filled in by 13 people), and so is their order. The time line is ours: the data set has none.
"""

from digits.feeds import DigitScans

__all__ = ["DigitScans"]
