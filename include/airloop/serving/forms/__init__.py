"""Fast forms: the same model without data frames, each used only where it agrees with the pipeline it was made of."""

from airloop.serving.forms.choose import PIPELINE, Form, chosen_form

__all__ = ["PIPELINE", "Form", "chosen_form"]
