"""Champion to predictions."""
