"""Files, folders and functions stay of a size that one takes in at a glance."""

import ast
from collections import Counter

from test_layers import ROOT, modules

MOST_FILES, MOST_LINES, MOST_LINES_OF_A_FUNCTION = 20, 300, 40


def test_no_folder_has_too_many_files():
    count = Counter(str(file.parent.relative_to(ROOT)) for _, file in modules())

    assert [folder for folder, files in count.items() if files > MOST_FILES] == []


def test_no_file_is_too_long():
    lines = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for _, file in modules()}

    assert [name for name, count in lines.items() if count > MOST_LINES] == []


def test_no_function_is_too_long():
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}: {node.name}, {node.end_lineno - node.lineno + 1} lines"
        for _, file in modules()
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]

    assert found == []
