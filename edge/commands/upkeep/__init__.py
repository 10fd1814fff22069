"""Looking after a gateway: what ails it, other bundles, another machine."""
