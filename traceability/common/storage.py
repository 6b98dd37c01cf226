"""Where uploaded files are kept: a folder in which what was saved lasts."""

from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage

from . import files


class LastingStorage(FileSystemStorage):
    """Django's folder storage, but a file is on the disk when `save` returns, and not there at all when it fails.

    Saving again under a name replaces the file, whole: names are made from the content.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: Any) -> str:
        path, root = Path(self.path(name)), Path(self.location)
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, content.chunks())
        for folder in path.parent.parents:  # those that were just made lie in these
            files.sync_folder(folder)
            if folder == root.parent:
                break
        return name
