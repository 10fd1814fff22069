"""What the agent publishes, as metrics for Prometheus."""
