"""Everything that is fuzzed."""

from tests.fuzz import detector_targets, disk_targets, line_targets, wire_targets

TARGETS = (*wire_targets.TARGETS, *line_targets.TARGETS, *detector_targets.TARGETS, *disk_targets.TARGETS)
