"""Houses with a data folder of their own."""

import pytest
from django.contrib.auth.models import User

from tests.integration.common.houses import observe
from tests.integration.conftest import House
from traceability.common.backup import sealed_file
from traceability.products import services as products
from traceability.products.models import Lot


@pytest.fixture
def key(tmp_path):
    sealed_file.create_key(tmp_path / "key")
    return sealed_file.read_key(tmp_path / "key")


@pytest.fixture
def own_files(tmp_path, settings):
    """Each test's house has a data folder of its own."""
    (tmp_path / "data").mkdir()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "data" / "files"},
        },
    }
    settings.LOG_HIGH_WATER_FILE = tmp_path / "data" / "log-high-water"
    (tmp_path / "data" / "key-encryption-key").write_bytes(settings.KEY_ENCRYPTION_KEY)
    (tmp_path / "data" / "policy").write_text("")
    settings.KEPT_FILES = {name: tmp_path / "data" / name for name in ("secret-key", "key-encryption-key", "policy")}
    settings.DATA_DIR = tmp_path / "data"
    settings.LOG_POLICY_FILE = None


@pytest.fixture
def lived(own_files, house: House, writer):
    """A house in which something happened, something waits, files were uploaded and somebody signed in."""
    assert observe(house, writer, "1").status_code == 202
    house.settle()
    assert observe(house, writer, "3").status_code == 202
    User.objects.create_user("anna", password="correct horse battery")
    products.attach_report(lot=Lot.objects.get(), filename="r.pdf", content=b"%PDF-1.4 x", verdict="conformant")
    return house
