"""SHA-256 of JSON-able content."""

import hashlib
import json
from typing import Any


def digest(content: Any) -> str:
    """SHA-256 of JSON-able content, independent of key order."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
