"""What every part of the declaration shares: frozen classes that refuse unknown keys, and the types of their fields."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

AttributePath = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Share = Annotated[float, Field(ge=0, le=1)]


class Node(BaseModel):
    """Base of every part of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
