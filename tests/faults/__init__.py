"""What upstream systems really do, planted into a month of flights: each fault is refused, quarantined or alarmed."""
