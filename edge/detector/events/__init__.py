"""Scores become alarms, alarms episodes, episodes events."""
