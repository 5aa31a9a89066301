"""How much of the requests a challenger may answer before it is promoted."""

from pydantic import Field

from airloop.config.node import Name, Node


class Canary(Node):
    """A challenger's share of the answers: always the same entities', as long as it is the challenger."""

    share: float = Field(gt=0, le=0.5)
    """So many of the entities, by a hash of their key, are answered by the challenger; of the rows about as many."""
    by: Name | None = None
    """Key by which an entity stays with its version, one of those that requests name (a customer, say); the pipeline's
    own entity key unless given. A row without it is answered by the champion."""
