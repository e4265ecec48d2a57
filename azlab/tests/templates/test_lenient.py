# Copyright (c) 2026 The dockhost.azure authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies as the Azure CLI sends them."""
from __future__ import annotations

import pytest
from azlab.templates.lenient import loads


@pytest.mark.parametrize(("text", "expected"), [
    ('{"a": 1}', {"a": 1}),
    ('{"properties": {"mode": "Incremental", template:{\r\n "x": []\r\n}}}',
     {"properties": {"mode": "Incremental", "template": {"x": []}}}),
    ("{'a': 'it\\'s', // a comment\n 'b': [1, 2,], /* another\n one */ c: null, d: true, e: -1.5e3,}",
     {"a": "it's", "b": [1, 2], "c": None, "d": True, "e": -1500.0}),
    ('{"a": "two\nlines", "u": "\\u00e4\\n", }', {"a": "two\nlines", "u": "ä\n"}),
    ("\ufeff[]", []),
])
def test_what_is_read(text, expected):
    assert loads(text.encode()) == expected


@pytest.mark.parametrize(("text", "message"), [
    ("{", "Invalid property identifier character: . Line 1, position 1."),
    ('{"a" 1}', "Expected ':' but got: 1. Line 1, position 5."),
    ('{"a": 1\n "b": 2}', "an unexpected character was encountered: \". Line 2, position 1."),
    ('{"a": nope}', "Unexpected character encountered while parsing value: n. Line 1, position 6."),
    ('{"a": "x', "Unterminated string"), ("{} x", "Additional text encountered"),
    ("", "Unexpected character encountered while parsing value"),
    ("[" * 5000, "nested too deep"), ("[" * 500 + "]" * 500, "nested too deep"),
])
def test_what_is_refused(text, message):
    with pytest.raises(ValueError) as caught:
        loads(text.encode())
    assert message in str(caught.value)
    with pytest.raises(ValueError, match="not UTF-8"):
        loads(b"\xff\xfe")
