"""What a form makes is made once, also when the form is sent twice."""

import hashlib
import json
import secrets
from typing import Any


def form_id(nonce: str, *said: Any, digits: int) -> str:
    """The ID, of so many hex digits, of what a form makes: by its page's nonce and all that it says (JSON values).

    The same page sent with other content makes another thing; without a nonce each call does.
    """
    if not nonce:
        return secrets.token_hex(digits // 2)
    content = json.dumps([nonce, *said], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:digits]
