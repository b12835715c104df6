"""Made-up values that are hard to carry: each has to come out of every hop byte for byte."""

from __future__ import annotations

from collections.abc import Mapping

HOSTILE: Mapping[str, str] = {
    "single quotes": "it's ''quoted'''",
    "double quotes": 'say "hello"',
    "a backslash at the end": "C:\\path\\",
    "a backslash before a quote": "\\'",
    "backslash n as two characters": "one\\ntwo",
    "a real newline": "one\ntwo\n",
    "a line that looks like an entry": "x'\nOTHER='y",
    "CRLF": "one\r\ntwo\r\n",
    "a tab": "one\ttwo",
    "blanks at both ends": "  padded  ",
    "a variable": "$HOME ${HOME} $$",
    "a command": "$(id) `id`",
    "signs of shells": "# % ! & | ; < > * ? ~",
    "braces of templates": "{{ .Data.data.KEY }} {% if %} [[ x ]]",
    "equals": "=a=b=",
    "not ASCII": "größe 日本 🔑",
    "8 KiB": "0123'\\$\n" * 1024,
}
