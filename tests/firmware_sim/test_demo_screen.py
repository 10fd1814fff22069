"""What the demo shows, on a terminal and in a log."""

import io

from firmware_sim.demo.screen import Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_lines_stand_above_the_progress_line():
    out = Terminal()
    screen = Screen(out)

    screen.progress(0.5, "half")
    screen.line("an alert")
    screen.end_progress()

    *above, below = out.getvalue().split("\n")
    assert above[-1].endswith("\r\x1b[Kan alert")
    assert "50 %  half" in below
    assert below.endswith("\x1b[K")


def test_in_a_log_progress_comes_seldom_and_without_control_characters():
    out = io.StringIO()
    screen = Screen(out)

    for percent in range(100):
        screen.progress(percent / 100, "on its way")
    screen.line("an alert")

    assert out.getvalue().splitlines() == ["[" + "." * 30 + "]   0 %  on its way", "an alert"]
