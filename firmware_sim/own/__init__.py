"""A machine that a user describes in TOML: channels, their rhythms and couplings, faults."""
