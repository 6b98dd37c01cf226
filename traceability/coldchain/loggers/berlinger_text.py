"""The text form of Berlinger files: `key: value` lines, indentation = level, tab-separated data rows. PURE."""

import re
from dataclasses import dataclass, field

from .model import LoggerError, _

# "T AL: +8.0, t AL: 60": several fields share a line; a key starts with a letter and has no comma or colon.
_NEXT_FIELD = re.compile(r", (?=[A-Za-z][A-Za-z ]{0,24}:)")
_MAX_DEPTH = 8


@dataclass
class Section:
    """One level of the file: its lines (fields by key, in order), its subsections by name, its data rows."""

    lines: list[dict[str, str]] = field(default_factory=list)
    sections: dict[str, "Section"] = field(default_factory=dict)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)  # (line number, cells)

    def value(self, key: str) -> str:
        """The field `key` of this level. Raises LoggerError if the file has none."""
        found = self.get(key)
        if found is None:
            raise LoggerError(
                "logger.field-missing", _("The field “{key}” is missing. Export the file again."), key=key
            )
        return found

    def get(self, key: str) -> str | None:
        """The field `key` of this level, or None."""
        return next((line[key] for line in self.lines if key in line), None)

    def section(self, *path: str) -> "Section":
        """The subsection at `path`; an empty one if the file has none."""
        found = self
        for name in path:
            found = found.sections.get(name) or Section()
        return found


def read(content: bytes) -> Section:
    """The file as a tree. Raises LoggerError naming the line that has no place in it."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LoggerError(
            "logger.encoding", _("The file is not UTF-8 text; upload it as the logger wrote it.")
        ) from error
    root = Section()
    open_sections = [root]  # by indentation
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line:
            continue
        if line.startswith("\t"):
            open_sections[-1].rows.append((number, line[1:].split("\t")))
            continue
        depth = len(line) - len(line.lstrip(" "))
        if depth >= min(len(open_sections), _MAX_DEPTH):
            raise LoggerError("logger.form", _("The indentation has no heading above it."), line=number)
        del open_sections[depth + 1 :]
        fields = _fields(line[depth:], number)
        open_sections[depth].lines.append(fields)
        # "Alarm:" opens a level if the next line is deeper; "TS Batt Temp:" is an empty value. Both are kept.
        last = list(fields)[-1]
        open_sections.append(open_sections[depth].sections.setdefault(last, Section()))
    return root


def _fields(text: str, number: int) -> dict[str, str]:
    fields: dict[str, str] = {}
    for part in _NEXT_FIELD.split(text):
        key, colon, value = part.partition(":")
        if not colon or not key:
            raise LoggerError("logger.form", _("Expected “key: value”."), line=number)
        fields[key] = value.removeprefix(" ")
    return fields
