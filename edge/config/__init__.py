"""agent.toml, read and checked."""
