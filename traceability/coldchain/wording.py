"""What is wrong with a logger file, in the reader's language."""

from django.utils.translation import gettext
from django.utils.translation import gettext as _

from .loggers.model import LoggerError


def explain(error: LoggerError) -> str:
    """The error's sentence with its particulars, and the line where there is one."""
    params = {name: gettext(str(value)) if name == "what" else value for name, value in error.params.items()}
    detail = gettext(error.template).format(**params)
    return detail if error.line is None else _("Line {line}: {detail}").format(line=error.line, detail=detail)
