"""Where the people behind a pipeline are reached."""

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

_ADDRESS = r"https?://[^\s<>\"']+|mailto:[^\s<>\"'@]+@[^\s<>\"'@]+"
_MAIL = re.compile(r"[^\s:<>\"'@]+@[^\s<>\"'@]+\.[^\s<>\"'@]+")


def _is_address(text: str) -> str:
    if not text or re.fullmatch(_ADDRESS, text):
        return text
    hint = f"; did you mean 'mailto:{text}'?" if _MAIL.fullmatch(text) else ""
    raise ValueError(
        f"{text!r} is not an address that a browser opens{hint} (https://chat.example.org/ops, mailto:ops@example.org)"
    )


Channel = Annotated[str, AfterValidator(_is_address), WithJsonSchema({"type": "string", "pattern": f"^({_ADDRESS})?$"})]
