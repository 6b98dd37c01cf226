"""What is wrong with an identifier, as an exception that people and programs can read."""


class Gs1Error(ValueError):
    """An identifier is not well formed. `code` is stable; `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail
