"""What has to happen before Feast's first import: most of that import is typeguard instrumenting Feast's classes."""

import logging
import sys
from typing import Any

import typeguard

logger = logging.getLogger(__name__)


def neutralise_typeguard() -> None:
    """Make `typeguard.typechecked` a decorator that does nothing, so that `import feast` costs a third.

    Call it before the first import of Feast; a second call changes nothing. Once Feast is imported its classes are
    instrumented and this function leaves typeguard alone. Feast's own argument checks are lost, and those of any
    other library that decorates with typeguard later in this process; unit tests run without the call.
    """
    if "feast" in sys.modules:
        logger.debug("Feast is already imported: typeguard stays as it is")
        return
    typeguard.typechecked = _leave_unchecked


def _leave_unchecked(target: Any = None, **_options: Any) -> Any:
    # The decorator is used bare (@typechecked) and with options (@typechecked(...)).
    return _leave_unchecked if target is None else target
